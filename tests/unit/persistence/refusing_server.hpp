#pragma once
// What a PostgreSQL says to who knocks at its door: one message and goodbye (protocol 3.0, Message
// Formats). It lets nobody in, so it needs no PostgreSQL.

#include <arpa/inet.h>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace refusing_server {

/// `is_open`: it listens, else its port is one where nobody does.
class door {
 public:
  explicit door(std::string answer, bool is_open = true) : answer_(std::move(answer)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) != 0 ||
        (is_open && ::listen(fd_, 16) != 0)) {
      std::abort();
    }
    port_ = std::to_string(ntohs(at.sin_port));
    if (is_open && !answer_.empty()) thread_ = std::thread([this] { serve(); });
  }
  ~door() {
    ::shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
  }
  door(const door&) = delete;
  door& operator=(const door&) = delete;

  const std::string& port() const { return port_; }

 private:
  void serve() {
    for (int one = ::accept(fd_, nullptr, nullptr); one >= 0;
         one = ::accept(fd_, nullptr, nullptr)) {
      // Requests for encryption come first, and are declined.
      while (is_encryption_asked(one)) ::send(one, "N", 1, MSG_NOSIGNAL);
      ::send(one, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      ::shutdown(one, SHUT_WR);
      char ignored[256];
      while (::recv(one, ignored, sizeof ignored, 0) > 0) {
      }
      ::close(one);
    }
  }
  /// Reads one whole message.
  static bool is_encryption_asked(int one) {
    std::uint32_t head[2]{};
    if (::recv(one, head, sizeof head, MSG_WAITALL) != sizeof head) return false;
    std::string rest(ntohl(head[0]) - sizeof head, '\0');
    if (!rest.empty()) ::recv(one, rest.data(), rest.size(), MSG_WAITALL);
    constexpr std::uint32_t ssl = 80877103, gss = 80877104;
    return ntohl(head[1]) == ssl || ntohl(head[1]) == gss;
  }

  std::string answer_;
  int fd_ = -1;
  std::string port_;
  std::thread thread_;
};

inline std::string message(char type, const std::string& body) {
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(body.size() + 4));
  return std::string(1, type).append(reinterpret_cast<const char*>(&size), 4) + body;
}

/// With words that quote what nobody should read.
inline std::string refusal(const std::string& sqlstate) {
  std::string body;
  for (const auto& field : {std::string("SFATAL"), std::string("VFATAL"), "C" + sqlstate,
                            std::string("Mthe server's words")}) {
    body.append(field).push_back('\0');
  }
  body.push_back('\0');
  return message('E', body);
}

/// AuthenticationCleartextPassword.
inline std::string password_wanted() {
  return message('R', std::string("\0\0\0\3", 4));
}

}  // namespace refusing_server
