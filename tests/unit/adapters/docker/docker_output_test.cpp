// The output of a container as it comes from an engine: in pieces, and begun anew when its
// connection broke.

#include "adapters/docker/docker_engine.hpp"
#include "tests/unit/adapters/engine_calls.hpp"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace reeve::adapters;
using engine_calls::ask;
using engine_calls::code_of;

std::string frame(const std::string& text) {
  const auto payload = "2026-11-21T04:39:59.000000001Z " + text;
  std::string bytes{1, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>((payload.size() >> shift) & 0xff);
  }
  return bytes + payload;
}

std::string chunk(const std::string& bytes) {
  std::string size;
  for (auto left = bytes.size(); left > 0; left /= 16) {
    size.insert(size.begin(), "0123456789abcdef"[left % 16]);
  }
  return size + "\r\n" + bytes + "\r\n";
}

/// Has one container, whose log is told in chunks; the first answer breaks off in its middle.
class talking_engine {
 public:
  talking_engine() {
    auto name = (std::filesystem::temp_directory_path() / "reeve-output-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for the socket");
    folder_ = name;
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
  ~talking_engine() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
    std::filesystem::remove_all(folder_);
  }
  std::string socket() const { return folder_ + "/s"; }
  int asked() const { return asked_; }

  static constexpr int lines = 20'000;

 private:
  void serve() {
    while (!stopping_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      std::string request(4096, '\0');
      const auto size = ::recv(client, request.data(), request.size(), 0);
      request.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
      send(client, answer_to(request));
      ::close(client);
    }
  }
  std::string answer_to(const std::string& request) {
    if (request.find("/logs?") == request.npos) {
      return with_length("200 OK", R"({"Version":"1","ApiVersion":"1.41","MinAPIVersion":"1.12"})");
    }
    if (request.find("/there/") == request.npos) {
      return with_length("404 Not Found", R"({"message":"No such container"})");
    }
    std::string body;
    const bool is_first = ++asked_ == 1;
    for (int i = 0; i < (is_first ? 10 : lines); ++i) {
      body += chunk(frame(std::to_string(i) + "\n"));
    }
    if (!is_first) body += chunk(frame("FATAL: the reason\n")) + "0\r\n\r\n";
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
  }
  static std::string with_length(const std::string& status, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nConnection: close\r\n" +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static void send(int client, const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const auto sent = ::send(client, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) return;
      at += static_cast<std::size_t>(sent);
    }
  }

  std::string folder_;
  int listener_ = -1;
  std::atomic<int> asked_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

kept_output output_of(docker_engine& engine, std::size_t bytes_each) {
  auto got = ask<kept_output>([&](auto slot) { engine.output("there", bytes_each, slot); });
  EXPECT_TRUE(got) << got.error().detail;
  return got ? *got : kept_output{};
}

}  // namespace

TEST(RUN14_docker_output, is_kept_at_both_ends_and_begun_anew_after_a_break) {
  const talking_engine there;
  docker_engine engine{{.socket_path = there.socket()}};
  std::string all;
  for (int i = 0; i < talking_engine::lines; ++i) all += std::to_string(i) + "\n";
  all += "FATAL: the reason\n";
  const auto whole = output_of(engine, 1 << 20);
  EXPECT_EQ(there.asked(), 2) << "the first answer broke off";
  EXPECT_TRUE(whole.head == all) << whole.head.size() << " of " << all.size();
  EXPECT_EQ(whole.left_out, 0U);
  const auto ends = output_of(engine, 1000);
  EXPECT_EQ(ends.head, all.substr(0, 1000));
  EXPECT_EQ(ends.tail, all.substr(all.size() - 1000));
  EXPECT_EQ(ends.left_out, all.size() - 2000);
}

TEST(RUN14_docker_output, of_no_container_is_not_found) {
  const talking_engine there;
  docker_engine engine{{.socket_path = there.socket()}};
  for (const auto& [name, code] : {std::pair("gone", "not_found"), std::pair("a/b", "invalid")}) {
    EXPECT_EQ(
        code_of(ask<kept_output>([&, name = name](auto slot) { engine.output(name, 1000, slot); })),
        code);
  }
}
