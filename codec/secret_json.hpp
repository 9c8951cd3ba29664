#pragma once
// Reads a secret out of a JSON object without leaving copies of it behind.

#include "base/outcome.hpp"
#include "base/secret.hpp"

#include <string_view>

namespace reeve::codec {

/// The text of the one member that the object may have. Errors as those of decode_text, by the
/// member: `bad_request`, `invalid`, `unknown_field`; none quotes the text.
outcome<secret_text> read_secret(std::string_view json, std::string_view member);

}  // namespace reeve::codec
