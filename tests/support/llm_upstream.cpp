#include "tests/support/llm_upstream.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace support {
namespace {

std::size_t body_bytes(const std::string& head) {
  const std::string name = "\r\nContent-Length: ";
  const auto at = head.find(name);
  return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + name.size(), nullptr, 10);
}

std::string read_request(int peer) {
  std::string text;
  for (char buffer[4096];;) {
    const auto end = text.find("\r\n\r\n");
    if (end != std::string::npos && text.size() >= end + 4 + body_bytes(text)) return text;
    const auto got = ::recv(peer, buffer, sizeof buffer, 0);
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

void send_all(int peer, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto put = ::send(peer, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) return;
    sent += static_cast<std::size_t>(put);
  }
}

std::string with_length(int status, const std::string& body, const std::string& fields) {
  return "HTTP/1.1 " + std::to_string(status) +
         " As Told\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n" + fields + "\r\n" + body;
}

}  // namespace

llm_upstream::llm_upstream() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  auto* address = reinterpret_cast<sockaddr*>(&here);
  const bool listens = ::bind(listener_, address, sizeof here) == 0 &&
                       ::listen(listener_, 64) == 0 &&
                       ::getsockname(listener_, address, &size) == 0;
  if (!listens) throw std::runtime_error("no upstream on loopback");
  port_ = ntohs(here.sin_port);
  answer(500, "{}");
  acceptor_ = std::thread([this] { accept_all(); });
}

llm_upstream::~llm_upstream() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int peer : held_) ::shutdown(peer, SHUT_RDWR);
  }
  for (auto& one : lines_) one.join();
  ::close(listener_);
}

std::string llm_upstream::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/v1";
}

void llm_upstream::set(reply next) {
  const std::lock_guard lock(mutex_);
  reply_ = std::move(next);
}

void llm_upstream::answer(int status, std::string body, std::string fields) {
  set({with_length(status, body, "Content-Type: application/json\r\n" + fields), false});
}

void llm_upstream::stream(std::vector<std::string> events, bool holds) {
  std::string bytes =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
  for (const auto& one : events) bytes += "data: " + one + "\n\n";
  set({std::move(bytes), holds});
}

void llm_upstream::be_silent() {
  set({{}, true});
}

std::vector<std::string> llm_upstream::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

int llm_upstream::left_calls() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

void llm_upstream::accept_all() {
  for (;;) {
    const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer < 0) return;
    {
      const std::lock_guard lock(mutex_);
      held_.push_back(peer);
    }
    lines_.emplace_back([this, peer] { serve(peer); });
  }
}

void llm_upstream::serve(int peer) {
  const auto request = read_request(peer);
  reply mine;
  if (request.starts_with("GET ")) {
    mine.bytes = with_length(200, R"({"data":[]})", {});
  } else {
    const std::lock_guard lock(mutex_);
    calls_.push_back(request);
    mine = reply_;
  }
  send_all(peer, mine.bytes);
  char byte = 0;
  while (mine.holds && ::recv(peer, &byte, 1, 0) > 0) {
  }
  const std::lock_guard lock(mutex_);
  if (mine.holds) ++left_;
  held_.erase(std::find(held_.begin(), held_.end(), peer));
  ::close(peer);
}

}  // namespace support
