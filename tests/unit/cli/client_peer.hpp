#pragma once
// A server for the commands of a client: it answers as it is told and keeps what it was sent.

#include <arpa/inet.h>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace client_peer {

/// One answer a connection, in the order given; whoever comes later finds nobody.
class peer {
 public:
  explicit peer(std::deque<std::string> answers) : answers_(std::move(answers)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(fd_, 16) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
      std::abort();
    }
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~peer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  const std::string& url() const { return url_; }
  std::vector<std::string> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!answers_.empty()) {
      const int one = ::accept(fd_, nullptr, nullptr);
      if (one < 0) return;
      std::string request;
      char bytes[4096];
      while (!is_whole(request)) {
        const auto count = ::recv(one, bytes, sizeof bytes, 0);
        if (count <= 0) break;
        request.append(bytes, static_cast<std::size_t>(count));
      }
      {
        std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      ::send(one, answers_.front().data(), answers_.front().size(), MSG_NOSIGNAL);
      answers_.pop_front();
      ::close(one);
    }
  }
  static bool is_whole(const std::string& request) {
    const auto end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const auto field = request.find("Content-Length: ");
    const auto body = field < end ? std::stoul(request.substr(field + 16)) : 0;
    return request.size() >= end + 4 + body;
  }

  std::deque<std::string> answers_;
  int fd_ = -1;
  std::string url_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

inline std::string http(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

inline std::string problem(int status, const std::string& code, const std::string& more = "") {
  return http(status, R"({"title":"Title.","detail":"the detail","code":")" + code + "\"" + more +
                          R"(,"status":)" + std::to_string(status) + "}");
}

}  // namespace client_peer
