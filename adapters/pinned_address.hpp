#pragma once
// Where a call to the outside goes: every address that a name has is looked at, and the one that is
// taken is the one that is connected to. A name that means another address a moment later, or to
// somebody else, changes nothing.

#include "base/outcome.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace reeve::adapters {

struct pinned_address {
  sockaddr_storage where{};
  socklen_t size = 0;
  std::string text;  // without the port; of IPv6 without brackets

  bool is_loopback() const;
  /// The same host's, with another port.
  pinned_address at_port(std::uint16_t port) const;
  bool operator==(const pinned_address& other) const;
};

/// Whether it is an address of one host that a server may have: not unspecified, not of a link
/// (where clouds keep their credentials), no group, not reserved. Private and loopback ones are:
/// upstreams stand in the configuration, and many are beside the server.
bool is_host_address(const sockaddr& address);

/// The first address of a host, an address itself or a name. `invalid`: one of those that it has is
/// no host's; `unavailable`: it has none. Blocks as long as the resolver does.
outcome<pinned_address> pin_address(const std::string& host, std::uint16_t port);

/// The same of a host that is an address itself, without any resolver; nothing: it is a name.
std::optional<outcome<pinned_address>> pin_numeric(const std::string& host, std::uint16_t port);

}  // namespace reeve::adapters
