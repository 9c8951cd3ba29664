// Calls of language models add up by day, model, run and directive, from the answer to the call on,
// with the costs of the prices that the server was given.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

using nlohmann::json;
using support::must_get;
using support::must_post;
using support::server;

namespace {

class calls_of_two_runs {
 public:
  calls_of_two_runs() : folder(support::work_dir(), "llm"), reeve(options()), api(reeve.api()) {
    support::allow_image(api);
    const json task = support::box_task("a", {"true"});
    directive = must_post(api, "/api/directives", {{"name", "d"}, {"tasks", {task}}}, 201)["id"];
    launch({{"directive_id", directive}});
    launch(support::inline_launch({task}));
    record(0, "m-1", 10, 20);
    record(0, "m-2", 1, 2);
    record(1, "m-1", 100, 200);
  }
  /// The rows of a question, each by what `key` says of it.
  std::map<std::string, json> rows(const std::string& query, const std::string& key) const {
    std::map<std::string, json> found;
    const json page = must_get(api, "/api/llm-usage?" + query);
    EXPECT_TRUE(page.at("next").is_null()) << page;
    for (const auto& row : page.at("results")) {
      EXPECT_FALSE(row.at("is_partial")) << row;
      found[row.at(key).is_null() ? "" : row.at(key).get<std::string>()] = row;
    }
    return found;
  }
  void record(std::size_t which, const std::string& model, int prompt, int completion) {
    must_post(api, "/api/jobs/" + jobs.at(which) + "/llm-calls",
              {{"model_name", model}, {"prompt_tokens", prompt}, {"completion_tokens", completion}},
              201);
  }

  support::scratch_dir folder;
  server reeve;
  support::api_client api;
  std::string directive;
  std::vector<std::string> runs, jobs;

 private:
  support::server_options options() const {
    const auto file = folder.path() / "llm.json";
    std::ofstream(file) << R"({"prices":{"m-1":{"prompt_micros_per_million":1000000,)"
                        << R"("completion_micros_per_million":2000000}}})";
    support::server_options made;
    made.environment["REEVE_LLM"] = file.string();
    return made;
  }
  void launch(const json& body) {
    const json run = support::launch(api, body);
    runs.push_back(run.at("id"));
    jobs.push_back(run.at("jobs").at(0).at("id"));
    support::await_run(api, runs.back());
  }
};

void expect_sums(const json& row, int calls, int prompt, int completion, int cost) {
  EXPECT_EQ(row.at("calls"), calls) << row;
  EXPECT_EQ(row.at("prompt_tokens"), prompt) << row;
  EXPECT_EQ(row.at("completion_tokens"), completion) << row;
  EXPECT_EQ(row.at("total_tokens"), prompt + completion) << row;
  EXPECT_EQ(row.at("cost_micros"), cost) << row;
}

}  // namespace

TEST(LLM3_usage, adds_up_by_model_run_directive_and_day) {
  calls_of_two_runs it;
  const auto models = it.rows("group_by=model", "model_name");
  ASSERT_EQ(models.size(), 2U);
  expect_sums(models.at("m-1"), 2, 110, 220, 550);
  expect_sums(models.at("m-2"), 1, 1, 2, 0);
  const auto runs = it.rows("group_by=run", "run_id");
  ASSERT_EQ(runs.size(), 2U);
  expect_sums(runs.at(it.runs[0]), 2, 11, 22, 50);
  expect_sums(runs.at(it.runs[1]), 1, 100, 200, 500);
  const auto directives = it.rows("group_by=directive", "directive_id");
  ASSERT_EQ(directives.size(), 2U);
  expect_sums(directives.at(it.directive), 2, 11, 22, 50);
  expect_sums(directives.at(""), 1, 100, 200, 500);
  // A test that runs over midnight has its calls on two days.
  const json days = must_get(it.api, "/api/llm-usage").at("results");
  json all = {{"calls", 0}, {"total_tokens", 0}};
  for (const auto& day : days) {
    EXPECT_EQ(day.at("day").get<std::string>().size(), 10U);
    for (const char* name : {"calls", "total_tokens"}) {
      all[name] = all[name].get<int>() + day.at(name).get<int>();
    }
  }
  EXPECT_EQ(all, (json{{"calls", 3}, {"total_tokens", 333}}));
  EXPECT_EQ(it.reeve.command({"replay"}).status, 0) << "the read model is what the log says";
}

TEST(LLM3_usage, is_narrowed_down_and_paged) {
  calls_of_two_runs it;
  expect_sums(it.rows("group_by=model&run=" + it.runs[0], "model_name").at("m-1"), 1, 10, 20, 50);
  expect_sums(it.rows("group_by=run&directive=" + it.directive, "run_id").at(it.runs[0]), 2, 11, 22,
              50);
  EXPECT_EQ(it.rows("group_by=run&model=m-2", "run_id").size(), 1U);
  EXPECT_TRUE(it.rows("to=2020-01-01", "day").empty());
  EXPECT_TRUE(it.rows("group_by=model&from=2999-01-01", "model_name").empty());
  const json first = must_get(it.api, "/api/llm-usage?group_by=run&limit=1");
  ASSERT_EQ(first.at("results").size(), 1U);
  EXPECT_EQ(first.at("results")[0].at("run_id"), it.runs[1]) << "the newest one first";
  const std::string cursor = first.at("next");
  const json second = must_get(it.api, "/api/llm-usage?group_by=run&limit=1&cursor=" + cursor);
  ASSERT_EQ(second.at("results").size(), 1U);
  EXPECT_EQ(second.at("results")[0].at("run_id"), it.runs[0]);
  const auto other = it.api.get("/api/llm-usage?group_by=model&cursor=" + cursor);
  EXPECT_EQ(other.status, 422) << other.body;
  EXPECT_EQ(support::pointer_of(other), "/query/cursor");
  EXPECT_EQ(it.api.get("/api/llm-usage?group_by=team2").status, 422);
}

TEST(LLM3_usage, of_another_tenant_is_none) {
  calls_of_two_runs it;
  const auto others = it.reeve.system_api();
  EXPECT_TRUE(must_get(others, "/api/llm-usage?group_by=model").at("results").empty());
  EXPECT_TRUE(must_get(others, "/api/llm-usage?run=" + it.runs[0]).at("results").empty());
}

TEST(LLM3_budgets, mark_what_exceeds_them_and_every_call_is_recorded) {
  calls_of_two_runs it;
  const auto set = [&it](const std::string& name, const json& body) {
    const auto made = it.api.put("/api/llm-budgets/" + name, body);
    EXPECT_EQ(made.status, 200) << made.body;
  };
  set("tokens", {{"period", "month"}, {"most_tokens", 363}});
  set("money", {{"period", "month"}, {"most_cost_micros", 550}, {"directive", it.directive}});
  // 333 tokens were called for before; this makes 363, which is all there may be.
  it.record(0, "m-2", 10, 20);
  it.record(0, "m-2", 0, 1);
  const json calls = must_get(it.api, "/api/jobs/" + it.jobs[0] + "/llm-calls").at("results");
  ASSERT_EQ(calls.size(), 4U);
  EXPECT_TRUE(calls[0].at("over_budget")) << calls[0];
  EXPECT_FALSE(calls[1].at("over_budget")) << calls[1];
  EXPECT_EQ(it.rows("group_by=model", "model_name").at("m-2").at("over_budget_calls"), 1);
  // The directive's calls came to 50 millionths; an m-1 of 600 is too much for it, and recorded.
  EXPECT_EQ(it.api.remove("/api/llm-budgets/tokens").status, 200);
  it.record(1, "m-1", 600, 0);
  it.record(0, "m-1", 600, 0);
  EXPECT_FALSE(must_get(it.api, "/api/jobs/" + it.jobs[1] + "/llm-calls")
                   .at("results")[0]
                   .at("over_budget"));
  EXPECT_TRUE(must_get(it.api, "/api/jobs/" + it.jobs[0] + "/llm-calls")
                  .at("results")[0]
                  .at("over_budget"));
  EXPECT_EQ(it.reeve.command({"replay"}).status, 0);
}

TEST(OPS4_llm_file, that_says_nonsense_is_refused_at_the_start) {
  const support::scratch_dir folder(support::work_dir(), "llm");
  const auto file = folder.path() / "llm.json";
  std::ofstream(file) << R"({"prices":{"m":{"prompt_micros_per_million":-1,)"
                      << R"("completion_micros_per_million":1}}})";
  support::server_options options;
  options.environment["REEVE_LLM"] = file.string();
  options.start = false;
  server reeve(options);
  reeve.start_without_waiting();
  EXPECT_EQ(reeve.await_exit(std::chrono::seconds(15)), 2);
  EXPECT_THAT(reeve.whole_log(), testing::HasSubstr("/prices/m"));
}
