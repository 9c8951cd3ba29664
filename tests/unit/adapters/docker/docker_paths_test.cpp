// A look at a path in a container: an answer to HEAD, which has no body and often no length.

#include "adapters/docker/docker_engine.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/adapters/engine_calls.hpp"

#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <mutex>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace reeve::adapters;
using engine_calls::ask;
using engine_calls::code_of;

class engine_of_paths {
 public:
  engine_of_paths() {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 16) != 0) {
      throw std::runtime_error("the engine cannot listen");
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~engine_of_paths() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }
  engine_of_paths(const engine_of_paths&) = delete;
  engine_of_paths& operator=(const engine_of_paths&) = delete;

  std::string socket() const { return folder_.at("s"); }
  std::string asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void serve() {
    while (!stopping_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      std::string request(4096, '\0');
      const auto size = ::recv(client, request.data(), request.size(), 0);
      request.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
      const auto text = answer_to(request);
      (void)::send(client, text.data(), text.size(), MSG_NOSIGNAL);
      ::close(client);
    }
  }
  std::string answer_to(const std::string& request) {
    if (request.find("/version") != request.npos) {
      const std::string body =
          R"({"Version":"20.10.0","ApiVersion":"1.41","MinAPIVersion":"1.12"})";
      return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
             body;
    }
    const std::lock_guard lock(mutex_);
    asked_ = request.substr(0, request.find('\r'));
    if (asked_.find("gone") != asked_.npos) {
      // A length of what a GET would have had.
      return "HTTP/1.1 404 Not Found\r\nContent-Length: 61\r\n\r\n";
    }
    // {"name":"data","size":6,"mode":134218239,"linkTarget":"/reeve"}
    return "HTTP/1.1 200 OK\r\nX-Docker-Container-Path-Stat: "
           "eyJuYW1lIjoiZGF0YSIsInNpemUiOjYsIm1vZGUi"
           "OjEzNDIxODIzOSwibGlua1RhcmdldCI6Ii9yZWV2ZSJ9\r\n\r\n";
  }

  const support::temporary_folder folder_;
  int listener_ = -1;
  std::mutex mutex_;
  std::string asked_;  // guarded by mutex_
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace

TEST(P11_paths, are_looked_at_without_a_body) {
  engine_of_paths there;
  docker_engine engine{{.socket_path = there.socket()}};
  const auto kind = [&](const std::string& container, const std::string& path) {
    return ask<path_kind>([&](auto slot) { engine.look_at(container, path, slot); });
  };
  const auto link = kind("reeve-x-a1", "/da ta");
  ASSERT_TRUE(link) << link.error().detail;
  EXPECT_EQ(*link, path_kind::link);
  EXPECT_EQ(there.asked(), "HEAD /v1.41/containers/reeve-x-a1/archive?path=%2Fda%20ta HTTP/1.1");
  EXPECT_EQ(code_of(kind("reeve-x-a1", "/gone")), "not_found");
  EXPECT_EQ(code_of(kind("../x", "/data")), "invalid");
}
