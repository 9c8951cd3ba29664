// LLM4: which upstream a call goes to.

#include "domain/runs/llm_router.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::domain;

llm_upstream_view upstream(const std::string& name, std::vector<std::string> models = {"m"}) {
  llm_upstream_view view;
  view.what = {name, "http://127.0.0.1/v1", std::move(models), {}, 4};
  view.health.answered(10);
  return view;
}

std::string chosen(const llm_routing& routing) {
  return routing.chosen ? routing.candidates[*routing.chosen].upstream : "";
}

TEST(LLM4_router, takes_the_one_with_the_most_room_that_serves_the_model) {
  auto a = upstream("a"), b = upstream("b"), c = upstream("c", {"n"});
  a.calls = 2;
  b.calls = 1;
  const auto routing = route_of({a, b, c}, "m", false);
  EXPECT_EQ(chosen(routing), "b");
  EXPECT_EQ(routing.reason, "highest_score");
  ASSERT_EQ(routing.candidates.size(), 2U) << "c does not serve it";
  EXPECT_GT(routing.candidates[1].score, routing.candidates[0].score);
  for (const auto& one : routing.candidates) {
    EXPECT_GE(one.score, 0);
    EXPECT_LE(one.score, 1);
  }
  const auto only = route_of({a, b, c}, "n", false);
  EXPECT_EQ(chosen(only), "c");
  EXPECT_EQ(only.reason, "only_one");
}

TEST(LLM4_router, takes_the_quicker_one_and_of_equals_the_first) {
  auto a = upstream("a"), b = upstream("b");
  EXPECT_EQ(chosen(route_of({a, b}, "m", false)), "a");
  EXPECT_EQ(chosen(route_of({b, a}, "m", false)), "b");
  a.health.answered(900);
  EXPECT_EQ(chosen(route_of({a, b}, "m", false)), "b");
}

TEST(LLM4_router, says_why_there_is_none) {
  auto away = upstream("away"), full = upstream("full"), fresh = upstream("fresh");
  away.health.failed();
  away.health.failed();
  full.calls = 4;
  fresh.health = {};
  const auto reason = [](const std::vector<llm_upstream_view>& all, bool is_spent = false,
                         const std::string& model = "m") {
    const auto routing = route_of(all, model, is_spent);
    EXPECT_FALSE(routing.chosen);
    return std::string(routing.reason);
  };
  EXPECT_EQ(reason({}), "no_upstream");
  EXPECT_EQ(reason({upstream("a")}, false, "x"), "no_upstream");
  EXPECT_EQ(reason({upstream("a")}, true), "budget_spent");
  EXPECT_EQ(reason({upstream("a")}, true, "x"), "no_upstream") << "a budget makes no model";
  EXPECT_EQ(reason({away, fresh}), "none_answers");
  EXPECT_EQ(reason({away, full}), "all_full");
  const auto routing = route_of({away, full, fresh, upstream("a")}, "m", false);
  EXPECT_EQ(chosen(routing), "a");
  EXPECT_EQ(routing.reason, "only_one");
  const llm_verdict expected[] = {llm_verdict::unhealthy, llm_verdict::full, llm_verdict::unknown,
                                  llm_verdict::possible};
  ASSERT_EQ(routing.candidates.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(routing.candidates[i].verdict, expected[i]) << i;
}

TEST(LLM4_router, weighs_whatever_scorers_it_is_given) {
  const auto by_name = [](const char* name) {
    return [name](const llm_upstream_view& one, std::string_view model) {
      EXPECT_EQ(model, "m");
      return one.what.name == name ? 7.0 : -7.0;  // beyond the range counts as its end
    };
  };
  const std::vector<llm_scorer> scorers{{"a", 1, by_name("a")}, {"b", 3, by_name("b")}};
  const auto routing = route_of({upstream("a"), upstream("b")}, "m", false, scorers);
  EXPECT_EQ(chosen(routing), "b");
  EXPECT_DOUBLE_EQ(routing.candidates[0].score, 0.25);
  EXPECT_DOUBLE_EQ(routing.candidates[1].score, 0.75);
  EXPECT_EQ(chosen(route_of({upstream("a"), upstream("b")}, "m", false, {})), "a");
}

TEST(LLM4_health, takes_two_failures_in_a_row_or_the_first_look) {
  llm_health fresh;
  fresh.failed();
  EXPECT_TRUE(fresh.is_known);
  EXPECT_FALSE(fresh.is_healthy) << "it has never answered";
  fresh.answered(5);
  EXPECT_TRUE(fresh.is_healthy);
  EXPECT_EQ(fresh.latency_ms, 5);
  fresh.failed();
  EXPECT_TRUE(fresh.is_healthy) << "one lost look";
  fresh.answered(6);
  fresh.failed();
  EXPECT_TRUE(fresh.is_healthy) << "in a row";
  fresh.failed();
  EXPECT_FALSE(fresh.is_healthy);
  EXPECT_EQ(fresh.latency_ms, 6);
}

TEST(LLM4_models, are_each_told_once) {
  EXPECT_EQ(models_of({upstream("a", {"m", "n"}), upstream("b", {"l", "m"})}),
            (std::vector<std::string>{"l", "m", "n"}));
  EXPECT_TRUE(models_of({}).empty());
}

}  // namespace
