// Records of LLM calls: numbers that add up, and no room for a sentence.

#include "domain/runs/llm.hpp"

#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::accepted;
using steps::id_of;

constexpr std::int64_t most = 1'000'000'000;

llm_call_request call(std::int64_t prompt = 150, std::int64_t completion = 300) {
  llm_call_request c;
  c.model_name = "vendor/model-1:latest";
  c.prompt_tokens = prompt;
  c.completion_tokens = completion;
  return c;
}

auto record(const llm_call_request& c, int id = 5) {
  return decide(llm_usage_state{}, record_llm_call{id_of(id), id_of(6), id_of(7), c});
}

TEST(LLM1_record, keeps_the_counts_and_makes_their_sum) {
  auto c = call();
  c.latency_ms = 12;
  const auto events = record(c);
  ASSERT_TRUE(events);
  const llm_call_recorded expected{id_of(5), id_of(6), id_of(7), c.model_name, 150, 300, 450, 12};
  EXPECT_EQ(*events, std::vector<llm_event>{expected});
}

TEST(LLM1_record, adds_up_over_the_calls_of_a_job) {
  llm_usage_state usage;
  steps::take(usage, record(call()));
  steps::take(usage, record(call(1, 0), 8));
  EXPECT_EQ(usage.totals, (llm_totals{2, 151, 300, 451}));
  EXPECT_EQ(usage.job, id_of(6));
  EXPECT_EQ(usage.run, id_of(7));
  EXPECT_EQ(usage.tenant, steps::tenant);
  EXPECT_EQ(usage.last_call->id, id_of(8));
  EXPECT_EQ(usage.last_at, 2000);
}

TEST(LLM1_record, refuses_numbers_that_do_not_fit) {
  const std::vector<steps::spoilt<llm_call_request>> rows{
      {accepted, [](auto&) {}},
      {accepted, [](auto& c) { c = call(0, 0); }},
      {accepted, [](auto& c) { c = call(most, most), c.total_tokens = 2 * most; }},
      {accepted, [](auto& c) { c.total_tokens = 450; }},
      {"/prompt_tokens", [](auto& c) { c.prompt_tokens = -1; }},
      {"/prompt_tokens", [](auto& c) { c.prompt_tokens = most + 1; }},
      {"/completion_tokens", [](auto& c) { c.completion_tokens = -1; }},
      {"/completion_tokens", [](auto& c) { c.completion_tokens = most + 1; }},
      {"/total_tokens", [](auto& c) { c.total_tokens = 449; }},
      {"/total_tokens", [](auto& c) { c.total_tokens = -450; }},
      {"/latency_ms", [](auto& c) { c.latency_ms = -1; }},
      {"/latency_ms", [](auto& c) { c.latency_ms = 86'400'001; }},
      {accepted, [](auto& c) { c.latency_ms = 86'400'000; }}};
  for (const auto& row : rows) {
    auto c = call();
    row.spoil(c);
    EXPECT_EQ(steps::pointer_of(record(c)), row.pointer);
  }
}

TEST(LLM2_model_name, is_an_identifier_and_never_a_sentence) {
  const std::string longest(128, 'm');
  for (const std::string good :
       {"m", "gpt-4.1", "org/model:8b-q4_K@v1", "2b+vision", longest.c_str()}) {
    auto c = call();
    c.model_name = good;
    EXPECT_EQ(steps::pointer_of(record(c)), accepted) << good;
  }
  for (const std::string& bad :
       {std::string(), longest + "m", std::string("summarise this please"), std::string("a\tb"),
        std::string("a\nb"), std::string("-m"), std::string("/m"), std::string("m\0x", 3),
        std::string("modèle"), std::string("m;n"), std::string("\"m\""), std::string("m,n")}) {
    auto c = call();
    c.model_name = bad;
    const auto refused = record(c);
    EXPECT_EQ(steps::pointer_of(refused), "/model_name") << bad;
    if (!refused && bad.size() > 1) {
      EXPECT_EQ(refused.error().detail.find(bad), std::string::npos);
    }
  }
}

TEST(LLM1_cost, is_of_the_price_when_it_was_recorded_rounded_up_once) {
  auto priced = record_llm_call{id_of(5), id_of(6), id_of(7), call(150, 300)};
  EXPECT_FALSE(std::get<llm_call_recorded>(decide(llm_usage_state{}, priced)->at(0)).cost_micros);
  priced.price = llm_price{2'000'000, 8'000'000};
  priced.directive = id_of(9);
  const auto events = decide(llm_usage_state{}, priced);
  ASSERT_TRUE(events);
  const auto& made = std::get<llm_call_recorded>(events->at(0));
  EXPECT_EQ(made.cost_micros, 150 * 2 + 300 * 8);
  EXPECT_EQ(made.directive, id_of(9));
  EXPECT_EQ(document_of(made, 1).cost_micros, made.cost_micros);
  EXPECT_EQ(cost_of({0, 0}, 7, 7), 0);
  EXPECT_EQ(cost_of({1, 1}, 1, 0), 1) << "never less than it costs";
  EXPECT_EQ(cost_of({1, 1}, 500'000, 500'000), 1);
  EXPECT_EQ(cost_of({most_micros_per_million, most_micros_per_million}, most, most),
            2'000'000'000'000);
}

TEST(LLM3_budgets, mark_a_call_and_refuse_none) {
  auto call_of = record_llm_call{id_of(5), id_of(6), id_of(7), call(150, 300)};
  call_of.price = llm_price{1'000'000, 1'000'000};
  EXPECT_EQ(sums_of(call_of), (llm_sums{1, 150, 300, 450, 450, 0}));
  llm_usage_state usage;
  steps::take(usage, decide(usage, call_of));
  EXPECT_FALSE(usage.last_call->over_budget) << "nothing is written of what does not hold";
  EXPECT_FALSE(document_of(*usage.last_call, 1).over_budget);
  call_of.over_budget = true;
  steps::take(usage, decide(usage, call_of));
  EXPECT_EQ(usage.last_call->over_budget, true);
  EXPECT_TRUE(document_of(*usage.last_call, 1).over_budget);
  ASSERT_EQ(usage.lines.size(), 1U);
  EXPECT_EQ(usage.lines.begin()->second.totals.calls, 2);
  EXPECT_EQ(usage.lines.begin()->second.over_budget_calls, 1);
  call_of.counts.prompt_tokens = -1;
  EXPECT_EQ(sums_of(call_of), llm_sums{}) << "it is refused anyway";
}

TEST(LLM3_days, are_those_of_utc) {
  const auto at = [](const char* text) { return day_of(parse_time(text).value()); };
  EXPECT_EQ(at("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(at("1970-01-01T23:59:59.999999Z"), 0);
  EXPECT_EQ(at("1970-01-02T00:00:00Z"), 1);
  EXPECT_EQ(day_of(-1), -1);
  EXPECT_EQ(day_of(begin_of_day(-1)), -1);
  EXPECT_EQ(day_of(begin_of_day(20'000)), 20'000);
}

/// A call of a model at a time, as the log tells it.
void recorded(llm_usage_state& usage, const std::string& model, time_us at,
              std::optional<uuid> directive = {}) {
  llm_call_recorded e{id_of(5), id_of(6), id_of(7), model, 1, 2, 3, {}};
  e.directive = directive;
  e.cost_micros = 10;
  auto context = steps::next_context(usage);
  context.stamp.recorded_at_us = at;
  evolve(usage, e, context);
}

TEST(LLM3_lines, are_of_a_model_and_a_day) {
  llm_usage_state usage;
  recorded(usage, "a", begin_of_day(3));
  recorded(usage, "b", begin_of_day(3));
  recorded(usage, "a", begin_of_day(4) - 1, id_of(9));
  recorded(usage, "a", begin_of_day(4));
  ASSERT_EQ(usage.lines.size(), 3U);
  const auto* twice = usage.lines.find(llm_line_key{3, "a"});
  ASSERT_NE(twice, nullptr);
  EXPECT_EQ(twice->totals, (llm_totals{2, 2, 4, 6}));
  EXPECT_EQ(twice->cost_micros, 20);
  EXPECT_EQ(twice->directive, id_of(9)) << "older calls do not say it";
  EXPECT_EQ(twice->created_position, 10);
  EXPECT_EQ(twice->last_position, 30);
  EXPECT_EQ(usage.lines.find(llm_line_key{4, "a"})->totals.calls, 1);
}

TEST(LLM4_record, keeps_where_a_call_went_and_why) {
  record_llm_call what{id_of(5), no_job_of(id_of(1), 20787), {}, call()};
  what.upstream = "a";
  what.reason = "only_one";
  what.is_estimate = true;
  EXPECT_EQ(what.subject(), what.job);
  const auto events = decide(llm_usage_state{}, what);
  ASSERT_TRUE(events);
  const auto& made = std::get<llm_call_recorded>(events->at(0));
  EXPECT_EQ(made.upstream, "a");
  EXPECT_EQ(made.reason, "only_one");
  EXPECT_EQ(made.is_estimate, true);
  EXPECT_EQ(made.run, uuid{});
  const auto plain = record(call());
  EXPECT_FALSE(std::get<llm_call_recorded>(plain->at(0)).is_estimate);
}

TEST(LLM4_record, of_no_job_has_a_stream_for_each_tenant_and_day) {
  EXPECT_EQ(no_job_of(id_of(1), 7), no_job_of(id_of(1), 7));
  EXPECT_NE(no_job_of(id_of(1), 7), no_job_of(id_of(1), 8));
  EXPECT_NE(no_job_of(id_of(1), 7), no_job_of(id_of(2), 7));
}

TEST(LLM3_lines, of_one_job_are_limited_and_nothing_is_lost) {
  llm_usage_state usage;
  for (std::size_t i = 0; i < most_llm_lines; ++i) recorded(usage, "m" + std::to_string(i), 0);
  EXPECT_EQ(usage.lines.size(), most_llm_lines);
  recorded(usage, "further", 0);
  recorded(usage, "more", 0);
  recorded(usage, "m1", 0);
  EXPECT_EQ(usage.lines.size(), most_llm_lines + 1);
  EXPECT_EQ(usage.lines.find(llm_line_key{0, std::string(other_models)})->totals.calls, 2);
  EXPECT_EQ(usage.lines.find(llm_line_key{0, "m1"})->totals.calls, 2);
  EXPECT_FALSE(is_model_name(other_models));
  std::int64_t calls = 0;
  for (const auto& [key, line] : usage.lines) calls += line.totals.calls;
  EXPECT_EQ(calls, usage.totals.calls);
}

TEST(LLM2_fields, are_counts_ids_and_a_model_and_nothing_else) {
  constexpr auto event = std::tuple_size_v<decltype(llm_call_recorded::fields())>;
  constexpr auto request = std::tuple_size_v<decltype(llm_call_request::fields())>;
  EXPECT_EQ(event, 14U) << "a further field of a call could hold text";
  EXPECT_EQ(request, 5U) << "a further field of a request could hold text";
}

}  // namespace
