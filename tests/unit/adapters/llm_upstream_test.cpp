// P22, LLM4: looks at an upstream, against servers of this test on loopback.

#include "adapters/llm_upstream.hpp"

#include "adapters/llm_watch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/adapters/canned_server.hpp"

#include <condition_variable>
#include <fstream>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>

namespace {

using namespace reeve;
using testing::HasSubstr;
using testing::Not;

domain::llm_upstream upstream_at(const std::string& url) {
  return {"u", url, {"m"}, {}, 8};
}

outcome<std::int64_t> look_at(const domain::llm_upstream& upstream, bool may_send_plain) {
  const auto url = domain::parse_url(upstream.url);
  const auto where = adapters::pin_address(url->host, url->port);
  if (!where) return where.error();
  return adapters::look_at_upstream(upstream, *where, may_send_plain);
}

TEST(LLM4_look, is_answered_by_a_server_that_works) {
  canned_server server(with_body("200 OK", R"({"data":[]})"));
  const auto ms = look_at(upstream_at(server.url()), false);
  ASSERT_TRUE(ms) << ms.error().detail;
  EXPECT_GE(*ms, 0);
  EXPECT_THAT(server.asked(), HasSubstr("GET /v1/models HTTP/1.1\r\n"));
  EXPECT_THAT(server.asked(), Not(HasSubstr("Authorization")));
}

TEST(P22_look, takes_a_name_for_the_address_that_it_was_looked_up_at) {
  canned_server server(with_body("200 OK", "{}"));
  EXPECT_TRUE(look_at(upstream_at(server.url("localhost")), false));
  EXPECT_THAT(server.asked(), HasSubstr("Host: localhost:"));
}

TEST(P22_look, follows_no_redirect) {
  canned_server other(with_body("200 OK", "{}"));
  canned_server server(with_body("302 Found", "", "Location: " + other.url() + "/models\r\n"));
  const auto refused = look_at(upstream_at(server.url()), false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, "it answers 302");
  EXPECT_EQ(other.asked(), "");
}

TEST(P22_look, tells_nothing_of_what_it_was_answered_and_reads_no_more_than_a_mib) {
  canned_server rude(with_body("500 Zqx7-secret", "Zqx7-secret"));
  const auto failed = look_at(upstream_at(rude.url()), false);
  EXPECT_EQ(failed.error().detail, "it answers 500");
  canned_server endless(with_body("200 OK", std::string(3 << 20, 'x')));
  EXPECT_EQ(look_at(upstream_at(endless.url()), false).error().detail, "its answer is too large");
  canned_server none("");
  EXPECT_EQ(look_at(upstream_at(none.url()), false).error().code, errc::unavailable);
}

TEST(P22_look, goes_to_no_address_that_is_no_hosts) {
  for (const char* url : {"http://169.254.169.254/v1", "http://0.0.0.0:1/v1", "http://[fe80::1]/v1",
                          "http://224.0.0.1/v1"}) {
    EXPECT_EQ(look_at(upstream_at(url), true).error().code, errc::invalid) << url;
  }
}

TEST(LLM4_look, sends_the_first_line_of_the_key_file) {
  const support::temporary_folder folder;
  canned_server server(with_body("200 OK", "{}"));
  auto upstream = upstream_at(server.url());
  upstream.key_file = folder.at("key");
  const auto look = [&](const std::string& text) {
    std::ofstream(*upstream.key_file) << text;
    return look_at(upstream, false);
  };
  EXPECT_FALSE(look_at(upstream, false)) << "there is no such file";
  EXPECT_TRUE(look("sk-1234\nmore\n"));
  EXPECT_THAT(server.asked(), HasSubstr("Authorization: Bearer sk-1234\r\n"));
  EXPECT_THAT(server.asked(), Not(HasSubstr("more")));
  for (const char* text : {"", "\n", "a b\n", "sk\t1\n"}) {
    const auto refused = look(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().detail, "its key_file holds no key in its first line");
  }
  // Beyond this machine it would travel in clear: nothing is connected to.
  upstream.url = "http://192.0.2.1/v1";
  std::ofstream(*upstream.key_file) << "sk-1234\n";
  EXPECT_EQ(look_at(upstream, false).error().detail, "its key would travel in clear: use https");
}

/// Answers as it is told to, and lets a test wait for so many looks.
class told_looks {
 public:
  outcome<std::int64_t> look(const domain::llm_upstream& upstream) {
    const std::lock_guard lock(mutex_);
    ++looks_;
    changed_.notify_all();
    if (upstream.name == "away" || fails_) return reject(errc::unavailable, "it is away");
    return std::int64_t{7};
  }
  void fail() {
    const std::lock_guard lock(mutex_);
    fails_ = true;
  }
  bool await_further(int count) {
    std::unique_lock lock(mutex_);
    const int wanted = looks_ + count;
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return looks_ >= wanted; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int looks_ = 0;
  bool fails_ = false;
};

/// Looks by what it is told, at names that are found at once but for "hangs".
class watched {
 public:
  explicit watched(std::vector<domain::llm_upstream> upstreams)
      : watch(
            std::move(upstreams), names,
            [this](const auto& one, const auto&) { return told.look(one); },
            std::chrono::milliseconds(1)) {}
  ~watched() { let_go->set_value(); }

  told_looks told;
  std::shared_ptr<std::promise<void>> let_go = std::make_shared<std::promise<void>>();
  std::shared_ptr<adapters::name_lanes> names = std::make_shared<adapters::name_lanes>(
      [wait = let_go->get_future().share(), keep = let_go](const std::string& host) {
        if (host == "hangs") wait.wait();
        return adapters::pin_address("127.0.0.1", 0);
      });
  adapters::llm_watch watch;
};

TEST(LLM4_watch, looks_at_each_again_and_again) {
  auto away = upstream_at("http://127.0.0.1/v1"), here = away;
  away.name = "away";
  here.name = "here";
  watched it({away, here});
  ASSERT_TRUE(it.told.await_further(6));
  auto views = it.watch.views();
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].what.name, "away");
  EXPECT_TRUE(views[0].health.is_known);
  EXPECT_FALSE(views[0].health.is_healthy);
  EXPECT_TRUE(views[1].health.is_healthy);
  EXPECT_EQ(views[1].health.latency_ms, 7);
  it.told.fail();
  ASSERT_TRUE(it.told.await_further(8));
  EXPECT_FALSE(it.watch.views()[1].health.is_healthy);
}

TEST(LLM4_watch, looks_at_others_while_a_name_is_not_found) {
  auto hangs = upstream_at("http://hangs/v1"), here = at("http://here/v1");
  hangs.name = "hangs";
  here.name = "here";
  watched it({hangs, here});
  ASSERT_TRUE(it.told.await_further(50));
  EXPECT_TRUE(it.watch.views()[1].health.is_healthy);
  // By its own deadline it is one that does not answer, though nobody could look at it.
  const auto by = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!it.watch.views()[0].health.is_known && std::chrono::steady_clock::now() < by) {
    ASSERT_TRUE(it.told.await_further(1));
  }
  EXPECT_TRUE(it.watch.views()[0].health.is_known);
  EXPECT_FALSE(it.watch.views()[0].health.is_healthy);
}

}  // namespace
