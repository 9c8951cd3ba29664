// P27, P30: a database that is gone, or that answers nothing any more, is a state that is told
// within a second and that ends by itself; a stop does not wait for it.

#include "tests/support/private_cluster.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::launch_body;
using support::private_cluster;
using support::server;
using namespace std::chrono_literals;

namespace {

class P30_lost_log : public ::testing::Test {
 protected:
  P30_lost_log() {
    support::server_options options;
    options.database_url = cluster.create_database("app");
    reeve.emplace(options);
    EXPECT_EQ(support::await_run(reeve->api(), support::launch(reeve->api(), launch_body).at("id"))
                  .at("status"),
              "success");
  }
  int readiness() const { return reeve->anonymous().get("/readyz").status; }
  /// A second is promised; on a busy machine five times that are asserted.
  bool is_told() const {
    return support::eventually(5s * support::time_factor(), [this] { return readiness() == 503; });
  }
  /// With the reason.
  bool is_told(const std::string& why) const {
    return support::eventually(5s * support::time_factor(), [&] {
      const auto ready = reeve->anonymous().get("/readyz");
      return ready.status == 503 && ready.body.find(why) != std::string::npos;
    });
  }
  bool metrics_say(const std::string& line) const {
    return reeve->api().get("/metrics").body.find(line) != std::string::npos;
  }
  bool is_back() const {
    return support::eventually([this] { return readiness() == 200; });
  }
  /// What follows the log takes it up a moment later.
  bool is_whole() const {
    return support::eventually([this] {
      const auto ready = reeve->anonymous().get("/readyz");
      return ready.status == 200 && ready.body.find("degraded") == std::string::npos;
    });
  }

  private_cluster cluster;
  std::optional<server> reeve;
};

TEST_F(P30_lost_log, is_told_by_readyz_within_a_second_of_a_freeze_and_of_a_kill) {
  cluster.pause();
  EXPECT_TRUE(is_told("event_log (leader, the log is away)"));
  EXPECT_EQ(reeve->anonymous().get("/livez").status, 200);
  cluster.resume();
  EXPECT_TRUE(is_back());
  cluster.kill_hard();
  EXPECT_TRUE(is_told());
  cluster.start();
  EXPECT_TRUE(is_back());
  EXPECT_EQ(support::await_run(reeve->api(), support::launch(reeve->api(), launch_body).at("id"))
                .at("status"),
            "success");
}

TEST_F(P30_lost_log, that_is_frozen_does_not_hold_up_a_stop) {
  cluster.pause();
  EXPECT_TRUE(is_told());
  EXPECT_EQ(reeve->stop(), 0);
  cluster.resume();
  reeve->start();
  EXPECT_TRUE(is_back());
}

TEST_F(P30_lost_log, that_was_away_for_long_and_twice_comes_back) {
  for (int round = 0; round < 2; ++round) {
    cluster.stop();
    EXPECT_TRUE(is_told());
    const auto refused = reeve->api().post("/api/runs/launch", launch_body);
    EXPECT_EQ(refused.status, 503) << refused.body;
    cluster.start();
    EXPECT_TRUE(is_back());
  }
  EXPECT_TRUE(reeve->running());
}

TEST_F(P30_lost_log, that_may_not_be_written_any_more_is_told_and_comes_back_by_itself) {
  auto database = reeve->database();
  const auto writer = *database.cell("SELECT writer FROM reeve.runtime_roles");
  for (const char* right : {"INSERT ON reeve.events", "USAGE ON SCHEMA reeve"}) {
    database.exec("REVOKE " + std::string(right) + " FROM \"" + writer + "\"");
    EXPECT_TRUE(is_told("may not write the log")) << right << ", although nobody wrote";
    const auto refused = reeve->api().post("/api/runs/launch", launch_body);
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_NE(refused.header("Retry-After"), "");
    EXPECT_TRUE(support::eventually([&] { return metrics_say("reeve_log_available 0"); }));
    const auto told = reeve->command({"doctor"});
    EXPECT_THAT(told.output, testing::HasSubstr("GRANT " + std::string(right)));
    database.exec("GRANT " + std::string(right) + " TO \"" + writer + "\"");
    EXPECT_TRUE(is_back()) << right;
    EXPECT_TRUE(is_whole()) << right;
    EXPECT_TRUE(support::eventually([&] { return metrics_say("reeve_log_available 1"); }));
    EXPECT_EQ(support::await_run(reeve->api(), support::launch(reeve->api(), launch_body).at("id"))
                  .at("status"),
              "success");
  }
  EXPECT_TRUE(reeve->running());
}

/// A right of the reader's: without one of them requests with a key are refused, or a list is.
TEST_F(P30_lost_log, that_the_reader_may_not_read_any_more_is_told_and_comes_back_by_itself) {
  auto database = reeve->database();
  const auto reader = *database.cell("SELECT reader FROM reeve.runtime_roles");
  for (const char* right :
       {"SELECT ON reeve.commands", "SELECT ON reeve_read.runs", "USAGE ON SCHEMA reeve"}) {
    database.exec("REVOKE " + std::string(right) + " FROM \"" + reader + "\"");
    EXPECT_TRUE(is_told("lacks a right")) << right << ", although nobody asked";
    EXPECT_THAT(reeve->whole_log(), testing::HasSubstr(right));
    EXPECT_THAT(reeve->command({"doctor"}).output,
                testing::HasSubstr("GRANT " + std::string(right)));
    database.exec("GRANT " + std::string(right) + " TO \"" + reader + "\"");
    EXPECT_TRUE(is_back()) << right;
  }
}

/// The same of what keeps it out altogether, or from a function that every page of events needs.
TEST_F(P30_lost_log, that_the_reader_is_kept_out_of_is_told_and_comes_back_by_itself) {
  auto database = reeve->database();
  const auto reader = *database.cell("SELECT reader FROM reeve.runtime_roles");
  const auto login = *database.cell(
      "SELECT r.rolname FROM pg_roles r, pg_database d WHERE d.datname = current_database()"
      " AND r.rolname = 'reeve_reader_' || d.oid");
  struct {
    std::string take, give, fix;
  } const rights[] = {
      {"ALTER ROLE " + login + " NOLOGIN", "ALTER ROLE " + login + " LOGIN", "ALTER ROLE " + login},
      {"REVOKE CONNECT ON DATABASE app FROM PUBLIC", "GRANT CONNECT ON DATABASE app TO PUBLIC",
       "GRANT CONNECT ON DATABASE app"},
      {"REVOKE EXECUTE ON FUNCTION reeve.head() FROM PUBLIC, " + reader,
       "GRANT EXECUTE ON FUNCTION reeve.head() TO " + reader,
       "GRANT EXECUTE ON FUNCTION reeve.head()"}};
  for (const auto& right : rights) {
    database.exec(right.take);
    database.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" +
                  login + "'");
    EXPECT_TRUE(is_told("lacks a right")) << right.take << ", although nobody asked";
    const auto told = reeve->command({"doctor"});
    EXPECT_EQ(told.status, 1) << told.output;
    EXPECT_THAT(told.output, testing::HasSubstr(right.fix));
    database.exec(right.give);
    EXPECT_TRUE(is_back()) << right.give;
  }
}

/// The writer's sessions make temporary types; one that may not is away, and says why.
TEST_F(P30_lost_log, that_a_new_session_may_not_write_is_told_and_comes_back_by_itself) {
  auto database = reeve->database();
  database.exec("REVOKE TEMP ON DATABASE app FROM PUBLIC");
  database.exec(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
      " WHERE application_name = 'reeve-writer'");
  EXPECT_TRUE(is_told("may not write the log"));
  const auto told = reeve->command({"doctor"});
  EXPECT_EQ(told.status, 1) << told.output;
  EXPECT_THAT(told.output, testing::HasSubstr("GRANT TEMP ON DATABASE app TO"));
  database.exec("GRANT TEMP ON DATABASE app TO PUBLIC");
  EXPECT_TRUE(is_back());
  EXPECT_EQ(support::await_run(reeve->api(), support::launch(reeve->api(), launch_body).at("id"))
                .at("status"),
            "success");
}

/// PostgreSQL's own words for a full disk, without one.
TEST_F(P30_lost_log, whose_disk_is_full_is_told_and_comes_back_by_itself) {
  auto database = reeve->database();
  database.exec(
      "CREATE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql AS"
      " $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$");
  database.exec(
      "CREATE TRIGGER full_disk BEFORE INSERT ON reeve.events"
      " FOR EACH ROW EXECUTE FUNCTION public.full_disk()");
  const auto refused = reeve->api().post("/api/runs/launch", launch_body);
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_TRUE(is_told("disk of the database is full"));
  EXPECT_TRUE(support::eventually([&] { return metrics_say("reeve_log_available 0"); }));
  database.exec("DROP TRIGGER full_disk ON reeve.events");
  EXPECT_TRUE(is_back());
  EXPECT_EQ(support::await_run(reeve->api(), support::launch(reeve->api(), launch_body).at("id"))
                .at("status"),
            "success");
  EXPECT_TRUE(reeve->running());
}

/// P27: a table that somebody holds does not hold up a stop, whatever the server waits for.
TEST_F(P30_lost_log, or_a_locked_table_at_the_start_does_not_hold_up_a_stop) {
  for (const char* table : {"reeve_read.tokens", "reeve.projections"}) {
    EXPECT_EQ(reeve->stop(), 0);
    auto holder = reeve->database();
    holder.exec("BEGIN");
    holder.exec("LOCK TABLE " + std::string(table) + " IN ACCESS EXCLUSIVE MODE");
    const auto elections = "SELECT count(*) FROM reeve.events WHERE type = 'leader_elected'";
    auto database = reeve->database();
    const auto before = database.number(elections);
    reeve->start_without_waiting();
    EXPECT_TRUE(support::eventually([&] { return database.number(elections) > before; }));
    EXPECT_EQ(reeve->stop(), 0) << table;
    holder.exec("ROLLBACK");
    reeve->start();
    EXPECT_TRUE(is_back());
  }
}

/// Its process manager starts it again, and it is not refused for good.
TEST_F(P30_lost_log, before_the_start_ends_it_with_the_status_to_start_it_again) {
  constexpr int exit_again = 75;
  EXPECT_EQ(reeve->stop(), 0);
  cluster.stop();
  reeve->start_without_waiting();
  EXPECT_EQ(reeve->await_exit(20s), exit_again) << reeve->log();
  EXPECT_THAT(reeve->whole_log(), testing::HasSubstr(") cannot be used: "));
  cluster.start();
  reeve->start();
  EXPECT_TRUE(is_back());
}

}  // namespace
