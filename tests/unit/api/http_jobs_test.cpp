// LLM4: the socket on which jobs come in: who asks nothing more is still answered, who is gone ends
// his call, and nothing that is known there is known elsewhere.

#include "tests/support/temporary_folder.hpp"
#include "tests/unit/api/gateway_fixture.hpp"

#include <atomic>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/un.h>
#include <vector>

using namespace gateway_fixture;

namespace {

/// One chunk.
class brief_stream final : public body_stream {
 public:
  void next(reply_slot<std::string> slot) override { slot.answer(std::exchange(left_, {})); }
  void cancel() override { cancelled = true; }
  std::atomic<bool> cancelled{false};

 private:
  std::string left_ = "piece";
};

/// A server with POST /llm/v1/x, which answers when the test does, and GET /other.
class jobs_server {
 public:
  explicit jobs_server(const server_options& options = {}) {
    auto made = basic_routes();
    made.push_back(simple(
        method::post, "/llm/v1/x",
        [this](const request& asked, const responder& slot) {
          const std::lock_guard lock(mutex_);
          stopper_ = asked.stopper;
          takes_streams_ = asked.takes_streams;
          slot_ = slot;
          all_.push_back(slot);
        },
        api::access::operator_));
    made.back().relays = true;
    made.back().max_body_bytes = 100;
    table_.emplace(router::make(std::move(made)).value());
    gateway_hooks hooks;
    hooks.authenticate = known_token;
    hooks.authenticate_job = [](std::string_view token) {
      auto who = token.starts_with("job") ? known_token("operator") : std::nullopt;
      if (who && token != "job") who->tenant = who->token_id = derived_uuid({}, token);
      return who;
    };
    hooks.denied = [this](const denial& what) {
      const std::lock_guard lock(mutex_);
      denials_.push_back(what);
    };
    server_ = std::make_unique<http_server>(options, *table_, hooks, real_ids(), metrics_);
    port_ = server_->listen().value();
    thread_ = std::thread([this] { server_->run(); });
    const auto ok = server_->listen_for_jobs(path());
    EXPECT_TRUE(ok) << ok.error().detail;
  }
  ~jobs_server() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
  }
  std::string path() const { return folder_.at("s"); }
  std::uint16_t port() const { return port_; }
  void drain() {
    server_->begin_drain();
    thread_.join();
  }

  bool has_come() {
    const std::lock_guard lock(mutex_);
    return static_cast<bool>(slot_);
  }
  std::size_t calls() {
    const std::lock_guard lock(mutex_);
    return all_.size();
  }
  bool is_stopped() {
    const std::lock_guard lock(mutex_);
    return stopper_ && stopper_->is_stopped();
  }
  bool takes_streams() {
    const std::lock_guard lock(mutex_);
    return takes_streams_;
  }
  void answer(const std::string& text) { answer_with(text_response(text)); }
  void answer_with(outcome<response> what) {
    const std::lock_guard lock(mutex_);
    std::exchange(slot_, {}).answer(std::move(what));
  }
  std::vector<denial> denials() {
    const std::lock_guard lock(mutex_);
    return denials_;
  }

  /// Connected through the socket.
  int connect() const {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path().copy(to.sun_path, sizeof to.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return fd;
    ::close(fd);
    return -1;
  }

 private:
  const support::temporary_folder folder_;
  metrics_registry metrics_;
  std::optional<router> table_;
  std::unique_ptr<http_server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::shared_ptr<call_stopper> stopper_;
  bool takes_streams_ = true;
  responder slot_;
  std::vector<responder> all_;
  std::vector<denial> denials_;
};

std::string asking(const std::string& token, const std::string& line = "POST /llm/v1/x") {
  const std::string body = line.starts_with("POST") ? "{}" : "";
  return line + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token +
         "\r\nConnection: close\r\n" +
         (body.empty() ? "" : "Content-Type: application/json\r\nContent-Length: 2\r\n") + "\r\n" +
         body;
}

void say(int fd, const std::string& text) {
  EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

std::string hear_all(int fd) {
  std::string all, piece(4096, '\0');
  pollfd one{fd, POLLIN, 0};
  while (::poll(&one, 1, 5000) > 0) {
    const auto got = ::recv(fd, piece.data(), piece.size(), 0);
    if (got <= 0) break;
    all.append(piece, 0, static_cast<std::size_t>(got));
  }
  return all;
}

}  // namespace

TEST(LLM4_jobs_socket, answers_who_asks_nothing_more) {
  jobs_server it;
  const int fd = it.connect();
  ASSERT_GE(fd, 0);
  say(fd, asking("job"));
  ::shutdown(fd, SHUT_WR);
  ASSERT_TRUE(eventually([&] { return it.has_come(); }));
  // Time enough to see the end of what he sends.
  pollfd one{fd, POLLIN, 0};
  EXPECT_EQ(::poll(&one, 1, 100), 0);
  EXPECT_FALSE(it.is_stopped());
  it.answer("well");
  const auto got = hear_all(fd);
  EXPECT_NE(got.find(" 200 "), got.npos) << got;
  EXPECT_TRUE(got.ends_with("well")) << got;
  ::close(fd);
}

TEST(LLM4_jobs_socket, stops_the_call_of_who_is_gone) {
  jobs_server it;
  for (const bool asks_no_more_before : {false, true}) {
    const int fd = it.connect();
    say(fd, asking("job"));
    if (asks_no_more_before) ::shutdown(fd, SHUT_WR);
    ASSERT_TRUE(eventually([&] { return it.has_come(); }));
    pollfd one{fd, POLLIN, 0};
    EXPECT_EQ(::poll(&one, 1, 50), 0);
    ::close(fd);
    EXPECT_TRUE(eventually([&] { return it.is_stopped(); })) << asks_no_more_before;
    it.answer("late");
  }
}

/// It cannot be reset, so that one which is cut would look whole.
TEST(LLM4_jobs_socket, sends_streams_to_http_1_1_alone) {
  jobs_server it;
  for (const bool is_old : {false, true}) {
    auto asked = asking("job");
    if (is_old) asked.replace(asked.find("HTTP/1.1"), 8, "HTTP/1.0");
    const int fd = it.connect();
    say(fd, asked);
    ASSERT_TRUE(eventually([&] { return it.has_come(); }));
    EXPECT_EQ(it.takes_streams(), !is_old) << "the handler knows before";
    const auto stream = std::make_shared<brief_stream>();
    response made;
    made.content_type = "text/event-stream";
    made.stream = stream;
    it.answer_with(std::move(made));
    const auto got = hear_all(fd);
    ::close(fd);
    EXPECT_EQ(got.find(" 400 ") != got.npos, is_old) << got;
    EXPECT_EQ(got.find("piece") == got.npos, is_old) << got;
    EXPECT_EQ(stream->cancelled.load(), is_old);
  }
}

TEST(P17_jobs_socket, leaves_jobs_of_one_tenant_the_room_that_others_do_not_take) {
  server_options few;
  few.limits.in_flight = 4;
  jobs_server it(few);
  std::vector<int> all;
  for (const char* token : {"job-1", "job-2", "job-3", "job-4"}) {
    all.push_back(it.connect());
    say(all.back(), asking(token));
    EXPECT_TRUE(eventually([&] { return it.calls() == all.size(); })) << token;
  }
  for (const int fd : all) ::close(fd);
}

/// Whose attempt is over is told by the handler.
TEST(P17_jobs_socket, tells_of_tokens_that_the_handler_refuses) {
  jobs_server it;
  const int fd = it.connect();
  say(fd, asking("job"));
  ASSERT_TRUE(eventually([&] { return it.has_come(); }));
  it.answer_with(reject(errc::unauthenticated, "over"));
  EXPECT_NE(hear_all(fd).find(" 401 "), std::string::npos);
  ::close(fd);
  const auto told = it.denials();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].code, errc::unauthenticated);
  ASSERT_TRUE(told[0].who);
  EXPECT_EQ(told[0].who->principal, "token:operator");
}

TEST(P17_jobs_socket, knows_no_other_tokens_and_no_other_routes) {
  jobs_server it;
  const auto status = [&](const std::string& asked) {
    const int fd = it.connect();
    say(fd, asked);
    const auto got = hear_all(fd);
    ::close(fd);
    return got.substr(0, 12);
  };
  EXPECT_EQ(status(asking("operator")), "HTTP/1.1 401");
  EXPECT_EQ(status(asking("admin")), "HTTP/1.1 401");
  EXPECT_EQ(status(asking("job", "GET /healthz")), "HTTP/1.1 404");
  EXPECT_EQ(status(asking("nobody", "GET /healthz")), "HTTP/1.1 401");
  raw_client open(it.port());
  ASSERT_TRUE(open.send(asking("job")));
  EXPECT_EQ(open.read_answer().status, 401) << "a job's token is worth something there alone";
}

TEST(LLM4_jobs_socket, goes_with_the_server) {
  jobs_server it;
  EXPECT_TRUE(std::filesystem::exists(it.path()));
  it.drain();
  EXPECT_FALSE(std::filesystem::exists(it.path()));
  EXPECT_LT(it.connect(), 0);
}
