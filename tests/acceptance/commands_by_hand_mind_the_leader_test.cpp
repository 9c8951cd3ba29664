// `reeve rebuild` works with a server that leads and without one; `reeve migrate` changes nothing
// under a server that leads.

#include "tests/support/exit_codes.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

using nlohmann::json;
using support::exit_fenced;
using support::exit_not_built;
using support::exit_refused;
using support::server;
using testing::HasSubstr;

namespace {

std::string documents_of_jobs(const server& reeve) {
  return reeve.database()
      .cell("SELECT string_agg(doc, ',' ORDER BY id) FROM reeve_read.jobs")
      .value_or("");
}

}  // namespace

TEST(C8_by_hand, a_rebuild_without_a_server_is_done_by_the_command_itself) {
  server reeve;
  const auto api = reeve.api();
  support::await_run(api, support::launch(api, {{"tasks", {"task1"}}}).at("id"));
  EXPECT_EQ(reeve.stop(), 0);
  const auto before = documents_of_jobs(reeve);
  auto database = reeve.database();
  database.exec("UPDATE reeve_read.jobs SET doc = '{}'; TRUNCATE reeve_read.runs");
  const auto done = reeve.command({"rebuild"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("rebuilt"));
  EXPECT_EQ(documents_of_jobs(reeve), before);
  EXPECT_EQ(database.number("SELECT count(*) FROM reeve_read.runs"), 1);
  EXPECT_EQ(reeve.command({"replay"}).status, 0);
  EXPECT_EQ(reeve.command({"rebuild", "none_such"}).status, 3);

  database.exec("ALTER TABLE reeve_read.jobs RENAME COLUMN status TO broken");
  const auto failed = reeve.command({"rebuild"});
  EXPECT_EQ(failed.status, exit_not_built) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("jobs: "));
  database.exec(
      "ALTER TABLE reeve_read.jobs RENAME COLUMN broken TO status;"
      "DELETE FROM reeve.migrations WHERE number = 4");
  const auto older = reeve.command({"rebuild", "jobs"});
  EXPECT_EQ(older.status, exit_refused) << older.output;
  EXPECT_THAT(older.output, HasSubstr("older than this program"));
}

/// Ctrl-Z, for instance: with the lock of the one writer and those of the switch in its hand.
TEST(P31_by_hand, a_rebuild_that_stands_still_keeps_no_server_from_leading) {
  REEVE_TEST_TIME_LIMIT(90);
  server reeve;
  const auto api = reeve.api();
  support::await_run(api, support::launch(api, {{"tasks", {"task1"}}}).at("id"));
  EXPECT_EQ(reeve.stop(), 0);
  const support::scratch_dir folder(support::work_dir(), "s");
  const auto stopped = folder.path() / "stopped";
  const auto told = folder.path() / "told";
  support::process command({{support::server_program(), "rebuild", "runs"},
                            {{"REEVE_DATA", reeve.data()},
                             {"DATABASE_URL", reeve.database_url()},
                             {"REEVE_TEST_STOP_AT", "switch=" + stopped.string()}},
                            {},
                            "/dev/null",
                            told});
  ASSERT_TRUE(support::eventually([&] { return std::filesystem::exists(stopped); }));
  reeve.start_without_waiting();
  ASSERT_TRUE(support::eventually([&] {
    return reeve.database().number(
               "SELECT count(*) FROM reeve.events WHERE type = 'leader_elected'") == 2;
  }));
  reeve.await_ready();
  support::await_run(reeve.api(), support::launch(reeve.api(), {{"tasks", {"task1"}}}).at("id"));
  command.signal(SIGCONT);
  EXPECT_EQ(command.wait(support::patience * support::time_factor()), exit_refused);
  EXPECT_THAT(support::contents_of(told), HasSubstr("the leader's lock was lost"));
  EXPECT_EQ(reeve.command({"replay"}).status, 0);
}

/// The schema of the program that leads by then is not its own.
TEST(A2_by_hand, a_migration_that_stood_still_changes_nothing_under_a_server_that_leads) {
  REEVE_TEST_TIME_LIMIT(90);
  server reeve;
  EXPECT_EQ(reeve.stop(), 0);
  const support::scratch_dir folder(support::work_dir(), "s");
  const auto stopped = folder.path() / "stopped";
  support::process command({{support::server_program(), "migrate"},
                            {{"REEVE_DATA", reeve.data()},
                             {"DATABASE_URL", reeve.database_url()},
                             {"REEVE_TEST_STOP_AT", "migrate=" + stopped.string()}}});
  ASSERT_TRUE(support::eventually([&] { return std::filesystem::exists(stopped); }));
  reeve.start_without_waiting();
  ASSERT_TRUE(support::eventually(std::chrono::seconds(20) * support::time_factor(), [&] {
    return reeve.database().number(
               "SELECT count(*) FROM reeve.events WHERE type = 'leader_elected'") == 2;
  }));
  command.signal(SIGCONT);
  EXPECT_EQ(command.wait(std::chrono::seconds(20) * support::time_factor()).value_or(0),
            exit_refused);
  reeve.await_ready();
  EXPECT_EQ(reeve.stop(), 0);
}

/// A newer program's migration came while the database was away for the server.
TEST(P28_server, ends_when_it_comes_back_to_a_newer_schema_and_is_not_started_again) {
  server reeve;
  reeve.database().exec(
      "INSERT INTO reeve.migrations (number, name, sha256) VALUES (999, '999_later', 'x');"
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
      " WHERE application_name = 'reeve-writer' AND datname = current_database()");
  EXPECT_EQ(reeve.await_exit(std::chrono::seconds(20) * support::time_factor()), exit_fenced)
      << reeve.log();
  EXPECT_THAT(reeve.whole_log(), HasSubstr("newer than this program"));
  reeve.start_without_waiting();
  EXPECT_EQ(reeve.await_exit(std::chrono::seconds(20) * support::time_factor()), exit_refused);
}

TEST(A2_by_hand, the_schema_is_not_changed_while_a_server_leads) {
  server reeve;
  const auto refused = reeve.command({"migrate"});
  EXPECT_EQ(refused.status, exit_refused) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("a server leads this log"));
  EXPECT_EQ(reeve.api().post("/api/tokens", {{"name", "t"}, {"role", "viewer"}}).status, 201);
  EXPECT_EQ(reeve.stop(), 0);
  const auto done = reeve.command({"migrate"});
  EXPECT_EQ(done.status, 0) << done.output;
}
