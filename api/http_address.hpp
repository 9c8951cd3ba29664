#pragma once
// Addresses of clients, as text.

#include <string>
#include <string_view>

namespace reeve::api {

/// What an address is counted under: an IPv4 address itself, of IPv6 its /64, which one person has
/// whole (RFC 6177). Anything else is "unknown".
std::string share_key_of(std::string_view address);

}  // namespace reeve::api
