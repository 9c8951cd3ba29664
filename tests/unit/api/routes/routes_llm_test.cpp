#include "tests/unit/api/routes/routes_world.hpp"

#include <gtest/gtest.h>

using namespace routes_fixture;

namespace {

const std::string usage = "GET /api/llm-usage";

}  // namespace

TEST(LLM3_usage, is_asked_for_as_the_query_says) {
  world it;
  EXPECT_EQ(it.ask("viewer", usage).status, 200);
  EXPECT_EQ(it.reads.usage.by, domain::llm_grouping::day);
  EXPECT_EQ(it.reads.usage.tenant, named("tenant"));
  EXPECT_EQ(it.reads.usage.asked_by, named("viewer"));
  EXPECT_EQ(it.reads.usage.limit, 50);
  EXPECT_FALSE(it.reads.usage.run || it.reads.usage.from_day || it.reads.usage.model);
  const auto run = to_string(named("run"));
  const auto directive = to_string(named("directive"));
  const auto got = it.ask(
      "viewer", usage + "?group_by=model&run=" + run + "&directive=" + directive +
                    "&model=org%2Fm%3A1&from=2026-11-30&to=" + "2026-12-01&limit=7&cursor=c");
  EXPECT_EQ(got.status, 200) << got.body;
  const auto& asked = it.reads.usage;
  EXPECT_EQ(asked.by, domain::llm_grouping::model);
  EXPECT_EQ(asked.run, named("run"));
  EXPECT_EQ(asked.directive, named("directive"));
  EXPECT_EQ(asked.model, "org/m:1");
  EXPECT_EQ(asked.from_day, 20787);
  EXPECT_EQ(asked.to_day, 20788);
  EXPECT_EQ(asked.limit, 7);
  EXPECT_EQ(asked.cursor, "c");
  it.ask("stranger", usage);
  EXPECT_EQ(it.reads.usage.tenant, named("other"));
}

TEST(LLM3_usage, names_the_filter_that_is_wrong) {
  world it;
  const std::pair<const char*, const char*> rows[] = {{"group_by=team2", "/query/group_by"},
                                                      {"group_by=", "/query/group_by"},
                                                      {"run=x", "/query/run"},
                                                      {"directive=x", "/query/directive"},
                                                      {"model=a%20model", "/query/model"},
                                                      {"from=2026-11-31", "/query/from"},
                                                      {"from=2026-11-30T00:00:00Z", "/query/from"},
                                                      {"to=tomorrow", "/query/to"},
                                                      {"limit=0", "/query/limit"}};
  for (const auto& [query, pointer] : rows) {
    const auto got = it.ask("viewer", usage + "?" + query);
    EXPECT_EQ(got.status, 422) << query;
    EXPECT_EQ(got.at("errors/0/pointer"), pointer) << query;
  }
  EXPECT_EQ(it.ask("viewer", usage + "?prompt=x").status, 422);
}

TEST(LLM1_calls, have_the_price_of_their_model_and_the_directive_of_their_run) {
  world it;
  it.llm.prices["m"] = {1'000'000, 3'000'000};
  const auto directive =
      it.ask("operator", "POST /api/directives", R"({"name":"d","tasks":["task1"]})").at("id");
  const auto run =
      it.ask("operator", "POST /api/runs/launch", R"({"directive_id":")" + directive + "\"}");
  const auto calls = "POST /api/jobs/" + run.at("jobs/0/id") + "/llm-calls";
  const auto made =
      it.ask("operator", calls, R"({"model_name":"m","prompt_tokens":5,"completion_tokens":7})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("cost_micros"), "26");
  EXPECT_NE(it.reads.log.back().payload.find("\"directive\":\"" + directive + "\""),
            std::string::npos);
  const auto free =
      it.ask("operator", calls, R"({"model_name":"n","prompt_tokens":5,"completion_tokens":7})");
  EXPECT_EQ(free.at("cost_micros"), "null");
  const auto alone = it.ask("operator", "POST /api/runs/launch",
                            R"({"directive":{"name":"inline","tasks":["task1"]}})");
  it.ask("operator", "POST /api/jobs/" + alone.at("jobs/0/id") + "/llm-calls",
         R"({"model_name":"n","prompt_tokens":5,"completion_tokens":7})");
  EXPECT_EQ(it.reads.log.back().type, "llm_call_recorded");
  EXPECT_EQ(it.reads.log.back().payload.find("directive"), std::string::npos)
      << "an inline directive has no id";
}
