// LLM4: what a call came to, from what passed by; and how many an upstream has at once.

#include "api/llm_meter.hpp"

#include "api/llm_places.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

using namespace reeve;
using namespace reeve::api;
using step = llm_meter::step;

namespace {

const std::string chunk = R"({"choices":[{"delta":{"content":"x"}}],"usage":null})";
const std::string last = R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}})";

void expect_sum(const llm_meter& meter, std::int64_t prompt, std::int64_t completion,
                bool is_estimate) {
  EXPECT_EQ(meter.sum(), (llm_metered{prompt, completion, is_estimate}));
}

}  // namespace

TEST(LLM4_meter, takes_the_counts_of_the_last_chunk_and_hides_it) {
  llm_meter meter(100, false);
  EXPECT_EQ(meter.take(chunk), step::pass);
  EXPECT_EQ(meter.take(last), step::drop);
  EXPECT_EQ(meter.take("[DONE]"), step::done);
  expect_sum(meter, 5, 7, false);
  llm_meter wanted(100, true);
  EXPECT_EQ(wanted.take(last), step::pass) << "the client asked for it";
}

TEST(LLM4_meter, hides_no_chunk_that_says_something) {
  llm_meter meter(100, false);
  EXPECT_EQ(meter.take(R"({"choices":[{}],"usage":{"prompt_tokens":5,"completion_tokens":1}})"),
            step::pass);
  EXPECT_EQ(meter.take(R"({"choices":[]})"), step::pass) << "it has no counts";
  EXPECT_EQ(meter.take("[DONE]"), step::done);
  expect_sum(meter, 5, 1, false);
}

TEST(LLM4_meter, estimates_what_was_cut_and_never_to_nothing) {
  llm_meter untouched(401, false);
  expect_sum(untouched, 101, 0, true);
  llm_meter cut(400, false);
  for (int i = 0; i < 3; ++i) cut.take(chunk);
  expect_sum(cut, 100, 3, true);
  // Counts that came with the first chunk are not all.
  llm_meter early(400, false);
  early.take(R"({"choices":[{}],"usage":{"prompt_tokens":5,"completion_tokens":1}})");
  early.take(chunk);
  expect_sum(early, 5, 2, true);
  llm_meter silent(400, false);
  silent.take(chunk);
  silent.take("[DONE]");
  expect_sum(silent, 100, 1, true);
  EXPECT_EQ(tokens_of(0), 0);
  EXPECT_EQ(tokens_of(1), 1);
  EXPECT_EQ(tokens_of(4), 1);
}

/// What is missing is no 0 that the upstream told.
TEST(LLM4_meter, estimates_each_count_that_is_not_told) {
  llm_meter no_completion(400, false);
  for (int i = 0; i < 3; ++i) no_completion.take(chunk);
  EXPECT_EQ(no_completion.take(R"({"choices":[],"usage":{"prompt_tokens":5}})"), step::drop);
  no_completion.take("[DONE]");
  expect_sum(no_completion, 5, 3, true);
  llm_meter no_prompt(400, false);
  no_prompt.take(chunk);
  EXPECT_EQ(no_prompt.take(R"({"choices":[],"usage":{"completion_tokens":7}})"), step::drop);
  no_prompt.take("[DONE]");
  expect_sum(no_prompt, 100, 7, true);
  llm_meter apart(400, false);
  apart.take(R"({"choices":[{}],"usage":{"prompt_tokens":5}})");
  apart.take(R"({"choices":[],"usage":{"completion_tokens":0}})");
  apart.take("[DONE]");
  expect_sum(apart, 5, 0, false);
  EXPECT_EQ(metered_as({5, 7}, estimate_of(4, 1)), (llm_metered{5, 7, false}));
  EXPECT_EQ(metered_as({0, 0}, estimate_of(4, 1)), (llm_metered{0, 0, false})) << "it says so";
  EXPECT_EQ(metered_as({}, estimate_of(4, 1)), (llm_metered{1, 1, true}));
}

/// However few chunks it comes in.
TEST(LLM4_meter, counts_what_a_chunk_says_where_no_counts_are_told) {
  const auto saying = [](const std::string& text) {
    return R"({"choices":[{"delta":{"role":"assistant","content":")" + text + R"("}}]})";
  };
  const auto large = saying(std::string(400'000, 'x'));
  llm_meter silent(400, false);
  EXPECT_EQ(silent.take(large), step::pass);
  silent.take("[DONE]");
  expect_sum(silent, 100, 100'000, true);
  llm_meter cut(400, false);
  cut.take(R"({"choices":[{}],"usage":{"prompt_tokens":5,"completion_tokens":1}})");
  cut.take(large);
  cut.take(saying("abc"));
  expect_sum(cut, 5, 100'001, true);
  llm_meter small(400, false);
  for (int i = 0; i < 4; ++i) small.take(saying("ab"));
  expect_sum(small, 100, 4, true);
  llm_meter told(400, false);
  told.take(large);
  told.take(last);
  told.take("[DONE]");
  expect_sum(told, 5, 7, false);
  // Of no form that is known; and of counts alone, which say nothing.
  llm_meter other(400, true);
  EXPECT_EQ(other.take(R"({"text":")" + std::string(389, 'x') + R"("})"), step::pass);
  expect_sum(other, 100, 100, true);
  other.take(R"({"usage":{"prompt_tokens":5,"completion_tokens":7}})");
  expect_sum(other, 5, 100, true);
}

TEST(LLM4_meter, counts_no_more_than_can_be_recorded) {
  EXPECT_EQ(estimate_of(400, 2 * codec::most_llm_tokens),
            (llm_metered{100, codec::most_llm_tokens, true}));
}

TEST(LLM4_meter, lets_no_error_and_no_other_text_pass) {
  for (const char* bad : {R"({"error":{"message":"of the prompt"}})", "not json", "[]", ""}) {
    llm_meter meter(4, true);
    EXPECT_EQ(meter.take(bad), step::broken) << bad;
  }
}

/// The model has made it, whoever was given it.
TEST(LLM4_meter, counts_the_chunk_that_breaks_a_stream) {
  const auto broken_by = [](const std::string& data) {
    llm_meter meter(400, false);
    EXPECT_EQ(meter.take(chunk), step::pass);
    EXPECT_EQ(meter.take(data), step::broken) << data;
    EXPECT_TRUE(meter.sum().is_estimate);
    EXPECT_EQ(meter.sum().prompt, 100);
    return meter.sum().completion;
  };
  const std::string text(399, 'x');
  EXPECT_EQ(broken_by(text), 100) << "with the one byte before it";
  EXPECT_EQ(broken_by(R"({"choices":[{"text":")" + text + R"("}],"error":{"code":"late"}})"), 100);
  EXPECT_EQ(broken_by(R"({"error":{"message":")" + text + R"("}})"), 1) << "no word of the model";
  EXPECT_EQ(broken_by(R"({"error":{},"usage":{"completion_tokens":7}})"), 7);
  llm_meter cut(400, false);
  cut.take(chunk);
  cut.take_begun(399);
  expect_sum(cut, 100, 100, true);
}

TEST(LLM4_places, are_limited_for_each_upstream_and_for_all) {
  llm_places places(3);
  int calls = 0;
  const auto take = [&](const char* upstream) {
    const auto token = derived_uuid({}, std::to_string(++calls));
    return places.take({upstream, token, nullptr}, 2);
  };
  auto first = take("a"), second = take("a");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(take("a").error().code, errc::overloaded);
  EXPECT_EQ(places.calls_of("a"), 2);
  const auto other = take("b");
  EXPECT_TRUE(other);
  EXPECT_EQ(take("b").error().code, errc::overloaded) << "three in all";
  auto copy = *first;
  first->reset();
  EXPECT_EQ(places.calls_of("a"), 2) << "until the last copy goes";
  copy.reset();
  EXPECT_EQ(places.calls_of("a"), 1);
  EXPECT_TRUE(take("b"));
  EXPECT_EQ(places.calls_of("c"), 0);
}

TEST(LLM4_places, of_one_token_are_half_of_an_upstream_and_a_quarter_of_all) {
  llm_places places(16);
  const auto mine = derived_uuid({}, "mine"), other = derived_uuid({}, "other");
  std::vector<llm_places::place> held;
  const auto take = [&](const char* upstream, const uuid& token) {
    auto got = places.take({upstream, token, nullptr}, 6);
    if (!got) {
      EXPECT_EQ(got.error().code, errc::rate_limited);
      return false;
    }
    held.push_back(std::move(*got));
    return true;
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(take("a", mine));
  EXPECT_FALSE(take("a", mine));
  EXPECT_TRUE(take("a", other));
  EXPECT_TRUE(take("b", mine));
  EXPECT_FALSE(take("c", mine)) << "four of sixteen";
  EXPECT_TRUE(take("c", other));
  held.clear();
  EXPECT_TRUE(take("c", mine));
}

TEST(LLM4_places, end_the_calls_of_a_token_that_is_worth_nothing) {
  llm_places places;
  const auto mine = derived_uuid({}, "mine"), other = derived_uuid({}, "other");
  const auto stopped = std::make_shared<call_stopper>(), goes_on = std::make_shared<call_stopper>(),
             over = std::make_shared<call_stopper>();
  const auto one = places.take({"a", mine, stopped}, 8),
             two = places.take({"a", other, goes_on}, 8);
  places.take({"a", mine, over}, 8).value().reset();
  places.end_of(mine);
  EXPECT_TRUE(stopped->is_stopped());
  EXPECT_FALSE(goes_on->is_stopped());
  EXPECT_FALSE(over->is_stopped());
}
