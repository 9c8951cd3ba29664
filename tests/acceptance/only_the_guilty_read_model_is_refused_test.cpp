// C9: a read model that cannot be written is refused, told and repaired by itself; nothing else is
// touched, and appends go on.

#include "tests/support/exit_codes.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::exit_not_built;
using support::server;
using testing::HasSubstr;
using testing::Not;

namespace {

const json red_run = {{"tasks", {"task1"}}, {"labels", {{"team", "red"}}}};

/// What the server's logins may no longer do to a table.
void revoke_writes(const server& reeve, const std::string& table) {
  reeve.database().exec(
      "DO $$ DECLARE one record; BEGIN FOR one IN SELECT DISTINCT a.grantee::regrole AS role FROM"
      " pg_class c, aclexplode(c.relacl) a WHERE c.oid = '" +
      table +
      "'::regclass AND a.grantee <> c.relowner LOOP"
      " EXECUTE format('REVOKE INSERT, UPDATE ON " +
      table + " FROM %s', one.role); END LOOP; END $$");
}

void expect_served(const support::api_client& api, const std::vector<std::string>& targets) {
  for (const auto& target : targets) EXPECT_EQ(api.get(target).status, 200) << target;
}

}  // namespace

TEST(C9_guilty, a_read_model_with_a_broken_column_is_refused_alone_until_it_is_rebuilt) {
  server reeve;
  const auto api = reeve.api();
  const json before = support::launch(api, red_run);
  support::await_run(api, before.at("id"));
  const std::string job = "/api/jobs/" + before.at("jobs").at(0).at("id").get<std::string>();
  reeve.database().exec("ALTER TABLE reeve_read.jobs RENAME COLUMN status TO broken");

  const json during = support::launch(api, red_run);
  for (const auto& target : {job, std::string("/api/jobs")}) {
    const auto refused = api.get(target);
    EXPECT_EQ(refused.status, 503) << target << refused.body;
    EXPECT_NE(refused.header("retry-after"), "");
    EXPECT_THAT(refused.body, HasSubstr("jobs"));
  }
  expect_served(api, {"/api/runs", "/api/runs?label=team:red", "/api/directives", "/api/tokens",
                      "/api/allowlists/images", "/api/events"});
  const auto ready = reeve.anonymous().get("/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.json().at("degraded"), json::array({"read_models: jobs is stale"}));
  const auto metrics = api.get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("reeve_projection_state{projection=\"jobs\",state=\"stale\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("reeve_projection_state{projection=\"runs\",state=\"live\"} 1"));
  const auto told = reeve.command({"doctor", "--json"});
  EXPECT_THAT(told.output, HasSubstr("\"jobs could not be kept up to date\""));
  const auto failed = reeve.command({"rebuild", "jobs"});
  EXPECT_EQ(failed.status, exit_not_built) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("jobs: "));
  EXPECT_EQ(reeve.command({"rebuild", "runs"}).status, 0) << "another one is not held up";

  reeve.database().exec("ALTER TABLE reeve_read.jobs RENAME COLUMN broken TO status");
  const auto mended = reeve.command({"rebuild", "jobs"});
  EXPECT_EQ(mended.status, 0) << mended.output;
  expect_served(api, {job, "/api/jobs"});
  EXPECT_EQ(support::await_run(api, during.at("id")).at("status"), "success");
  support::await_run(api, support::launch(api, red_run).at("id"));
  EXPECT_EQ(api.get("/api/jobs").json().at("results").size(), 3U);
  EXPECT_EQ(reeve.command({"replay"}).status, 0);
}

TEST(C9_guilty, a_table_that_may_not_be_written_costs_no_event_and_is_kept_up_by_builds) {
  server reeve;
  const auto api = reeve.api();
  revoke_writes(reeve, "reeve_read.run_labels");
  std::vector<std::string> runs;
  for (int n = 0; n < 3; ++n) {
    const json run = support::launch(api, red_run);
    runs.push_back(run.at("id").get<std::string>());
    EXPECT_EQ(support::await_run(api, runs.back()).at("status"), "success");
    expect_served(api, {"/api/runs", "/api/jobs", "/api/tokens"});
  }
  // The owner builds what the server may not write.
  EXPECT_TRUE(support::eventually(std::chrono::seconds(20) * support::time_factor(), [&] {
    const auto found = api.get("/api/runs?label=team:red");
    EXPECT_TRUE(found.status == 200 || found.status == 503) << found.body;
    return found.status == 200 && found.json().at("results").size() == 3U;
  }));
  EXPECT_THAT(reeve.whole_log(), Not(HasSubstr("a run's append failed")));
}

/// One that a follower writes, whose builds the owner makes: told, and no build is called the end.
TEST(C9_guilty, a_follower_that_may_not_write_is_told_and_its_rebuild_names_the_right) {
  server reeve;
  const auto api = reeve.api();
  const json run = support::launch(api, red_run);
  support::await_run(api, run.at("id"));
  const std::string job = "/api/jobs/" + run.at("jobs").at(0).at("id").get<std::string>();
  revoke_writes(reeve, "reeve_read.llm_usage");
  const json call = {{"model_name", "m"}, {"prompt_tokens", 3}, {"completion_tokens", 1}};
  support::must_post(api, job + "/llm-calls", call, 201);
  EXPECT_TRUE(support::eventually([&] {
    return reeve.whole_log().find("a read model cannot follow the log") != std::string::npos;
  }));
  const auto failed = reeve.command({"rebuild", "llm_usage"});
  EXPECT_EQ(failed.status, exit_not_built) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("GRANT INSERT ON reeve_read.llm_usage"));
  EXPECT_THAT(failed.output, Not(HasSubstr("rebuilt")));
  const auto told = reeve.command({"doctor"});
  EXPECT_EQ(told.status, 1) << told.output;
  EXPECT_THAT(told.output, HasSubstr("GRANT INSERT ON reeve_read.llm_usage"));
  expect_served(api, {"/api/runs", "/api/jobs", "/api/tokens"});

  auto database = reeve.database();
  const auto writer = *database.cell("SELECT writer FROM reeve.runtime_roles");
  database.exec("GRANT INSERT, UPDATE ON reeve_read.llm_usage TO " + writer);
  const auto mended = reeve.command({"rebuild", "llm_usage"});
  EXPECT_EQ(mended.status, 0) << mended.output;
  support::must_post(api, job + "/llm-calls", call, 201);
  EXPECT_TRUE(support::eventually([&] {
    const auto found = api.get(job);
    return found.status == 200 && found.json().at("llm_usage").at("calls") == 2;
  }));
}

/// The follower's place in the log is a right too: without it no build is called the end either,
/// and none is made again and again.
TEST(C9_guilty, a_follower_that_may_not_keep_its_place_is_told_and_is_not_built_over_and_over) {
  server reeve;
  const auto api = reeve.api();
  const json run = support::launch(api, red_run);
  support::await_run(api, run.at("id"));
  const std::string job = "/api/jobs/" + run.at("jobs").at(0).at("id").get<std::string>();
  auto database = reeve.database();
  const auto writer = *database.cell("SELECT writer FROM reeve.runtime_roles");
  database.exec("REVOKE UPDATE ON reeve.projections FROM " + writer);
  const json call = {{"model_name", "m"}, {"prompt_tokens", 3}, {"completion_tokens", 1}};
  support::must_post(api, job + "/llm-calls", call, 201);
  EXPECT_TRUE(support::eventually([&] {
    return reeve.whole_log().find("a read model cannot follow the log") != std::string::npos;
  }));
  EXPECT_EQ(reeve.anonymous().get("/readyz").json().at("degraded"),
            json::array({"read_models: llm_usage is stale"}));
  EXPECT_THAT(reeve.whole_log(), Not(HasSubstr("read models were built from the log")));
  const auto told = reeve.command({"doctor"});
  EXPECT_EQ(told.status, 1) << told.output;
  const auto failed = reeve.command({"rebuild", "llm_usage"});
  EXPECT_EQ(failed.status, exit_not_built) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("GRANT UPDATE ON reeve.projections"));

  database.exec("GRANT UPDATE ON reeve.projections TO " + writer);
  EXPECT_TRUE(support::eventually([&] {
    const auto found = api.get(job);
    return found.status == 200 && found.json().at("llm_usage").at("calls") == 1;
  })) << "by itself";
}
