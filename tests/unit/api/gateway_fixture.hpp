#pragma once
// A gateway on a free port of 127.0.0.1 with a few routes, and a client that sends raw bytes.

#include "api/http_server.hpp"
#include "base/metrics.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace gateway_fixture {

using namespace reeve;
using namespace reeve::api;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// One answer as it came.
struct answer {
  int status = 0;  // 0: none came
  std::string head, body;
  bool has(std::string_view text) const { return head.find(text) != head.npos; }
};

class raw_client {
 public:
  explicit raw_client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~raw_client() { close(); }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  bool connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  /// Reads once; false at the end, on an error, or after the time.
  bool read_some(milliseconds time = milliseconds(5000)) {
    pollfd one{fd_, POLLIN, 0};
    if (::poll(&one, 1, static_cast<int>(time.count())) <= 0) return false;
    char bytes[16384];
    const ssize_t count = ::recv(fd_, bytes, sizeof bytes, 0);
    if (count <= 0) {
      reset_ = count < 0 && errno == ECONNRESET;
      ended_ = true;
      return false;
    }
    in_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
  /// Everything until the server closes.
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(in_, {});
  }
  bool read_until(std::string_view text) {
    while (in_.find(text) == in_.npos) {
      if (!read_some()) return false;
    }
    return true;
  }
  /// One answer with Content-Length; `bodyless` for HEAD.
  answer read_answer(bool bodyless = false) {
    answer got;
    if (!read_until("\r\n\r\n")) return got;
    const std::size_t end = in_.find("\r\n\r\n") + 4;
    got.head = in_.substr(0, end);
    in_.erase(0, end);
    got.status = std::stoi(got.head.substr(9, 3));
    const std::size_t at = got.head.find("Content-Length: ");
    if (bodyless || at == std::string::npos) return got;
    const auto bytes = static_cast<std::size_t>(std::stoul(got.head.substr(at + 16)));
    while (in_.size() < bytes && read_some()) {
    }
    got.body = in_.substr(0, bytes);
    in_.erase(0, bytes);
    return got;
  }
  /// Whether the server has closed, and nothing came before.
  bool at_end() {
    while (!ended_ && read_some()) {
    }
    return ended_ && in_.empty();
  }
  std::string& buffered() { return in_; }
  /// The server ended the connection, and not in order.
  bool was_reset() const { return reset_; }

 private:
  int fd_;
  bool connected_ = false;
  bool ended_ = false, reset_ = false;
  std::string in_;
};

inline bool eventually(const std::function<bool()>& holds) {
  const auto end = steady_clock::now() + std::chrono::seconds(5);
  while (!holds()) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

/// Tokens "viewer", "operator", "admin", "auditor" and "node" are known, of the first tenant, and
/// "stranger", an admin of another one.
inline std::optional<caller> known_token(std::string_view token) {
  constexpr std::pair<std::string_view, role> roles[] = {
      {"viewer", role::viewer},   {"operator", role::operator_}, {"admin", role::admin},
      {"auditor", role::auditor}, {"node", role::node},          {"stranger", role::admin}};
  for (const auto& [name, has] : roles) {
    if (name == token) {
      const bool is_first = name != "stranger";
      return caller{derived_uuid({}, is_first ? "tenant" : "other"), derived_uuid({}, name),
                    "token:" + std::string(name), has, is_first};
    }
  }
  return std::nullopt;
}

class gateway {
 public:
  explicit gateway(std::vector<route> routes, server_options options = {},
                   std::function<std::optional<rejection>()> closed = {})
      : table_(router::make(std::move(routes)).value()) {
    gateway_hooks hooks;
    hooks.authenticate = [this](std::string_view token) {
      const std::lock_guard lock(mutex_);
      auto who = revoked_ == token ? std::nullopt : known_token(token);
      if (who && lowered_ == token) who->has = role::viewer;
      return who;
    };
    hooks.closed = std::move(closed);
    hooks.denied = [this](const denial& what) {
      const std::lock_guard lock(mutex_);
      denials_.push_back(what);
    };
    server_ = std::make_unique<http_server>(options, table_, hooks, real_ids(), metrics_);
    port_ = server_->listen().value();
    thread_ = std::thread([this] { server_->run(); });
  }
  ~gateway() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
  }
  /// After begin_drain: waits for `run` to return.
  void join() { thread_.join(); }
  void destroy_server() {
    stop();
    server_.reset();
  }

  http_server& server() { return *server_; }
  std::uint16_t port() const { return port_; }
  std::string metrics() const { return metrics_.text(); }
  /// From now on nobody has it.
  void revoke(std::string token) {
    const std::lock_guard lock(mutex_);
    revoked_ = std::move(token);
  }
  /// From now on it is a viewer's.
  void lower(std::string token) {
    const std::lock_guard lock(mutex_);
    lowered_ = std::move(token);
  }
  std::vector<denial> denials() {
    const std::lock_guard lock(mutex_);
    return denials_;
  }
  /// Sends on a connection of its own and reads all until the server closes.
  std::string exchange(std::string_view bytes) {
    raw_client client(port_);
    client.send(bytes);
    return client.read_all();
  }
  answer ask(std::string_view bytes, bool bodyless = false) {
    raw_client client(port_);
    client.send(bytes);
    return client.read_answer(bodyless);
  }
  bool alive() { return ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status == 200; }

 private:
  router table_;
  metrics_registry metrics_;
  std::mutex mutex_;
  std::vector<denial> denials_;
  std::string revoked_, lowered_;
  std::unique_ptr<http_server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

inline route simple(method verb, std::string pattern, handler handle,
                    api::access needs = api::access::anonymous) {
  route made;
  made.method = verb;
  made.pattern = std::move(pattern);
  made.summary = "a test";
  made.needs = needs;
  made.handle = std::move(handle);
  return made;
}

inline response text_response(std::string text) {
  response made;
  made.content_type = "text/plain";
  made.body = std::make_shared<const std::string>(std::move(text));
  return made;
}

/// GET /hello says "hello"; POST /echo (at most 1,000 bytes) gives its body back.
inline std::vector<route> basic_routes() {
  std::vector<route> made;
  made.push_back(simple(method::get, "/hello", [](const request&, const responder& slot) {
    response answer = text_response("hello");
    answer.headers.emplace_back("ETag", "\"v1\"");
    slot.answer(std::move(answer));
  }));
  made.push_back(simple(method::post, "/echo", [](const request& asked, const responder& slot) {
    slot.answer(text_response(asked.body));
  }));
  made.back().max_body_bytes = 1000;
  return made;
}

}  // namespace gateway_fixture
