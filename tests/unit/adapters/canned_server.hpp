#pragma once
// An upstream of language models on loopback that answers every connection with the same bytes.

#include <arpa/inet.h>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

/// Keeps what it was asked. One that `holds` the line does not close it before its peer does.
class canned_server {
 public:
  explicit canned_server(std::string answer, bool holds = false)
      : answer_(std::move(answer)), holds_(holds) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    const bool listens =
        ::bind(listener_, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0 &&
        ::listen(listener_, 16) == 0 &&
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) == 0;
    if (!listens) throw std::runtime_error("no server on loopback");
    port_ = ntohs(here.sin_port);
    thread_ = std::thread([this] { work(); });
  }
  ~canned_server() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  canned_server(const canned_server&) = delete;
  canned_server& operator=(const canned_server&) = delete;

  std::string url(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_) + "/v1";
  }
  std::string asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  static std::size_t body_bytes(const std::string& head) {
    const std::string name = "\r\nContent-Length: ";
    const auto at = head.find(name);
    return at == head.npos ? 0 : std::strtoul(head.c_str() + at + name.size(), nullptr, 10);
  }
  static std::string read_request(int peer) {
    std::string text;
    for (char buffer[4096];;) {
      const auto end = text.find("\r\n\r\n");
      if (end != text.npos && text.size() >= end + 4 + body_bytes(text)) return text;
      const auto got = ::recv(peer, buffer, sizeof buffer, 0);
      if (got <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(got));
    }
  }
  void work() {
    for (;;) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      const auto request = read_request(peer);
      {
        const std::lock_guard lock(mutex_);
        asked_ += request;
      }
      for (std::size_t sent = 0; sent < answer_.size();) {
        const auto put = ::send(peer, answer_.data() + sent, answer_.size() - sent, MSG_NOSIGNAL);
        if (put <= 0) break;
        sent += static_cast<std::size_t>(put);
      }
      char byte = 0;
      while (holds_ && ::recv(peer, &byte, 1, 0) > 0) {
      }
      ::close(peer);
    }
  }

  std::string answer_;
  bool holds_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::string asked_;
  std::thread thread_;
};

inline std::string with_body(const std::string& status, const std::string& body,
                             const std::string& fields = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         fields + "Connection: close\r\n\r\n" + body;
}
