// LLM4, P22: calls of upstreams of language models, against servers of this test on loopback.

#include "adapters/llm_caller.hpp"

#include "tests/support/temporary_folder.hpp"
#include "tests/unit/adapters/canned_server.hpp"

#include <chrono>
#include <fstream>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using adapters::upstream_answer;
using testing::HasSubstr;
using testing::Not;

template <class T>
class awaited {
 public:
  reply_slot<T> slot() {
    return reply_slot<T>([to = promise_](outcome<T> value) { to->set_value(std::move(value)); });
  }
  outcome<T> get() {
    auto future = promise_->get_future();
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      return reject(errc::internal, "no answer came");
    }
    return future.get();
  }

 private:
  std::shared_ptr<std::promise<outcome<T>>> promise_ = std::make_shared<std::promise<outcome<T>>>();
};

domain::llm_upstream at(const std::string& url) {
  return {"u", url, {"m"}, {}, 8};
}

struct calls {
  explicit calls(
      adapters::llm_caller_limits limits = {},
      std::shared_ptr<adapters::name_lanes> names = std::make_shared<adapters::name_lanes>())
      : caller(limits, std::move(names)) {}

  outcome<upstream_answer> call(const domain::llm_upstream& to, bool streams = false) {
    awaited<upstream_answer> answer;
    caller.call({to, "/chat/completions", body, streams}, stopper, answer.slot());
    return answer.get();
  }
  static outcome<std::string> next(const upstream_answer& of) {
    awaited<std::string> piece;
    of.rest->next(piece.slot());
    return piece.get();
  }
  /// Everything to its end; empty: it broke off.
  static std::string all(const upstream_answer& of) {
    std::string text;
    for (;;) {
      const auto piece = next(of);
      if (!piece) return {};
      if (piece->empty()) return text;
      text += *piece;
    }
  }

  std::shared_ptr<const std::string> body = std::make_shared<const std::string>(R"({"model":"m"})");
  std::shared_ptr<call_stopper> stopper = std::make_shared<call_stopper>();
  adapters::llm_caller caller;
};

const std::string events = "Content-Type: text/event-stream; charset=utf-8\r\n";

TEST(LLM4_call, posts_what_it_is_given_and_gives_what_is_answered) {
  canned_server server(with_body("200 OK", R"({"choices":[]})"));
  calls it;
  const auto got = it.call(at(server.url("localhost")));
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, R"({"choices":[]})");
  EXPECT_FALSE(got->rest);
  EXPECT_THAT(server.asked(), HasSubstr("POST /v1/chat/completions HTTP/1.1\r\n"));
  EXPECT_THAT(server.asked(), HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(server.asked(), HasSubstr("\r\n\r\n{\"model\":\"m\"}"));
  EXPECT_THAT(server.asked(), Not(HasSubstr("Authorization")));
  EXPECT_THAT(server.asked(), Not(HasSubstr("Expect")));
}

TEST(LLM4_call, has_the_key_of_the_upstream) {
  const support::temporary_folder folder;
  canned_server server(with_body("200 OK", "{}"));
  auto upstream = at(server.url());
  upstream.key_file = folder.at("key");
  calls it;
  const auto without = it.call(upstream);
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, errc::unavailable) << "nothing was sent";
  EXPECT_EQ(server.asked(), "");
  std::ofstream(*upstream.key_file) << "sk-1234\n";
  EXPECT_TRUE(it.call(upstream));
  EXPECT_THAT(server.asked(), HasSubstr("Authorization: Bearer sk-1234\r\n"));
}

TEST(P22_call, follows_no_redirect_and_goes_to_no_address_that_is_no_hosts) {
  canned_server other(with_body("200 OK", "{}"));
  canned_server server(with_body("307 Go", "", "Location: " + other.url() + "/x\r\n"));
  calls it;
  const auto got = it.call(at(server.url()));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 307);
  EXPECT_EQ(other.asked(), "");
  for (const char* url : {"http://169.254.169.254/v1", "http://0.0.0.0:1/v1"}) {
    EXPECT_EQ(it.call(at(url)).error().code, errc::unavailable) << url;
  }
}

TEST(LLM4_call, tells_how_long_the_upstream_asks_to_wait) {
  calls it;
  const std::pair<std::string, std::optional<int>> rows[] = {
      {"", std::nullopt},
      {"Retry-After: 17\r\n", 17},
      {"retry-after: 601\r\n", 600},
      {"Retry-After: 9999999999\r\n", 600},
      {"Retry-After: 99999999999999999999\r\n", std::nullopt},
      {"Retry-After: 0\r\n", std::nullopt},
      {"Retry-After: -3\r\n", std::nullopt},
      {"Retry-After: soon\r\n", std::nullopt},
      {"Retry-After: Thu, 31 Dec 2099 23:59:59 GMT\r\n", 600},
      {"Retry-After: Thu, 01 Jan 2015 00:00:00 GMT\r\n", std::nullopt},
      {"retry-after-ms: 1\r\n", 1},
      {"retry-after-ms: 16001\r\n", 17},
      {"retry-after-ms: 9223372036854775807\r\n", 600},
      {"retry-after-ms: 1.5\r\n", std::nullopt},
      {"retry-after-ms: -1\r\n", std::nullopt},
      {"Retry-After: 3\r\nretry-after-ms: 2500\r\n", 3}};
  for (const auto& [fields, wanted] : rows) {
    canned_server server(with_body("429 Too Many Requests", "{}", fields));
    const auto got = it.call(at(server.url()));
    ASSERT_TRUE(got) << fields << got.error().detail;
    EXPECT_EQ(got->status, 429) << fields;
    EXPECT_EQ(got->retry_after_s, wanted) << fields;
  }
  canned_server bare("HTTP/1.1 503 No\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n");
  EXPECT_EQ(it.call(at(bare.url()))->retry_after_s, 5) << "without a body";
}

TEST(LLM4_call, tells_whether_anything_was_sent) {
  calls it;
  std::string gone;
  {
    canned_server server("");
    gone = server.url();
    EXPECT_EQ(it.call(at(server.url())).error().code, errc::invalid) << "it closed at once";
  }
  EXPECT_EQ(it.call(at(gone)).error().code, errc::unavailable);
  canned_server half("HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{");
  EXPECT_EQ(it.call(at(half.url())).error().code, errc::invalid);
}

TEST(LLM4_call, takes_no_more_than_it_may) {
  adapters::llm_caller_limits limits;
  limits.answer_bytes = 1000;
  calls it(limits);
  canned_server fits(with_body("200 OK", std::string(1000, 'x')));
  EXPECT_TRUE(it.call(at(fits.url())));
  canned_server large(with_body("200 OK", std::string(1001, 'x')));
  const auto cut = it.call(at(large.url()));
  ASSERT_TRUE(cut) << cut.error().detail;
  EXPECT_TRUE(cut->is_cut) << "what has come can be counted";
  EXPECT_LE(cut->body.size(), 1000U);
  canned_server refusal(with_body("400 No", std::string(70'000, 'x')));
  EXPECT_EQ(it.call(at(refusal.url())).error().detail, "its answer is too large");
  limits.answers_bytes = 500;
  calls few(limits);
  const auto crowded = few.call(at(fits.url()));
  ASSERT_TRUE(crowded) << crowded.error().detail;
  EXPECT_TRUE(crowded->is_cut) << "all answers together have no more room";
}

TEST(LLM4_call, gives_events_piece_by_piece) {
  canned_server server("HTTP/1.1 200 OK\r\n" + events +
                       "Connection: close\r\n\r\ndata: a\n\ndata: b\n\n");
  calls it;
  const auto got = it.call(at(server.url()), true);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->status, 200);
  ASSERT_TRUE(got->rest);
  EXPECT_EQ(it.all(*got), "data: a\n\ndata: b\n\n");
  EXPECT_EQ(it.next(*got)->size(), 0U) << "the end stays the end";
  EXPECT_THAT(server.asked(), HasSubstr("Accept: text/event-stream\r\n"));
  // Neither a refusal nor what is no events comes in pieces.
  canned_server refusal(with_body("429 No", "data: x\n\n", events));
  EXPECT_EQ(it.call(at(refusal.url()), true)->body, "data: x\n\n");
  canned_server whole(with_body("200 OK", "{}"));
  EXPECT_EQ(it.call(at(whole.url()), true)->body, "{}");
}

TEST(LLM4_call, lets_the_upstream_wait_for_its_reader) {
  std::string text;
  while (text.size() < (std::size_t{4} << 20)) {
    text += "data: " + std::to_string(text.size()) + "\n\n";
  }
  canned_server server(with_body("200 OK", text, events));
  adapters::llm_caller_limits limits;
  limits.unread_bytes = 1000;
  calls it(limits);
  const auto got = it.call(at(server.url()), true);
  ASSERT_TRUE(got);
  EXPECT_EQ(it.all(*got), text);
}

TEST(LLM4_call, that_breaks_off_in_its_midst_says_so) {
  canned_server server("HTTP/1.1 200 OK\r\n" + events +
                       "Content-Length: 99\r\nConnection: close\r\n\r\ndata: a\n\n");
  calls it;
  const auto got = it.call(at(server.url()), true);
  ASSERT_TRUE(got);
  EXPECT_EQ(*it.next(*got), "data: a\n\n");
  const auto end = it.next(*got);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, errc::invalid);
}

TEST(LLM4_call, that_nobody_wants_any_more_ends) {
  calls it;
  {
    canned_server silent("", true);
    awaited<upstream_answer> answer;
    it.caller.call({at(silent.url()), "/x", it.body, false}, it.stopper, answer.slot());
    it.stopper->stop();
    EXPECT_FALSE(answer.get());
    awaited<upstream_answer> never;
    it.caller.call({at(silent.url()), "/x", it.body, false}, it.stopper, never.slot());
    EXPECT_EQ(never.get().error().code, errc::unavailable);
  }
  it.stopper = std::make_shared<call_stopper>();
  {
    canned_server endless("HTTP/1.1 200 OK\r\n" + events + "\r\ndata: a\n\n", true);
    auto got = it.call(at(endless.url()), true);
    ASSERT_TRUE(got);
    EXPECT_EQ(*it.next(*got), "data: a\n\n");
    awaited<std::string> piece;
    got->rest->next(piece.slot());
    got->rest->cancel();
    EXPECT_FALSE(piece.get());
    // The server goes only when its peer has closed.
  }
}

TEST(LLM4_call, is_answered_when_the_caller_goes) {
  canned_server silent("", true);
  awaited<upstream_answer> answer;
  {
    calls it;
    it.caller.call({at(silent.url()), "/x", it.body, false}, it.stopper, answer.slot());
  }
  EXPECT_FALSE(answer.get());
}

TEST(LLM4_call, has_a_time_to_answer_in) {
  canned_server silent("", true);
  adapters::llm_caller_limits limits;
  limits.answer_within_s = 1;
  calls it(limits);
  EXPECT_EQ(it.call(at(silent.url())).error().code, errc::timed_out);
}

}  // namespace
