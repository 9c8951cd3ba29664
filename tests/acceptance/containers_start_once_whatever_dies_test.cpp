// What else can go wrong around a container: the engine is killed, or the leader stands still while
// a standby goes on with its runs. No attempt's container starts twice, and every run ends.

#include "tests/support/chaos.hpp"
#include "tests/support/engine.hpp"
#include "tests/support/exit_codes.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::exit_fenced;
using support::server;
using support::steady_clients;
using namespace std::chrono_literals;

namespace {

support::server_options on(const std::string& docker, const support::tally& starts) {
  support::server_options options;
  options.docker = docker;
  options.environment["REEVE_MOUNT_ROOTS"] = starts.root();
  return options;
}

steady_clients::plan launches(const support::tally& starts, int most_each,
                              std::chrono::milliseconds pause) {
  return {2, most_each, pause, [&starts](const std::string& key) {
            return steady_clients::request{"/api/runs/launch",
                                           support::inline_launch({starts.task(key)})};
          }};
}

const std::vector<std::string> whole_log = {"started\ndone\n"};
// What a container writes and ends with while its engine is dead never reaches the engine's log
// (seen with Docker 20.10 and live restore, without Reeve): what is there must be stored.
const std::vector<std::string> log_of_a_killed_engine = {"started\ndone\n", "started\n", ""};

/// A container whose fate nobody knows is a failure, never a success, and never a second start.
/// Answers the runs that failed.
std::vector<std::string> expect_started_once(const support::api_client& api,
                                             const support::tally& starts,
                                             const std::vector<support::acknowledged>& all,
                                             const std::vector<std::string>& logs) {
  std::vector<std::string> failures;
  for (const auto& one : all) {
    const json run = support::await_run(api, one.id());
    const json job = support::job_named(run, "count");
    EXPECT_EQ(job.at("attempts").size(), 1U) << run.dump(1);
    if (run.at("status") == "success") {
      EXPECT_EQ(starts.starts_of(one.key), 1) << run.dump(1);
      EXPECT_THAT(logs, testing::Contains(support::log_of(api, job.at("id")))) << run.dump(1);
    } else {
      EXPECT_EQ(run.at("status"), "failed") << run.dump(1);
      EXPECT_LE(starts.starts_of(one.key), 1) << run.dump(1);
      failures.push_back(
          job.dump(1) +
          support::must_get(api, "/api/events?limit=100&stream=run-" + one.id()).dump(1));
    }
  }
  return failures;
}

class engine_killed : public testing::TestWithParam<int> {};
class leader_stopped : public testing::TestWithParam<int> {};

}  // namespace

TEST_P(engine_killed, starts_nothing_twice_and_every_run_ends) {
  REEVE_TEST_TIME_LIMIT(180);
  const support::tally starts;
  support::dice dice;
  support::private_dockerd dockerd;
  server reeve(on(dockerd.url(), starts));
  const support::engine_cleanup cleanup(dockerd.api(),
                                        "reeve.tenant=" + support::tenant_of(reeve.api()));
  support::allow_image(reeve.api());
  steady_clients clients(launches(starts, 5, 300ms), reeve.api());
  for (int n = 0; n < 3; ++n) {
    support::breathe(dice.moment(100, 900));
    dockerd.kill_hard();
    support::breathe(dice.moment(0, 300));
    dockerd.start();
    EXPECT_TRUE(reeve.running());
  }
  const auto all = clients.finish();
  EXPECT_EQ(clients.unexpected(), std::vector<std::string>());
  EXPECT_GE(all.size(), 4U);
  EXPECT_GE(
      all.size() - expect_started_once(reeve.api(), starts, all, log_of_a_killed_engine).size(),
      2U);
  // Once the faults have stopped all is as ever.
  const json after = support::launch(reeve.api(), support::inline_launch({starts.task("after")}));
  EXPECT_EQ(support::await_run(reeve.api(), after.at("id")).at("status"), "success");
  EXPECT_EQ(starts.starts_of("after"), 1);
  support::expect_whole_log(reeve);
}
INSTANTIATE_TEST_SUITE_P(P10_P13_P32, engine_killed, testing::Range(0, 2));

TEST_P(leader_stopped, lets_a_standby_finish_its_runs_and_starts_nothing_more) {
  REEVE_TEST_TIME_LIMIT(180);
  const support::tally starts;
  support::dice dice;
  const support::test_database database;
  auto options = on(support::real_engine(), starts);
  options.database_url = database.url();
  server first(options);
  options.start = false;
  server second(options);
  second.start_without_waiting();
  const std::string label = "reeve.tenant=" + support::tenant_of(first.api());
  const support::engine_cleanup cleanup(support::engine(), label);
  support::allow_image(first.api());
  steady_clients clients(launches(starts, 5, 100ms), first.api());
  ASSERT_TRUE(support::eventually([&] { return clients.count() >= 2; }));
  support::breathe(dice.moment(0, 1000));
  first.pause();
  second.await_ready();
  const support::api_client api(second.address(), first.token());
  clients.point_to(api);
  first.resume();
  const auto all = clients.finish();
  EXPECT_EQ(first.await_exit(10s), exit_fenced) << first.log();
  EXPECT_EQ(clients.unexpected(), std::vector<std::string>());
  EXPECT_GE(all.size(), 4U);
  EXPECT_EQ(expect_started_once(api, starts, all, whole_log), std::vector<std::string>());
  support::expect_whole_log(second);
}
INSTANTIATE_TEST_SUITE_P(P10_P31, leader_stopped, testing::Range(0, 2));
