#include "adapters/proc/proc_files.hpp"

#include "adapters/proc/proc_net.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace reeve::adapters {
namespace {

constexpr std::size_t most_groups = 64 << 10;
// A line of tcp has 150 bytes, one of tcp6 about 180.
constexpr std::size_t most_sockets_bytes = 4 << 20;

struct contents {
  std::string bytes;
  bool truncated = false;
};

outcome<contents> read_whole(const std::string& path, std::size_t most) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  contents found;
  int failed = fd < 0 ? errno : 0;
  std::array<char, 32768> piece;
  while (failed == 0 && !found.truncated) {
    const auto got = ::read(fd, piece.data(), piece.size());
    if (got == 0) break;
    if (got < 0 && errno != EINTR) failed = errno;
    if (got <= 0) continue;
    const auto room = most - found.bytes.size();
    found.truncated = static_cast<std::size_t>(got) > room;
    found.bytes.append(piece.data(), std::min(room, static_cast<std::size_t>(got)));
  }
  if (fd >= 0) ::close(fd);
  if (failed == 0) return found;
  if (failed == ENOENT || failed == ESRCH || failed == EINVAL) {
    return reject(errc::not_found, "there is no such process");
  }
  if (failed == EACCES || failed == EPERM) return reject(errc::forbidden, "it may not be read");
  return reject(errc::unavailable, "it cannot be read");
}

}  // namespace

std::string proc_files::path(std::int64_t pid, const char* file) const {
  return root_ + "/" + std::to_string(pid) + "/" + file;
}

outcome<std::string> proc_files::groups_of(std::int64_t pid) const {
  auto found = read_whole(path(pid, "cgroup"), most_groups);
  if (!found) return found.error();
  return std::move(found->bytes);
}

outcome<std::string> proc_files::name_of(std::int64_t pid) const {
  auto found = read_whole(path(pid, "comm"), 64);
  if (!found) return found.error();
  return found->bytes.substr(0, found->bytes.find('\n'));
}

outcome<net_sockets> proc_files::sockets_of(std::int64_t pid) const {
  net_sockets sockets;
  for (const char* file : {"net/tcp", "net/tcp6"}) {
    auto found = read_whole(path(pid, file), most_sockets_bytes);
    // A kernel without IPv6 has no table of it.
    const bool is_missing = !found && found.error().code == errc::not_found;
    if (is_missing && file == std::string_view("net/tcp6")) continue;
    if (!found) return found.error();
    // The last line may be cut, which then is none.
    parse_sockets(found->bytes, sockets);
    sockets.truncated = sockets.truncated || found->truncated;
  }
  return sockets;
}

}  // namespace reeve::adapters
