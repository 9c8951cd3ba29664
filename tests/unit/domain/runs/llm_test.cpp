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

TEST(LLM2_fields, are_counts_ids_and_a_model_and_nothing_else) {
  constexpr auto event = std::tuple_size_v<decltype(llm_call_recorded::fields())>;
  constexpr auto request = std::tuple_size_v<decltype(llm_call_request::fields())>;
  EXPECT_EQ(event, 8U) << "a further field of a call could hold text";
  EXPECT_EQ(request, 5U) << "a further field of a request could hold text";
}

}  // namespace
