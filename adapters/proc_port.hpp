#pragma once
// The port to what the kernel says of processes: which container one is in, what it is called, and
// the sockets of its network. Blocking and quick. Numbers are those of this process's own view: in
// a container they may name others than those that an engine or a driver means, so whoever asks
// about a container compares what it is in first.

#include "base/outcome.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::adapters {

struct net_socket {
  std::string local;  ///< "10.0.0.2", "fd00::2"; an IPv4 address in IPv6 clothes is an IPv4 one
  std::int64_t local_port = 0;
  std::string remote;
  std::int64_t remote_port = 0;
  bool is_listening = false;
  bool is_established = false;  ///< neither: on its way there or from there
  bool operator==(const net_socket&) const = default;
};

struct net_sockets {
  std::vector<net_socket> all;
  bool truncated = false;  ///< there are more than max_sockets
};

inline constexpr std::size_t max_sockets = 20'000;

class process_table {
 public:
  virtual ~process_table() = default;

  /// Its control groups, a line each ("0::/system.slice/docker-….scope"). Errors of all three:
  /// not_found (there is no such process), forbidden, unavailable.
  virtual outcome<std::string> groups_of(std::int64_t pid) const = 0;
  /// What the kernel calls it: at most 15 bytes, no path, no arguments.
  virtual outcome<std::string> name_of(std::int64_t pid) const = 0;
  /// TCP over IPv4 and IPv6 of the network that it lives in, those of others in it included.
  virtual outcome<net_sockets> sockets_of(std::int64_t pid) const = 0;
};

/// The container whose processes are in these groups: 64 hex digits, of nested ones the innermost;
/// empty: none, or they do not agree.
std::string container_in_groups(std::string_view groups);

}  // namespace reeve::adapters
