// A read model of another version, or a new one, is built from the log when the server starts; one
// that could not be kept up to date is told, and where access hangs on it, refused.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::server;

namespace {

/// Some work, as it was answered.
struct lived {
  std::string run, job;
  json run_before, job_before;
};

lived live(const server& reeve) {
  const auto api = reeve.api();
  const json run = support::launch(api, {{"tasks", {"task1"}}, {"labels", {{"team", "red"}}}});
  lived was{run.at("id"), run.at("jobs").at(0).at("id"), {}, {}};
  support::await_run(api, was.run);
  was.run_before = json::parse(api.get("/api/runs/" + was.run).body);
  was.job_before = json::parse(api.get("/api/jobs/" + was.job).body);
  return was;
}

json ready(const server& reeve) {
  return json::parse(reeve.anonymous().get("/readyz").body);
}

bool is_whole(const server& reeve) {
  return support::eventually([&] { return !ready(reeve).contains("degraded"); });
}

}  // namespace

/// The leader is elected again under another epoch, and its builds have to know it.
TEST(C8_read_models, are_built_by_a_leader_that_lost_its_session_once) {
  server reeve;
  const auto was = live(reeve);
  reeve.database().exec(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
      " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  auto database = reeve.database();
  ASSERT_TRUE(support::eventually(
      [&] { return database.number("SELECT max(epoch) FROM reeve.events") > 1; }));
  ASSERT_TRUE(support::eventually([&] { return reeve.anonymous().get("/readyz").status == 200; }));
  const auto built = reeve.command({"rebuild", "runs"});
  EXPECT_EQ(built.status, 0) << built.output;
  EXPECT_EQ(json::parse(reeve.api().get("/api/runs/" + was.run).body), was.run_before);
}

TEST(C8_read_models, of_another_version_and_new_ones_are_served_after_a_restart) {
  server reeve;
  const auto was = live(reeve);
  EXPECT_EQ(reeve.stop(), 0);
  // As an older program left them: a document without a field, a table that nobody has filled, and
  // one of another layout.
  reeve.database().exec(
      "UPDATE reeve_read.runs SET doc = '{}';"
      "UPDATE reeve.projections SET version = 0 WHERE name = 'runs';"
      "TRUNCATE reeve_read.jobs; DELETE FROM reeve.projections WHERE name = 'jobs';"
      "TRUNCATE reeve_read.run_labels;"
      "UPDATE reeve.projections SET columns = 'tenant, object' WHERE name = 'run_labels'");
  reeve.start();
  EXPECT_TRUE(is_whole(reeve)) << ready(reeve);
  const auto api = reeve.api();
  EXPECT_EQ(json::parse(api.get("/api/runs/" + was.run).body), was.run_before);
  EXPECT_EQ(json::parse(api.get("/api/jobs/" + was.job).body), was.job_before);
  EXPECT_EQ(json::parse(api.get("/api/runs?label=team:red").body).at("results").size(), 1U);
  const auto replayed = reeve.command({"replay", "--json"});
  EXPECT_EQ(replayed.status, 0) << replayed.output;
}

TEST(C8_read_models, are_rebuilt_by_hand_while_the_server_runs) {
  server reeve;
  const auto was = live(reeve);
  reeve.database().exec("UPDATE reeve_read.jobs SET doc = '{}', status = 'pending'");
  EXPECT_EQ(reeve.command({"replay"}).status, 1);
  const auto done = reeve.command({"rebuild", "jobs"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, testing::HasSubstr("rebuilt"));
  EXPECT_EQ(json::parse(reeve.api().get("/api/jobs/" + was.job).body), was.job_before);
  EXPECT_EQ(reeve.command({"replay"}).status, 0);
  EXPECT_EQ(reeve.command({"rebuild", "none_such"}).status, 3);
}

TEST(C9_read_models, stale_tokens_open_nothing_and_are_told) {
  server reeve;
  const auto was = live(reeve);
  const auto api = reeve.api();
  ASSERT_EQ(api.get("/api/runs/" + was.run).status, 200);
  // No row of a token fits any more, in the live table or in one that is built.
  reeve.database().exec(
      "ALTER TABLE reeve_read.tokens ADD CONSTRAINT planted CHECK (created_position > 1000000)"
      " NOT VALID");
  EXPECT_EQ(api.post("/api/tokens", {{"name", "late"}, {"role", "viewer"}}).status / 100, 2);
  const auto refused = api.get("/api/runs/" + was.run);
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_NE(refused.header("retry-after"), "");
  EXPECT_THAT(refused.body, testing::HasSubstr("tokens"));
  const auto not_ready = reeve.anonymous().get("/readyz");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_THAT(not_ready.body, testing::HasSubstr("tokens is stale"));
  const auto told = reeve.command({"doctor", "--json"});
  EXPECT_THAT(told.output, testing::HasSubstr("tokens could not be kept up to date"));
  // Mended: the server sees to the rest.
  reeve.database().exec("ALTER TABLE reeve_read.tokens DROP CONSTRAINT planted");
  EXPECT_TRUE(support::eventually(std::chrono::seconds(60),
                                  [&] { return api.get("/api/runs/" + was.run).status == 200; }));
}
