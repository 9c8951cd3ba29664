// P30: what the server's logins may no longer do is told by readiness, named by the doctor with the
// statement that mends it, and taken up again by itself. The doctor calls nothing well that it has
// not seen.

#include "tests/support/private_cluster.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::private_cluster;
using support::server;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

namespace {

class P30_rights : public ::testing::Test {
 protected:
  P30_rights() {
    support::server_options options;
    options.database_url = cluster.create_database("app");
    reeve.emplace(options);
  }
  std::string login(const std::string& prefix) const {
    return *reeve->database().cell("SELECT '" + prefix +
                                   "' || oid FROM pg_database WHERE datname = current_database()");
  }
  std::string writer() const {
    return *reeve->database().cell("SELECT writer FROM reeve.runtime_roles");
  }
  void end_sessions_of(const std::string& role) const {
    reeve->database().exec(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = '" +
        role + "'");
  }
  bool says(int status, const std::string& what) const {
    return support::eventually(10s * support::time_factor(), [&] {
      const auto ready = reeve->anonymous().get("/readyz");
      return ready.status == status && ready.body.find(what) != std::string::npos;
    });
  }
  bool is_well() const {
    return support::eventually(20s * support::time_factor(), [&] {
      const auto ready = reeve->anonymous().get("/readyz");
      return ready.status == 200 && ready.body.find("degraded") == std::string::npos;
    });
  }
  void expect_named(const std::string& fix) const {
    const auto told = reeve->command({"doctor"});
    EXPECT_EQ(told.status, 1) << told.output;
    EXPECT_THAT(told.output, HasSubstr(fix));
    EXPECT_THAT(told.output, Not(HasSubstr("may append")));
  }

  private_cluster cluster;
  std::optional<server> reeve;
};

}  // namespace

TEST_F(P30_rights, to_blobs_keep_jobs_waiting_and_are_told) {
  ASSERT_TRUE(is_well());
  const auto role = writer();
  reeve->database().exec("REVOKE INSERT ON reeve.blobs FROM " + role);
  const json run = support::launch(reeve->api(), {{"tasks", {"task1"}}});
  EXPECT_TRUE(says(200, "blobs: output cannot be stored"));
  EXPECT_THAT(reeve->whole_log(), HasSubstr("blobs cannot be stored"));
  EXPECT_THAT(reeve->whole_log(), HasSubstr("42501"));
  expect_named("GRANT INSERT ON reeve.blobs TO");
  reeve->database().exec("GRANT INSERT ON reeve.blobs TO " + role);
  EXPECT_TRUE(is_well());
  EXPECT_EQ(support::await_run(reeve->api(), run.at("id")).at("status"), "success");
}

TEST_F(P30_rights, to_signed_heads_are_told) {
  ASSERT_TRUE(is_well());
  const auto role = writer();
  reeve->database().exec("REVOKE INSERT ON reeve.checkpoints FROM " + role);
  support::must_post(reeve->api(), "/api/directives", {{"name", "d"}, {"tasks", {"task1"}}}, 201);
  EXPECT_EQ(reeve->api().post("/api/checkpoints", json::object()).status, 503);
  EXPECT_TRUE(says(200, "checkpoints: heads are not signed"));
  expect_named("GRANT INSERT ON reeve.checkpoints TO");
  reeve->database().exec("GRANT INSERT ON reeve.checkpoints TO " + role);
  support::must_post(reeve->api(), "/api/checkpoints", json::object(), 201);
  EXPECT_TRUE(is_well());
}

TEST_F(P30_rights, to_a_list_are_told_to_a_client_without_the_code) {
  ASSERT_TRUE(is_well());
  const auto role = *reeve->database().cell("SELECT reader FROM reeve.runtime_roles");
  reeve->database().exec("REVOKE SELECT ON reeve_read.runs FROM " + role);
  const auto refused = reeve->api().get("/api/runs");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, testing::AllOf(HasSubstr("may not do it"), Not(HasSubstr("42501"))));
  EXPECT_THAT(reeve->whole_log(), HasSubstr("42501"));
}

/// A login with no place is no login, whatever is granted.
TEST_F(P30_rights, of_logins_that_get_no_session_are_told) {
  ASSERT_TRUE(is_well());
  for (const std::string prefix : {"reeve_reader_", "reeve_writer_"}) {
    const auto role = login(prefix);
    reeve->database().exec("ALTER ROLE " + role + " CONNECTION LIMIT 0");
    end_sessions_of(role);
    EXPECT_TRUE(
        says(503, prefix == "reeve_reader_" ? "does not let the reader's login in" : "event_log"));
    expect_named("ALTER ROLE " + role + " CONNECTION LIMIT -1");
    reeve->database().exec("ALTER ROLE " + role + " CONNECTION LIMIT -1");
    EXPECT_TRUE(is_well()) << role;
  }
}

TEST_F(P30_rights, of_a_writer_that_may_not_log_in_are_told_as_the_readers_are) {
  ASSERT_TRUE(is_well());
  const auto role = login("reeve_writer_");
  reeve->database().exec("ALTER ROLE " + role + " NOLOGIN");
  end_sessions_of(role);
  EXPECT_TRUE(says(503, "refuses the server's login; see reeve doctor"));
  // Which refusal it is, is not for everybody.
  EXPECT_THAT(reeve->anonymous().get("/readyz").body, Not(HasSubstr("28000")));
  EXPECT_THAT(reeve->whole_log(), HasSubstr("28000"));
  expect_named("ALTER ROLE " + role + " LOGIN");
  reeve->database().exec("ALTER ROLE " + role + " LOGIN");
  EXPECT_TRUE(is_well());
}

TEST_F(P30_rights, of_a_writer_that_is_set_to_read_only_are_named) {
  const auto role = login("reeve_writer_");
  reeve->database().exec("ALTER ROLE " + role + " SET default_transaction_read_only = on");
  expect_named("ALTER ROLE " + role + " IN DATABASE app SET default_transaction_read_only = off");
  reeve->database().exec("ALTER ROLE " + role + " RESET default_transaction_read_only");
  EXPECT_THAT(reeve->command({"doctor"}).output, HasSubstr("may append"));
}

TEST_F(P30_rights, that_could_not_be_looked_at_are_not_called_well) {
  cluster.pause();
  const auto told = reeve->command({"doctor", "--json"}, 60s);
  cluster.resume();
  EXPECT_EQ(told.status, 1) << told.output;
  const json report = json::parse(told.output);
  int seen = 0;
  for (const json& one : report.at("checks")) {
    if (one.at("name") != "event log" && one.at("name") != "read models") continue;
    ++seen;
    EXPECT_EQ(one.at("verdict"), "warn") << one;
    EXPECT_EQ(one.at("seen"), "not looked at");
  }
  EXPECT_EQ(seen, 2);
}
