// Budgets of a tenant for calls of language models.

#include "domain/runs/llm_budget.hpp"

#include "codec/codec.hpp"
#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::accepted;
using steps::id_of;
using steps::take;

llm_budget tokens(std::int64_t most, budget_period period = budget_period::month) {
  llm_budget budget;
  budget.period = period;
  budget.most_tokens = most;
  return budget;
}

llm_budget_list_state with(const std::string& name, const llm_budget& what) {
  llm_budget_list_state list;
  take(list, decide(list, set_llm_budget{name, what}));
  return list;
}

TEST(LLM3_budgets, are_set_changed_and_removed) {
  auto list = with("house", tokens(1000));
  EXPECT_EQ(list.tenant, steps::tenant);
  EXPECT_EQ(list.active, 1U);
  EXPECT_TRUE(decide(list, set_llm_budget{"house", tokens(1000)})->empty()) << "as it is already";
  take(list, decide(list, set_llm_budget{"house", tokens(2000)}));
  EXPECT_EQ(list.find("house")->what.most_tokens, 2000);
  EXPECT_EQ(list.active, 1U);
  take(list, decide(list, remove_llm_budget{"house"}));
  EXPECT_EQ(list.active, 0U);
  EXPECT_FALSE(list.find("house")->is_active);
  EXPECT_TRUE(decide(list, remove_llm_budget{"house"})->empty());
  EXPECT_EQ(steps::code_of(decide(list, remove_llm_budget{"none"})), errc::not_found);
  take(list, decide(list, set_llm_budget{"house", tokens(2000)}));
  EXPECT_EQ(list.active, 1U) << "in force again, though it is the same one";
  EXPECT_EQ(list.find("house")->created_position, 10);
  EXPECT_EQ(list.find("house")->last_position, 40);
}

TEST(LLM3_budgets, that_say_nothing_or_too_much_are_refused) {
  const std::vector<steps::spoilt<set_llm_budget>> rows{
      {accepted, [](auto&) {}},
      {accepted, [](auto& c) { c.what.directive = id_of(1); }},
      {accepted, [](auto& c) { c.what.model = "org/m:1"; }},
      {accepted, [](auto& c) { c.what.most_tokens = 1'000'000'000'000'000; }},
      {accepted, [](auto& c) { c.what.most_tokens.reset(), c.what.most_cost_micros = 1; }},
      {"/name", [](auto& c) { c.name = "a budget"; }},
      {"/model", [](auto& c) { c.what.model = "a model"; }},
      {"/model", [](auto& c) { c.what.model = "m", c.what.directive = id_of(1); }},
      {"/most_tokens", [](auto& c) { c.what.most_tokens.reset(); }},
      {"/most_tokens", [](auto& c) { c.what.most_tokens = 0; }},
      {"/most_tokens", [](auto& c) { c.what.most_tokens = 1'000'000'000'000'001; }},
      {"/most_cost_micros", [](auto& c) { c.what.most_cost_micros = -1; }}};
  for (const auto& row : rows) {
    set_llm_budget c{"house", tokens(1000)};
    row.spoil(c);
    EXPECT_EQ(steps::pointer_of(decide(llm_budget_list_state{}, c)), row.pointer);
  }
}

TEST(LLM3_budgets, of_a_tenant_are_limited) {
  llm_budget_list_state list;
  for (std::size_t i = 0; i < max_llm_budgets; ++i) {
    take(list, decide(list, set_llm_budget{"b" + std::to_string(i), tokens(1)}));
  }
  EXPECT_EQ(steps::code_of(decide(list, set_llm_budget{"more", tokens(1)})), errc::conflict);
  EXPECT_TRUE(decide(list, set_llm_budget{"b1", tokens(2)})) << "one that is there";
  for (std::size_t i = max_llm_budgets; i < max_llm_budget_names; ++i) {
    take(list, decide(list, remove_llm_budget{"b" + std::to_string(i - 1)}));
    take(list, decide(list, set_llm_budget{"b" + std::to_string(i), tokens(1)}));
  }
  take(list, decide(list, remove_llm_budget{"b999"}));
  EXPECT_EQ(steps::code_of(decide(list, set_llm_budget{"new", tokens(1)})), errc::conflict)
      << "names that were removed are kept too";
  EXPECT_TRUE(decide(list, set_llm_budget{"b999", tokens(1)}));
}

TEST(LLM3_budgets, hold_for_the_calls_that_they_are_of) {
  llm_budget_list_state list;
  auto of_directive = tokens(1);
  of_directive.directive = id_of(3);
  auto of_model = tokens(1);
  of_model.model = "m";
  take(list, decide(list, set_llm_budget{"all", tokens(1)}));
  take(list, decide(list, set_llm_budget{"directive", of_directive}));
  take(list, decide(list, set_llm_budget{"model", of_model}));
  take(list, decide(list, set_llm_budget{"gone", tokens(1)}));
  take(list, decide(list, remove_llm_budget{"gone"}));
  const auto names = [&list](const std::optional<uuid>& directive, std::string_view model) {
    std::string all;
    const auto fits = [&](const auto& what) { return counts_to(what, directive, model); };
    for (const auto& one : list.that(fits)) all += one.name + " ";
    return all;
  };
  EXPECT_EQ(names(id_of(3), "m"), "all directive model ");
  EXPECT_EQ(names({}, "m"), "all model ");
  EXPECT_EQ(names(id_of(4), "n"), "all ");
}

TEST(LLM3_periods, begin_at_midnight_of_utc) {
  const auto begin = [](budget_period period, const char* now) {
    return begin_of(period, parse_time(now).value()) * 86'400 * us_per_second;
  };
  EXPECT_EQ(begin(budget_period::day, "2026-11-30T23:59:59.999999Z"),
            parse_time("2026-11-30T00:00:00Z"));
  EXPECT_EQ(begin(budget_period::month, "2026-11-30T23:59:59.999999Z"),
            parse_time("2026-11-01T00:00:00Z"));
  EXPECT_EQ(begin(budget_period::month, "2026-12-01T00:00:00Z"),
            parse_time("2026-12-01T00:00:00Z"));
  EXPECT_EQ(begin(budget_period::month, "2028-02-29T12:00:00Z"),
            parse_time("2028-02-01T00:00:00Z"));
}

TEST(LLM3_budgets, are_spent_at_their_limit_and_exceeded_behind_it) {
  const auto spent = [](std::int64_t total, std::int64_t cost) {
    return llm_sums{1, 0, 0, total, cost, 0};
  };
  auto budget = tokens(100);
  EXPECT_FALSE(is_spent(budget, spent(99, 1000)));
  EXPECT_TRUE(is_spent(budget, spent(100, 0)));
  EXPECT_FALSE(is_exceeded(budget, spent(60, 0), spent(40, 9)));
  EXPECT_TRUE(is_exceeded(budget, spent(60, 0), spent(41, 0)));
  EXPECT_TRUE(is_exceeded(budget, spent(200, 0), spent(0, 0))) << "long since";
  budget.most_cost_micros = 7;
  EXPECT_TRUE(is_spent(budget, spent(0, 7)));
  EXPECT_TRUE(is_exceeded(budget, spent(0, 7), spent(0, 1)));
  EXPECT_FALSE(is_exceeded(budget, spent(0, 6), spent(0, 1)));
}

TEST(LLM3_document, of_a_budget_says_what_it_is_of) {
  EXPECT_EQ(codec::encode_document(document_of(*with("house", tokens(5)).find("house"))),
            R"({"created_at":"1970-01-01T00:00:00.001000Z","created_by":"token:writer",)"
            R"("directive":null,"is_active":true,"model":null,"most_cost_micros":null,)"
            R"("most_tokens":5,"name":"house","period":"month",)"
            R"("updated_at":"1970-01-01T00:00:00.001000Z","updated_by":"token:writer"})");
}

}  // namespace
