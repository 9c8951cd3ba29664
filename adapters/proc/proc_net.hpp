#pragma once
// The kernel's tables of sockets, /proc/PID/net/tcp and tcp6: a head line, then a line a socket,
// with addresses and ports in hexadecimal, addresses as words of the machine's own byte order.

#include "adapters/proc_port.hpp"

#include <string_view>

namespace reeve::adapters {

/// Appends what the table has; lines that are none are left out. `into.all` never grows beyond
/// max_sockets.
void parse_sockets(std::string_view table, net_sockets& into);

}  // namespace reeve::adapters
