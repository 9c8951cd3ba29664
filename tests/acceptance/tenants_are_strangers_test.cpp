// What belongs to another tenant is not there: the same answers, to the byte, as for what never
// was (P17), whoever asked first.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

using nlohmann::json;
using support::must_get;
using support::must_post;
using support::nobody;
using support::server;

namespace {

/// A request about a resource, whose id stands in the target or the body as {}.
struct foreign_question {
  std::string method;
  std::string target;
  std::string body;

  foreign_question about(const std::string& id) const {
    foreign_question q = *this;
    for (auto* text : {&q.target, &q.body}) {
      if (const auto at = text->find("{}"); at != std::string::npos) text->replace(at, 2, id);
    }
    return q;
  }
};

/// What tells two answers apart, without what differs between any two requests.
std::string answer_about(const support::api_client& as, const foreign_question& q,
                         const std::string& id) {
  const auto asked = q.about(id);
  support::http_request request{asked.method, asked.target, {}, {}};
  if (!asked.body.empty()) request.body = asked.body;
  const auto answer = as.call(request);
  json body = json::parse(answer.body, nullptr, false);
  if (body.is_object()) {
    for (const char* own : {"instance", "request_id"}) body.erase(own);
  }
  std::string text = std::to_string(answer.status) + " " + body.dump();
  // The id itself may stand in the answer, as the question had it.
  for (auto at = text.find(id); at != std::string::npos; at = text.find(id)) {
    text.replace(at, id.size(), "{}");
  }
  for (const char* header : {"Content-Type", "ETag", "Location", "Reeve-Position"}) {
    text += std::string(" ") + header + "=" + answer.header(header);
  }
  return text;
}

struct tenant_things {
  std::string directive, run, job, image, container, token;
};

/// One of everything, with a run that is over.
tenant_things make_things(const support::api_client& as) {
  tenant_things t;
  t.directive = must_post(as, "/api/directives", {{"name", "d"}, {"tasks", {"task2"}}}, 201)["id"];
  const json run = support::launch(as, {{"directive_id", t.directive}});
  t.run = run.at("id");
  t.job = run.at("jobs").at(0).at("id");
  support::await_run(as, t.run);
  t.image = support::allow_image(as).at("id");
  t.container = must_post(as, "/api/allowlists/containers", {{"name", "web"}}, 201)["id"];
  t.token = must_post(as, "/api/tokens", {{"name", "t"}, {"role", "viewer"}}, 201)["id"];
  return t;
}

std::vector<std::pair<std::string, foreign_question>> questions(const tenant_things& t) {
  const std::string body = R"({"name":"d","tasks":["task2"]})";
  const std::string call = R"({"model_name":"m","prompt_tokens":1,"completion_tokens":1})";
  return {
      {t.directive, {"GET", "/api/directives/{}", ""}},
      {t.directive, {"PUT", "/api/directives/{}", body}},
      {t.directive, {"PUT", "/api/directives/{}", R"({"no":1})"}},
      {t.directive, {"POST", "/api/directives/{}/versions", body}},
      {t.directive, {"GET", "/api/directives/{}/versions", ""}},
      {t.directive, {"GET", "/api/directives/{}/versions/1", ""}},
      {t.directive, {"POST", "/api/directives/{}/archive", "{}"}},
      {t.directive, {"POST", "/api/runs/launch", R"({"directive_id":"{}"})"}},
      {t.directive, {"GET", "/api/runs?directive={}", ""}},
      {t.directive, {"GET", "/api/runs?since=last_success&directive={}", ""}},
      {t.run, {"GET", "/api/runs/{}", ""}},
      {t.run, {"GET", "/api/runs/{}/jobs", ""}},
      {t.run, {"GET", "/api/jobs?run={}", ""}},
      {t.run, {"GET", "/api/runs?retry_of={}", ""}},
      {t.run, {"POST", "/api/runs/{}/cancel", "{}"}},
      {t.run, {"POST", "/api/runs/{}/cancel", R"({"no":1})"}},
      {t.run, {"POST", "/api/runs/{}/retry", "{}"}},
      {t.job, {"GET", "/api/jobs/{}", ""}},
      {t.job, {"POST", "/api/jobs/{}/retry", "{}"}},
      {t.job, {"POST", "/api/jobs/{}/discard", R"({"no":1})"}},
      {t.job, {"GET", "/api/jobs/{}/logs", ""}},
      {t.job, {"GET", "/api/jobs/{}/artifacts", ""}},
      {t.job, {"GET", "/api/jobs/{}/artifacts/a.json", ""}},
      {t.job, {"GET", "/api/jobs/{}/llm-calls", ""}},
      {t.job, {"POST", "/api/jobs/{}/llm-calls", call}},
      {t.image, {"GET", "/api/allowlists/images/{}", ""}},
      {t.image, {"DELETE", "/api/allowlists/images/{}", ""}},
      {t.image, {"POST", "/api/allowlists/images/{}/deactivate", "{}"}},
      {t.container, {"GET", "/api/allowlists/containers/{}", ""}},
      {t.container, {"DELETE", "/api/allowlists/containers/{}", ""}},
      {t.container, {"POST", "/api/allowlists/containers/{}/deactivate", "{}"}},
      {t.token, {"GET", "/api/tokens/{}", ""}},
      {t.token, {"POST", "/api/tokens/{}/revoke", "{}"}},
      {t.run, {"GET", "/api/events?stream=run-{}", ""}},
      {t.directive, {"GET", "/api/events?stream=directive-{}", ""}},
  };
}

}  // namespace

TEST(P17_tenants, see_of_each_other_what_never_was) {
  server reeve;
  const auto mine = reeve.api();
  const auto other = reeve.system_api();
  ASSERT_NE(support::tenant_of(mine), support::tenant_of(other));
  const auto of_mine = make_things(mine);
  const auto of_other = make_things(other);
  auto database = reeve.database();
  const auto before = support::events_of(database, support::tenant_of(mine));
  const std::pair<const support::api_client*, const tenant_things*> pairs[] = {{&other, &of_mine},
                                                                               {&mine, &of_other}};
  for (const auto& [asker, owned] : pairs) {
    for (const auto& [id, q] : questions(*owned)) {
      EXPECT_EQ(answer_about(*asker, q, id), answer_about(*asker, q, nobody))
          << q.method << " " << q.target;
    }
  }
  EXPECT_EQ(support::events_of(database, support::tenant_of(mine)), before);
  // And nothing of it was lost for its owner.
  for (const auto& [id, q] : questions(of_mine)) {
    if (q.method != "GET" || q.target.find("/artifacts/") != std::string::npos) continue;
    EXPECT_EQ(answer_about(mine, q, id).substr(0, 3), "200") << q.target;
  }
}

/// The cache of an executor held a stream for whoever came first, even from a foreign tenant.
TEST(P17_executors, hold_no_stream_for_two_tenants) {
  server reeve;
  const auto mine = reeve.api();
  const auto other = reeve.system_api();
  const json made = {{"name", "d"}, {"tasks", {"task2"}}};
  const std::string known = must_post(mine, "/api/directives", made, 201).at("id");
  EXPECT_EQ(mine.post("/api/runs/launch", {{"directive_id", known}}).status, 201);
  const auto stolen = other.post("/api/runs/launch", {{"directive_id", known}});
  EXPECT_EQ(stolen.status, 404) << stolen.body;
  // After a restart the stranger asks first.
  reeve.crash_and_restart();
  EXPECT_EQ(reeve.system_api().post("/api/runs/launch", {{"directive_id", known}}).status, 404);
  const auto own = reeve.api().post("/api/runs/launch", {{"directive_id", known}});
  EXPECT_EQ(own.status, 201) << own.body;
  EXPECT_EQ(reeve.api().put("/api/directives/" + known, made).status, 200);
}

TEST(P17_agents, are_shown_to_a_tenant_without_the_runs_of_others) {
  server reeve;
  const auto runs_of = [](const support::api_client& as) {
    std::set<std::string> runs;
    const json rows = must_get(as, "/api/agents").at("results");
    for (const json& row : rows) {
      const std::string path = row.at("path");
      if (path.find("/runs/") != std::string::npos) runs.insert(path.substr(path.rfind('/') + 1));
    }
    return runs;
  };
  const auto launch = [](const support::api_client& as) {
    support::allow_image(as);
    const json run =
        support::launch(as, support::inline_launch({support::box_task("long", {"sleep", "60"})}));
    support::await_started(as, run.at("id"), "long");
    return run.at("id").get<std::string>();
  };
  const auto mine = reeve.api();
  const auto system = reeve.system_api();
  const auto my_run = launch(mine);
  const auto its_run = launch(system);
  EXPECT_EQ(runs_of(mine), (std::set{my_run}));
  EXPECT_EQ(runs_of(mine.as(support::new_token(mine, "viewer"))), (std::set{my_run}));
  EXPECT_EQ(runs_of(system), (std::set{my_run, its_run}));
  EXPECT_EQ(runs_of(system.as(support::new_token(system, "auditor"))), (std::set{my_run, its_run}));
}
