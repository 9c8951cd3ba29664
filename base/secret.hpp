#pragma once

#include <string>

namespace reeve {

/// 256 random bits of the operating system, as base64url: 43 characters.
std::string make_secret();

}  // namespace reeve
