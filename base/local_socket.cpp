#include "base/local_socket.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace reeve {
namespace {

static_assert(sizeof(sockaddr_un{}.sun_path) == most_socket_path + 1);

rejection failed(const std::string& path) {
  const auto why = std::system_category().message(errno);
  return reject(errc::unavailable, path + " cannot be listened on: " + why);
}

}  // namespace

outcome<local_socket> local_socket::listen(const std::string& path) {
  if (path.empty() || path.size() > most_socket_path) {
    return reject(errc::invalid, "the path of a socket has at most " +
                                     std::to_string(most_socket_path) + " bytes: " + path);
  }
  local_socket made(path);
  if (auto ok = made.bind_it(); !ok) return ok.error();
  return made;
}

outcome<done> local_socket::bind_it() {
  struct stat there {};
  if (::lstat(path_.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) return reject(errc::conflict, path_ + " is there, and no socket");
    ::unlink(path_.c_str());
  }
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return failed(path_);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  path_.copy(at.sun_path, sizeof at.sun_path - 1);
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return failed(path_);
  if (::lstat(path_.c_str(), &there) == 0) {
    device_ = there.st_dev;
    inode_ = there.st_ino;
  }
  if (::chmod(path_.c_str(), 0666) != 0 || ::listen(fd_, SOMAXCONN) != 0) return failed(path_);
  return done{};
}

local_socket::local_socket(local_socket&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      fd_(std::exchange(other.fd_, -1)),
      device_(other.device_),
      inode_(std::exchange(other.inode_, 0)) {}

local_socket::~local_socket() {
  struct stat there {};
  const bool is_ours = inode_ != 0 && ::lstat(path_.c_str(), &there) == 0 &&
                       there.st_dev == device_ && there.st_ino == inode_;
  if (is_ours) ::unlink(path_.c_str());
  if (fd_ >= 0) ::close(fd_);
}

int local_socket::release() {
  return std::exchange(fd_, -1);
}

}  // namespace reeve
