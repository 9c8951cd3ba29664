#pragma once
// Stands between a client and PostgreSQL's unix socket and can cut the connections: at both ends,
// or at the client's end only, as a network that goes silent does.

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace reeve::fixture {

class socket_proxy {
 public:
  /// `host` is the directory of the real socket. Clients use `host()` and the same port.
  socket_proxy(const std::string& host, const std::string& port)
      : target_(host + "/.s.PGSQL." + port) {
    char name[] = "/tmp/reeve_proxy_XXXXXX";
    if (mkdtemp(name) == nullptr) throw std::runtime_error("no directory for the proxy");
    dir_ = name;
    path_ = dir_ + "/.s.PGSQL." + port;
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const auto address = address_of(path_);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 16) != 0) {
      throw std::runtime_error("the proxy cannot listen");
    }
    acceptor_ = std::thread([this] { accept_loop(); });
  }
  ~socket_proxy() {
    stopping_ = true;
    cut(true);
    acceptor_.join();
    for (auto& relay : relays_) relay.join();
    for (const int fd : open_) ::close(fd);
    ::close(listener_);
    ::unlink(path_.c_str());
    ::rmdir(dir_.c_str());
  }

  const std::string& host() const { return dir_; }
  /// New connections are closed at once.
  void refuse(bool refuse) { refuse_ = refuse; }
  /// Ends what is open. Without `server_too` PostgreSQL never learns of it.
  void cut(bool server_too) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < open_.size(); ++i) {
      if (i % 2 == 0 || server_too) ::shutdown(open_[i], SHUT_RDWR);
    }
    cut_ = open_.size();
  }

 private:
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
  }
  void accept_loop() {
    while (!stopping_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
      const auto address = address_of(target_);
      if (refuse_ ||
          ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(client);
        ::close(server);
        continue;
      }
      const std::lock_guard lock(mutex_);
      const auto index = open_.size();
      open_.push_back(client);
      open_.push_back(server);
      relays_.emplace_back([this, client, server, index] { relay(client, server, index); });
    }
  }
  bool is_cut(std::size_t index) {
    const std::lock_guard lock(mutex_);
    return index < cut_;
  }
  void relay(int client, int server, std::size_t index) {
    char buffer[65536];
    while (!stopping_ && !is_cut(index)) {
      pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (::poll(ends, 2, 20) <= 0) continue;
      for (int i = 0; i < 2; ++i) {
        if (ends[i].revents == 0) continue;
        const auto n = ::read(ends[i].fd, buffer, sizeof buffer);
        if (is_cut(index)) return;
        if (n <= 0) {
          ::shutdown(i == 0 ? server : client, SHUT_RDWR);
          return;
        }
        for (ssize_t sent = 0; sent < n;) {
          const auto m = ::send(ends[1 - i].fd, buffer + sent, static_cast<std::size_t>(n - sent),
                                MSG_NOSIGNAL);
          if (m <= 0) return;
          sent += m;
        }
      }
    }
  }

  std::string target_, dir_, path_;
  int listener_ = -1;
  std::atomic<bool> stopping_{false}, refuse_{false};
  std::thread acceptor_;
  std::mutex mutex_;
  std::vector<int> open_;  // client, server, client, server …
  std::size_t cut_ = 0;    // those before it are cut
  std::vector<std::thread> relays_;
};

}  // namespace reeve::fixture
