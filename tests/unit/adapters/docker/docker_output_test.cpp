// The output of a container as it comes from an engine: in pieces, and begun anew when its
// connection broke.

#include "adapters/docker/docker_engine.hpp"
#include "tests/support/environment.hpp"
#include "tests/unit/adapters/engine_calls.hpp"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

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
  int left() const { return left_; }  // followers that have gone

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
      if (request.find("/slow/") != request.npos) {
        trickle(client, 100, 20);
      } else if (request.find("/drop/") != request.npos) {
        trickle(client, 1'000'000, 200);
      } else if (request.find("/endless/") != request.npos) {
        trickle(client, 1'000'000, 20);
      } else if (request.find("/silent/") != request.npos) {
        ++asked_;
        follow(client, false);
      } else if (request.find("/ended/") != request.npos) {
        follow(client, true);
      } else if (request.find("/going/") != request.npos) {
        follow(client, request.find("follow=1") == request.npos);
      } else {
        send(client, answer_to(request));
      }
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
  /// Lines of 64 bytes, until the reader goes.
  void trickle(int client, int pieces, int every_ms) {
    ++asked_;
    send(client, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < pieces && !stopping_; ++i) {
      send(client, chunk(frame(std::string(56, '.') + "line " + std::to_string(i) + "\n")));
      pollfd waiting{client, POLLIN, 0};
      if (::poll(&waiting, 1, every_ms) > 0) return;
    }
    send(client, "0\r\n\r\n");
  }
  /// One that runs says nothing more, and its connection stays.
  void follow(int client, bool is_ended) {
    std::string body = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 3; ++i) body += chunk(frame("line " + std::to_string(i) + "\n"));
    send(client, body + (is_ended ? "0\r\n\r\n" : ""));
    while (!is_ended && !stopping_) {
      pollfd waiting{client, POLLIN, 0};
      if (::poll(&waiting, 1, 20) > 0) break;
    }
    if (!is_ended) ++left_;
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
  std::atomic<int> left_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// Holds what it is given, and is full if a test says so.
class held_lines final : public output_sink {
 public:
  void take(std::vector<log_line> lines) override {
    const std::lock_guard lock(mutex_);
    for (auto& one : lines) all_.push_back(one.text);
  }
  void lost() override {}
  bool is_full() const override { return full; }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  std::atomic<bool> full{false};

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

bool eventually(const std::function<bool()>& holds) {
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(20) * support::time_factor();
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

const std::vector<std::string> three_lines{"line 0", "line 1", "line 2"};

kept_output output_of(docker_engine& engine, std::size_t bytes_each) {
  auto got = ask<kept_output>([&](auto slot) { engine.output("there", bytes_each, {}, slot); });
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

/// Two seconds at the least, in which the engine is never silent for one.
TEST(RUN14_docker_output, is_read_as_long_as_it_flows) {
  const talking_engine there;
  docker_engine engine{{.socket_path = there.socket(),
                        .output_silence_ms = 1000 * support::time_factor(),
                        .output_ms = 60'000 * support::time_factor()}};
  const auto got = ask<kept_output>([&](auto slot) { engine.output("slow", 1 << 20, {}, slot); });
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_TRUE(got->head.ends_with("line 99\n"));
}

TEST(RUN14_docker_output, is_given_up_once_nothing_comes) {
  const talking_engine there;
  docker_engine engine{{.socket_path = there.socket(), .output_silence_ms = 300}};
  EXPECT_EQ(
      code_of(ask<kept_output>([&](auto slot) { engine.output("silent", 1 << 20, {}, slot); })),
      "timed_out");
  EXPECT_EQ(there.asked(), 1) << "what says nothing is not asked again";
}

/// Room is held for all of it while it is read: a line now and then does not hold it for minutes.
TEST(RUN14_docker_output, is_given_up_where_next_to_nothing_comes) {
  const talking_engine there;
  docker_engine engine{{.socket_path = there.socket(), .output_silence_ms = 1000}};
  EXPECT_EQ(code_of(ask<kept_output>([&](auto slot) { engine.output("drop", 1000, {}, slot); })),
            "timed_out");
  EXPECT_EQ(there.asked(), 1);
}

TEST(RUN14_docker_output, is_given_up_in_the_end_though_it_flows) {
  const talking_engine there;
  docker_engine engine{{.socket_path = there.socket(), .output_ms = 700}};
  EXPECT_EQ(
      code_of(ask<kept_output>([&](auto slot) { engine.output("endless", 1 << 20, {}, slot); })),
      "timed_out");
}

TEST(RUN14_docker_output, is_read_no_longer_than_somebody_waits_for_it) {
  const talking_engine there;
  docker_engine engine{{.socket_path = there.socket()}};
  const auto how = std::make_shared<reeve::call_stopper>();
  engine_calls::pending<kept_output> open;
  engine.output("silent", 1 << 20, how, open.slot());
  EXPECT_TRUE(eventually([&] { return there.asked() == 1; }));
  how->stop();
  EXPECT_FALSE(open.take());
  EXPECT_TRUE(eventually([&] { return there.left() == 1; })) << "its connection is closed";
  EXPECT_EQ(there.asked(), 1);
}

TEST(RUN14_docker_output, of_no_container_is_not_found) {
  const talking_engine there;
  docker_engine engine{{.socket_path = there.socket()}};
  for (const auto& [name, code] : {std::pair("gone", "not_found"), std::pair("a/b", "invalid")}) {
    EXPECT_EQ(code_of(ask<kept_output>(
                  [&, name = name](auto slot) { engine.output(name, 1000, {}, slot); })),
              code);
  }
}

TEST(RUN14_docker_output, is_followed_until_the_container_has_ended) {
  const talking_engine there;
  docker_engine engine{{.socket_path = there.socket()}};
  const auto lines = std::make_shared<held_lines>();
  const auto how = std::make_shared<reeve::call_stopper>();
  const auto ended = ask<reeve::done>([&](auto slot) { engine.follow("ended", lines, how, slot); });
  EXPECT_TRUE(ended) << ended.error().detail;
  EXPECT_EQ(lines->all(), three_lines);
  EXPECT_EQ(code_of(ask<reeve::done>([&](auto slot) { engine.follow("a/b", lines, how, slot); })),
            "invalid");
}

TEST(RUN14_docker_output, is_followed_no_longer_than_somebody_reads_it) {
  const talking_engine there;
  docker_engine engine{{.socket_path = there.socket()}};
  const auto lines = std::make_shared<held_lines>();
  const auto how = std::make_shared<reeve::call_stopper>();
  engine_calls::pending<reeve::done> ended;
  engine.follow("going", lines, how, ended.slot());
  EXPECT_TRUE(eventually([&] { return lines->all() == three_lines; }));
  EXPECT_EQ(there.left(), 0);
  how->stop();
  EXPECT_TRUE(ended.take()) << "that it was cut is no fault of the engine's";
  EXPECT_TRUE(eventually([&] { return there.left() == 1; })) << "its connection is closed";
  // What was stopped before it began is not begun, and a full reader can be stopped as well.
  engine_calls::pending<reeve::done> never;
  engine.follow("going", lines, how, never.slot());
  EXPECT_TRUE(never.take());
  const auto full = std::make_shared<held_lines>();
  full->full = true;
  const auto stopper = std::make_shared<reeve::call_stopper>();
  engine_calls::pending<reeve::done> paused;
  engine.follow("going", full, stopper, paused.slot());
  EXPECT_TRUE(eventually([&] { return !full->all().empty(); }));
  stopper->stop();
  EXPECT_TRUE(paused.take());
}
