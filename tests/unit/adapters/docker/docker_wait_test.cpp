// A wait for the end of a container whose connection says nothing any more: it is asked anew.

#include "adapters/docker/docker_engine.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/adapters/engine_calls.hpp"

#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace reeve::adapters;
using engine_calls::ask;

/// An engine of two answers: its version, and the end of a container, which it tells only from the
/// second question on. The first one is taken and never answered, as behind a tunnel that is gone.
class forgetful_engine {
 public:
  forgetful_engine() {
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
  ~forgetful_engine() {
    stopping_ = true;
    thread_.join();
    for (const int fd : kept_) ::close(fd);
    ::close(listener_);
  }
  std::string socket() const { return folder_.at("s"); }
  int waits() const { return waits_; }

 private:
  void serve() {
    while (!stopping_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      std::string request(4096, '\0');
      const auto size = ::recv(client, request.data(), request.size(), 0);
      request.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
      if (request.find("/wait?") == request.npos) {
        answer(client, R"({"Version":"20.10.0","ApiVersion":"1.41","MinAPIVersion":"1.12"})");
      } else if (++waits_ > 1) {
        answer(client, R"({"StatusCode":7,"Error":null})");
      } else {
        kept_.push_back(client);
      }
    }
  }
  static void answer(int client, const std::string& body) {
    const auto text =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    (void)::send(client, text.data(), text.size(), MSG_NOSIGNAL);
    ::close(client);
  }

  const support::temporary_folder folder_;
  int listener_ = -1;
  std::vector<int> kept_;
  std::atomic<int> waits_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace

TEST(P12_wait, whose_connection_is_dead_is_asked_anew) {
  const forgetful_engine there;
  docker_engine engine{{.socket_path = there.socket(), .wait_round_ms = 200}};
  const auto ended = ask<wait_result>([&](auto slot) { engine.wait("reeve-x-a1", slot); });
  ASSERT_TRUE(ended) << ended.error().detail;
  EXPECT_EQ(ended->exit_code, 7);
  EXPECT_EQ(there.waits(), 2);
}
