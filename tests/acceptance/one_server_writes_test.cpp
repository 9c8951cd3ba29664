// Several servers on one database: one leads, the others wait; a leader that was left behind can
// write nothing any more and says so with its exit status.

#include "tests/support/chaos.hpp"
#include "tests/support/exit_codes.hpp"
#include "tests/support/work.hpp"

#include <future>
#include <gtest/gtest.h>

using nlohmann::json;
using support::exit_fenced;
using support::launch_body;
using support::server;
using namespace std::chrono_literals;

namespace {

support::server_options on(const support::test_database& database, bool start = true) {
  support::server_options options;
  options.database_url = database.url();
  options.start = start;
  return options;
}

bool says(const server& reeve, const std::string& text) {
  return reeve.whole_log().find(text) != std::string::npos;
}

void start_standby(server& reeve) {
  reeve.start_without_waiting();
  ASSERT_TRUE(support::eventually([&] { return says(reeve, "reeve: standby"); }));
}

bool answers(server& reeve) {
  try {
    return reeve.address().port > 0;
  } catch (const std::logic_error&) {
    return false;
  }
}

/// The second server with the token that the first one made.
support::api_client api_of(const server& second, const server& first) {
  return support::api_client(second.address(), first.token());
}

long long elections(const server& reeve) {
  return reeve.database().number("SELECT count(*) FROM reeve.events WHERE type = 'leader_elected'");
}

/// What a network that breaks does to a leader: its sessions are gone, and it does not know.
void cut_off(const server& leader) {
  leader.database().exec(
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
      "database = (SELECT oid FROM pg_database WHERE datname = current_database())");
}

}  // namespace

TEST(P31_standby, does_not_lead_while_the_leader_lives_and_takes_over_after_its_death) {
  const support::test_database database;
  server first(on(database));
  server second(on(database, false));
  start_standby(second);
  const json run = support::launch(first.api(), launch_body);
  support::await_run(first.api(), run.at("id"));
  EXPECT_FALSE(answers(second));
  EXPECT_EQ(elections(first), 1);
  first.kill_hard();
  second.await_ready();
  const auto api = api_of(second, first);
  EXPECT_EQ(support::must_get(api, "/api/runs/" + run.at("id").get<std::string>()).at("status"),
            "success");
  const json next = support::launch(api, launch_body);
  EXPECT_EQ(support::await_run(api, next.at("id")).at("status"), "success");
  EXPECT_EQ(elections(second), 2);
  support::expect_whole_log(second);

  // The first one comes back and waits in turn; a signal ends its wait.
  start_standby(first);
  EXPECT_EQ(first.stop(), 0);
  EXPECT_EQ(elections(second), 2);
  EXPECT_EQ(support::must_get(api, "/readyz").at("status"), "ready");
}

TEST(GW4_standby, is_alive_says_that_it_waits_and_refuses_the_rest) {
  const support::test_database database;
  server first(on(database));
  server second(on(database, false));
  start_standby(second);
  const auto at = second.standby_address();
  ASSERT_TRUE(at);
  const support::api_client admin(*at, first.token());
  const auto anonymous = admin.as("");
  EXPECT_EQ(anonymous.get("/livez").status, 200);
  for (const char* target : {"/readyz", "/readyz?verbose"}) {
    const auto ready = anonymous.get(target);
    EXPECT_EQ(ready.status, 503);
    EXPECT_EQ(ready.header("Retry-After"), "1");
    EXPECT_EQ(ready.json().at("detail"), "not ready: event_log (standby)");
  }
  for (const auto& who : {admin, anonymous, admin.as("rv_wrong")}) {
    for (const auto& answer :
         {who.get("/api/runs"), who.get("/no-such-thing"), who.get("/api/openapi.json"),
          who.get("/api/events/stream"), who.post("/api/runs/launch", launch_body)}) {
      EXPECT_EQ(answer.status, 503) << answer.body;
      EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
      EXPECT_EQ(answer.header("Retry-After"), "1");
      EXPECT_EQ(answer.json().at("code"), "unavailable");
    }
  }
  EXPECT_EQ(support::must_get(first.api(), "/api/runs").at("results").size(), 0U);
  first.kill_hard();
  second.await_ready();
  // The same port, from the moment on at which it leads.
  EXPECT_EQ(second.address(), *at);
  EXPECT_EQ(anonymous.get("/readyz").status, 200);
  EXPECT_EQ(support::await_run(admin, support::launch(admin, launch_body).at("id")).at("status"),
            "success");
}

TEST(GW4_standby, shows_its_metrics_to_the_tokens_of_the_log) {
  const support::test_database database;
  server first(on(database));
  server second(on(database, false));
  start_standby(second);
  const support::api_client admin(second.standby_address().value(), first.token());
  const auto sees_soon = [](const support::api_client& who, int status) {
    return support::eventually([&] { return who.get("/metrics").status == status; });
  };
  EXPECT_TRUE(sees_soon(admin, 200));
  EXPECT_NE(admin.get("/metrics").body.find("reeve_http_requests_total"), std::string::npos);
  EXPECT_EQ(admin.as("").get("/metrics").status, 401);
  // Made and revoked at the leader while the other one waits.
  const json made =
      support::must_post(first.api(), "/api/tokens", {{"name", "probe"}, {"role", "admin"}}, 201);
  const auto probe = admin.as(made.at("token"));
  EXPECT_TRUE(sees_soon(probe, 200));
  support::must_post(first.api(), "/api/tokens/" + made.at("id").get<std::string>() + "/revoke",
                     json::object(), 200);
  EXPECT_TRUE(sees_soon(probe, 401));
}

TEST(GW4_standby, is_not_confused_by_a_port_that_is_taken) {
  const support::test_database database;
  server first(on(database));
  auto options = on(database, false);
  options.listen = "127.0.0.1:" + std::to_string(first.address().port);
  server second(options);
  second.start_without_waiting();
  // It ends before it could ever lead without being reachable.
  EXPECT_NE(second.await_exit(10s), 0);
  EXPECT_NE(second.whole_log().find("cannot bind"), std::string::npos);
  EXPECT_NE(second.whole_log().find("--listen (REEVE_LISTEN)"), std::string::npos);
  EXPECT_EQ(elections(first), 1);
}

TEST(P31_standby, goes_on_with_what_the_leader_had_begun) {
  const support::test_database database;
  server first(on(database));
  server second(on(database, false));
  start_standby(second);
  std::vector<std::string> runs;
  for (int n = 0; n < 10; ++n) {
    const auto answer = first.api().post("/api/runs/launch", launch_body,
                                         {{"Idempotency-Key", "k" + std::to_string(n)}});
    ASSERT_EQ(answer.status, 201) << answer.body;
    runs.push_back(answer.json().at("id"));
  }
  first.kill_hard();
  second.await_ready();
  const auto api = api_of(second, first);
  for (std::size_t n = 0; n < runs.size(); ++n) {
    EXPECT_EQ(support::await_run(api, runs[n]).at("status"), "success");
    const auto again =
        api.post("/api/runs/launch", launch_body, {{"Idempotency-Key", "k" + std::to_string(n)}});
    EXPECT_EQ(again.json().at("id"), runs[n]);
  }
  support::expect_whole_log(second);
}

TEST(P31_fence, refuses_a_leader_that_was_paused_while_another_took_over) {
  const support::test_database database;
  server first(on(database));
  server second(on(database, false));
  start_standby(second);
  const auto paused = first.api();
  const json before = support::launch(paused, launch_body);
  support::await_run(paused, before.at("id"));
  first.pause();
  // These wait in the paused leader's sockets and are the first that it sees when it wakes.
  std::vector<std::future<int>> late;
  for (int n = 0; n < 4; ++n) {
    late.push_back(std::async(std::launch::async, [&paused] {
      support::http_request request{"POST", "/api/runs/launch", {}, launch_body.dump(), 20s};
      try {
        return paused.call(std::move(request)).status;
      } catch (const support::http_error&) {
        return 0;
      }
    }));
  }
  cut_off(first);
  second.await_ready();
  const auto api = api_of(second, first);
  const json run = support::launch(api, launch_body);
  first.resume();
  EXPECT_EQ(first.await_exit(10s), exit_fenced) << first.log();
  for (auto& one : late) EXPECT_NE(one.get(), 201);
  EXPECT_EQ(support::await_run(api, run.at("id")).at("status"), "success");
  EXPECT_EQ(support::must_get(api, "/api/runs").at("results").size(), 2U);
  EXPECT_EQ(elections(second), 2);
  // Behind the second election everything is the second leader's.
  EXPECT_EQ(second.database().number(
                "SELECT count(*) FROM reeve.events WHERE epoch = 1 AND position > (SELECT position "
                "FROM reeve.events WHERE type = 'leader_elected' AND epoch = 2)"),
            0);
  support::expect_whole_log(second);
}

TEST(P31_standby, takes_over_from_a_leader_that_stands_still_with_its_sessions_open) {
  const support::test_database database;
  server first(on(database));
  server second(on(database, false));
  start_standby(second);
  support::await_run(first.api(), support::launch(first.api(), launch_body).at("id"));
  first.pause();
  second.await_ready();
  const auto api = api_of(second, first);
  const json run = support::launch(api, launch_body);
  first.resume();
  EXPECT_EQ(first.await_exit(10s), exit_fenced) << first.log();
  EXPECT_EQ(support::await_run(api, run.at("id")).at("status"), "success");
  EXPECT_EQ(elections(second), 2);
  support::expect_whole_log(second);
}

TEST(P31_standby, leaves_a_leader_alone_that_has_nothing_to_do) {
  const support::test_database database;
  server first(on(database));
  server second(on(database, false));
  start_standby(second);
  // Longer than the silence after which a leader counts as gone.
  support::breathe(8s);
  EXPECT_FALSE(answers(second));
  EXPECT_EQ(elections(first), 1);
  EXPECT_EQ(first.anonymous().get("/readyz").status, 200);
  EXPECT_EQ(second.stop(), 0);
}

/// Sessions of a leader's, as PostgreSQL tells.
std::int64_t leaders(support::pg& looker, const std::string& those = "true") {
  return looker.number(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reeve-writer' AND "
      "datname = current_database() AND " +
      those);
}

TEST(P31_fence, lets_a_leader_go_on_that_stood_still_for_a_moment_only) {
  const support::test_database database;
  server only(on(database));
  only.pause();
  auto looker = only.database();
  ASSERT_TRUE(support::eventually(
      [&] { return leaders(looker, "state_change < now() - interval '2 s'") == 1; }));
  only.resume();
  EXPECT_EQ(support::await_run(only.api(), support::launch(only.api(), launch_body).at("id"))
                .at("status"),
            "success");
  EXPECT_EQ(elections(only), 1);
}

/// As a laptop does that slept. Whoever waits with another login could not end the session.
TEST(P31_fence, ends_the_session_of_a_leader_that_stands_still_and_lets_it_lead_again) {
  REEVE_TEST_TIME_LIMIT(60);
  const support::test_database database;
  server only(on(database));
  only.pause();
  auto looker = only.database();
  ASSERT_TRUE(support::eventually([&] { return leaders(looker) == 0; }));
  only.resume();
  ASSERT_TRUE(support::eventually([&] { return elections(only) == 2; }));
  ASSERT_TRUE(support::eventually([&] { return only.anonymous().get("/readyz").status == 200; }));
  EXPECT_EQ(support::await_run(only.api(), support::launch(only.api(), launch_body).at("id"))
                .at("status"),
            "success");
  EXPECT_TRUE(only.running());
  support::expect_whole_log(only);
}

/// Builds of what access rests on come first, and a backup holds up their switch.
TEST(P31_standby, leaves_a_leader_alone_that_builds_for_long_before_its_first_request) {
  REEVE_TEST_TIME_LIMIT(180);
  const support::test_database database;
  server first(on(database));
  auto options = on(database, false);
  options.ready_within = 60s;
  server second(options);
  start_standby(second);
  support::pg backup(database.url());
  backup.exec("BEGIN; LOCK TABLE reeve_read.tokens IN ACCESS SHARE MODE");
  first.database().exec("UPDATE reeve.projections SET version = version + 7 WHERE name = 'tokens'");
  first.kill_hard();
  ASSERT_TRUE(support::eventually([&] { return elections(second) == 2; }));
  start_standby(first);
  // A turn of one throwing the other over took 7 s.
  EXPECT_FALSE(support::eventually(20s, [&] { return elections(second) != 2; }));
  EXPECT_FALSE(answers(second)) << "it still builds";
  backup.exec("ROLLBACK");
  second.await_ready();
  const auto api = api_of(second, first);
  EXPECT_EQ(support::await_run(api, support::launch(api, launch_body).at("id")).at("status"),
            "success");
  EXPECT_EQ(elections(second), 2);
  EXPECT_EQ(first.stop(), 0);
}

TEST(P31_fence, lets_a_leader_that_lost_only_its_session_go_on) {
  const support::test_database database;
  server only(on(database));
  for (int n = 0; n < 3; ++n) {
    cut_off(only);
    ASSERT_TRUE(support::eventually([&] {
      return only.api()
                 .post("/api/runs/launch", launch_body, {{"Idempotency-Key", std::to_string(n)}})
                 .status == 201;
    }));
  }
  EXPECT_TRUE(only.running());
  EXPECT_EQ(support::must_get(only.api(), "/api/runs").at("results").size(), 3U);
  support::expect_whole_log(only);
}

TEST(P31_start, of_several_servers_at_once_has_one_leader) {
  const support::test_database database;
  server one(on(database, false));
  server two(on(database, false));
  server three(on(database, false));
  std::vector<server*> all = {&one, &two, &three};
  for (auto* each : all) each->start_without_waiting();
  ASSERT_TRUE(support::eventually([&] {
    int settled = 0;
    for (auto* each : all) settled += answers(*each) || says(*each, "reeve: standby");
    return settled == 3;
  }));
  int leading = 0;
  for (auto* each : all) leading += answers(*each);
  EXPECT_EQ(leading, 1);
  EXPECT_EQ(one.database().number("SELECT count(*) FROM reeve.log"), 1);
  EXPECT_EQ(elections(one), 1);
}

/// Its locks on the log and the read models would keep everybody out for as long as it stands.
TEST(P31_standby, leads_although_the_leader_stands_still_in_the_switch_of_a_read_model) {
  REEVE_TEST_TIME_LIMIT(120);
  const support::test_database database;
  const support::scratch_dir folder(support::work_dir(), "s");
  auto options = on(database);
  options.environment["REEVE_TEST_STOP_AT"] = "switch=" + (folder.path() / "stopped").string();
  server first(options);
  server second(on(database, false));
  start_standby(second);
  const auto id = support::launch(first.api(), launch_body).at("id").get<std::string>();
  EXPECT_EQ(support::await_run(first.api(), id).at("status"), "success");
  auto asked = std::async(std::launch::async, [&] {
    return first.command({"rebuild", "runs"}, 60s);
  });
  ASSERT_TRUE(
      support::eventually([&] { return std::filesystem::exists(folder.path() / "stopped"); }));
  second.await_ready();
  const auto api = api_of(second, first);
  EXPECT_EQ(support::await_run(api, support::launch(api, launch_body).at("id")).at("status"),
            "success");
  first.resume();
  EXPECT_EQ(first.await_exit(30s * support::time_factor()), exit_fenced);
  asked.wait();
  EXPECT_EQ(second.command({"rebuild", "runs"}, 60s).status, 0);
  EXPECT_EQ(second.command({"replay"}, 60s).status, 0);
}

/// Another process that stands still there, for instance.
TEST(P27_stop, ends_a_server_that_waits_at_its_start_for_who_makes_the_roles) {
  const support::test_database database;
  support::pg other(database.url());
  other.query("SELECT pg_advisory_lock(491496043110)");
  server reeve(on(database, false));
  reeve.start_without_waiting();
  ASSERT_TRUE(support::eventually([&] {
    return other.number(
               "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND "
               "database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 1;
  }));
  EXPECT_EQ(reeve.stop(), 0) << reeve.log();
}
