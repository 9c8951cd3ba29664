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

namespace {

const std::string house = "/api/llm-budgets/house";

/// A launched job, and how a call of it is recorded.
struct calling {
  calling() {
    const auto run = it.ask("operator", "POST /api/runs/launch", "{}");
    path = "POST /api/jobs/" + run.at("jobs/0/id") + "/llm-calls";
  }
  answer call(const std::string& model = "m") {
    return it.ask("operator", path,
                  R"({"model_name":")" + model + R"(","prompt_tokens":5,"completion_tokens":7})");
  }
  world it;
  std::string path;
};

}  // namespace

TEST(LLM3_budgets, are_set_shown_listed_and_removed) {
  world it;
  const auto made = it.ask("admin", "PUT " + house, R"({"period":"month","most_tokens":1000})");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.at("name"), "house");
  EXPECT_EQ(made.at("most_tokens"), "1000");
  EXPECT_EQ(made.at("is_active"), "true");
  EXPECT_EQ(it.ask("viewer", "GET " + house).body, made.body);
  EXPECT_EQ(it.ask("viewer", "GET /api/llm-budgets?is_active=true").at("results/0/name"), "house");
  const auto tag = "If-Match: " + made.header("ETag") + "\r\n";
  const auto changed =
      it.ask("admin", "PUT " + house, R"({"period":"day","most_tokens":1000,"model":"m"})", tag);
  EXPECT_EQ(changed.at("model"), "m");
  EXPECT_EQ(it.ask("admin", "DELETE " + house, "", tag).status, 412);
  EXPECT_EQ(it.ask("admin", "DELETE " + house).at("is_active"), "false");
  EXPECT_EQ(it.ask("admin", "DELETE " + house).status, 200) << "twice is once";
  EXPECT_EQ(it.ask("viewer", "GET /api/llm-budgets?is_active=true").at("results"), "[]");
}

TEST(LLM3_budgets, refuse_what_they_must) {
  world it;
  const auto head = it.reads.head();
  const std::pair<const char*, const char*> rows[] = {
      {R"({"most_tokens":1})", "/period"},
      {R"({"period":"year","most_tokens":1})", "/period"},
      {R"({"period":"day"})", "/most_tokens"},
      {R"({"period":"day","most_tokens":0})", "/most_tokens"},
      {R"({"period":"day","most_cost_micros":1.5})", "/most_cost_micros"},
      {R"({"period":"day","most_tokens":1,"model":"a model"})", "/model"},
      {R"({"period":"day","most_tokens":1,"directive":"x"})", "/directive"},
      {R"({"period":"day","most_tokens":1,"prompt":"x"})", "/prompt"}};
  for (const auto& [body, pointer] : rows) {
    const auto got = it.ask("admin", "PUT " + house, body);
    EXPECT_EQ(got.status, 422) << body;
    EXPECT_EQ(got.at("errors/0/pointer"), pointer) << body;
  }
  const std::string good = R"({"period":"day","most_tokens":1})";
  EXPECT_EQ(it.ask("admin", "PUT /api/llm-budgets/a%20b", good).at("errors/0/pointer"), "/name");
  EXPECT_EQ(it.ask("operator", "PUT " + house, good).status, 403);
  EXPECT_EQ(it.ask("operator", "DELETE " + house).status, 403);
  EXPECT_EQ(it.ask("admin", "DELETE " + house).status, 404);
  EXPECT_EQ(it.reads.head(), head);
  it.ask("admin", "PUT " + house, good);
  EXPECT_EQ(it.ask("stranger", "GET " + house).status, 404);
  EXPECT_EQ(it.ask("stranger", "DELETE " + house).status, 404);
}

TEST(LLM3_budgets, mark_calls_that_exceed_them_and_refuse_none) {
  calling here;
  EXPECT_EQ(here.call().at("over_budget"), "false");
  EXPECT_TRUE(here.it.reads.spent_asked.empty()) << "without a budget nothing is read";
  here.it.ask("admin", "PUT " + house, R"({"period":"day","most_tokens":100})");
  here.it.ask("admin", "PUT /api/llm-budgets/m",
              R"({"period":"day","most_tokens":90,"model":"m"})");
  here.it.ask("admin", "PUT /api/llm-budgets/n", R"({"period":"day","most_tokens":1,"model":"n"})");
  here.it.reads.spent.total_tokens = 78;
  EXPECT_EQ(here.call().at("over_budget"), "false");
  ASSERT_EQ(here.it.reads.spent_asked.size(), 2U) << "not of the budget of another model";
  EXPECT_EQ(here.it.reads.spent_asked[0].tenant, named("tenant"));
  EXPECT_FALSE(here.it.reads.spent_asked[0].model);
  EXPECT_EQ(here.it.reads.spent_asked[1].model, "m");
  here.it.reads.spent.total_tokens = 79;
  const auto over = here.call();
  EXPECT_EQ(over.status, 201) << over.body;
  EXPECT_EQ(over.at("over_budget"), "true");
  EXPECT_NE(here.it.reads.log.back().payload.find("\"over_budget\":true"), std::string::npos);
}

TEST(LLM3_budgets, of_the_same_calls_share_one_look) {
  calling here;
  for (const char* name : {"a", "b", "c"}) {
    here.it.ask(
        "admin", "PUT /api/llm-budgets/" + std::string(name),
        R"({"period":"month","most_tokens":)" + std::string(name[0] == 'c' ? "1" : "50") + "}");
  }
  EXPECT_EQ(here.call().at("over_budget"), "true");
  EXPECT_EQ(here.it.reads.spent_asked.size(), 1U);
}

TEST(LLM4_routes, tell_where_a_call_would_go_and_why) {
  world it;
  EXPECT_EQ(it.ask("viewer", "GET /api/inference/routes").at("results"), "[]");
  for (const char* name : {"a", "b"}) {
    domain::llm_upstream_view one;
    one.what = {name, "http://127.0.0.1:1/v1", {"m"}, "/etc/key-of-" + std::string(name), 4};
    one.health.answered(20);
    it.upstreams.push_back(one);
  }
  it.upstreams[0].calls = 3;
  it.upstreams[1].what.models.emplace_back("n");
  const auto got = it.ask("admin", "GET /api/inference/routes");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.at("results/0/model"), "m");
  EXPECT_EQ(got.at("results/0/upstream"), "b");
  EXPECT_EQ(got.at("results/0/reason"), "highest_score");
  EXPECT_EQ(got.at("results/0/candidates/0/upstream"), "a");
  EXPECT_EQ(got.at("results/0/candidates/0/calls"), "3");
  EXPECT_EQ(got.at("results/0/candidates/0/max_calls"), "4");
  EXPECT_EQ(got.at("results/0/candidates/1/latency_ms"), "20");
  EXPECT_EQ(got.at("results/1/model"), "n");
  EXPECT_EQ(got.at("results/1/reason"), "only_one");
  EXPECT_EQ(got.body.find("127.0.0.1"), std::string::npos) << "where they are is the operator's";
  EXPECT_EQ(got.body.find("key-of"), std::string::npos);
  const auto none = it.ask("viewer", "GET /api/inference/routes?model=x");
  EXPECT_EQ(none.at("results/0/reason"), "no_upstream");
  EXPECT_EQ(none.at("results/0/upstream"), "null");
  EXPECT_EQ(it.ask("viewer", "GET /api/inference/routes?model=a%20b").at("errors/0/pointer"),
            "/query/model");
}

TEST(LLM4_routes, name_the_budgets_that_are_spent) {
  world it;
  domain::llm_upstream_view one;
  one.what = {"a", "http://127.0.0.1:1/v1", {"m", "n"}, {}, 4};
  one.health.answered(20);
  it.upstreams.push_back(one);
  const auto directive = to_string(named("directive"));
  const auto set = [&it](const std::string& name, const std::string& rest) {
    it.ask("admin", "PUT /api/llm-budgets/" + name, R"({"period":"day","most_tokens":10)" + rest);
  };
  set("m", R"(,"model":"m"})");
  set("directive", R"(,"directive":")" + directive + "\"}");
  EXPECT_EQ(it.ask("viewer", "GET /api/inference/routes").at("results/0/upstream"), "a");
  it.reads.spent.total_tokens = 10;
  const auto got = it.ask("viewer", "GET /api/inference/routes");
  EXPECT_EQ(got.at("results/0/upstream"), "null");
  EXPECT_EQ(got.at("results/0/reason"), "budget_spent");
  EXPECT_EQ(got.at("results/0/spent_budgets"), R"(["m"])");
  EXPECT_EQ(got.at("results/1/upstream"), "a") << "a budget of another model";
  EXPECT_EQ(got.at("results/1/spent_budgets"), "[]");
  EXPECT_EQ(it.ask("stranger", "GET /api/inference/routes").at("results/0/upstream"), "a");
}

/// How much others call is not a tenant's to know, but where its own call would go is.
TEST(P17_routes, tell_a_tenant_of_its_own_calls_alone) {
  world it;
  domain::llm_upstream_view one;
  one.what = {"a", "http://127.0.0.1:1/v1", {"m"}, {}, 8};
  one.health.answered(20);
  one.calls = 3;
  it.upstreams.push_back(one);
  const auto mine = it.places.take({"a", named("viewer"), nullptr, named("tenant")}, 8);
  const auto theirs = it.places.take({"a", named("stranger"), nullptr, named("other")}, 8);
  const auto more = it.places.take({"a", named("stranger"), nullptr, named("other")}, 8);
  ASSERT_TRUE(mine && theirs && more);
  const auto told = [&](const char* who) {
    const auto got = it.ask(who, "GET /api/inference/routes");
    EXPECT_EQ(got.at("results/0/upstream"), "a") << who;
    const bool has_score = got.at("results/0/candidates/0/score") != "null";
    return got.at("results/0/candidates/0/calls") + (has_score ? " and a score" : "");
  };
  EXPECT_EQ(told("viewer"), "1");
  EXPECT_EQ(told("operator"), "1");
  EXPECT_EQ(told("stranger"), "2") << "an admin, and of another tenant";
  EXPECT_EQ(told("admin"), "3 and a score");
  EXPECT_EQ(told("auditor"), "3 and a score");
}
