// kill -9 of the server at random moments, while clients post and containers run: what was
// acknowledged is there, every run ends, and no attempt's container was started twice.

#include "tests/support/chaos.hpp"
#include "tests/support/engine.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/watchdog.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <set>

using nlohmann::json;
using support::server;
using support::steady_clients;
using namespace std::chrono_literals;

namespace {

constexpr int kills = 5;

void kill_again_and_again(server& reeve, steady_clients& clients, support::dice& dice,
                          int longest) {
  for (int n = 0; n < kills; ++n) {
    support::breathe(dice.moment(20, longest));
    ASSERT_TRUE(reeve.running()) << "the server ended by itself";
    reeve.crash_and_restart();
    clients.point_to(reeve.api());
    if (n % 2 == 1) support::await_end_of_active_runs(reeve);
  }
}

void expect_no_active_runs(const server& reeve) {
  auto database = reeve.database();
  EXPECT_TRUE(support::eventually(30s * support::time_factor(), [&] {
    return database.number(
               "SELECT count(*) FROM reeve_read.runs WHERE status IN "
               "('pending', 'running')") == 0;
  }));
}

/// What a kill left behind between the end of a run and the removal of its container is kept for a
/// minute before it goes; nothing of it runs, and every one of it is a run's.
void expect_known_and_ended(const std::string& label,
                            const std::vector<support::acknowledged>& all) {
  std::set<std::string> runs;
  for (const auto& one : all) runs.insert(one.id());
  for (const auto& left : support::engine().containers(label)) {
    EXPECT_TRUE(runs.contains(left.at("Labels").value("reeve.run", ""))) << left;
    EXPECT_NE(left.at("State"), "running") << left;
  }
}

class server_killed_with_containers : public testing::TestWithParam<int> {};
class server_killed_under_load : public testing::TestWithParam<int> {};

}  // namespace

TEST_P(server_killed_with_containers, starts_each_attempt_once_and_ends_every_run) {
  REEVE_TEST_TIME_LIMIT(120);
  const support::tally starts;
  support::dice dice;
  support::server_options options;
  options.docker = support::real_engine();
  options.environment["REEVE_MOUNT_ROOTS"] = starts.root();
  server reeve(options);
  const std::string label = "reeve.tenant=" + support::tenant_of(reeve.api());
  const support::engine_cleanup cleanup(support::engine(), label);
  support::allow_image(reeve.api());
  steady_clients clients({2, 7, 150ms,
                          [&](const std::string& key) {
                            return steady_clients::request{
                                "/api/runs/launch", support::inline_launch({starts.task(key)})};
                          }},
                         reeve.api());
  kill_again_and_again(reeve, clients, dice, 900);
  EXPECT_TRUE(support::eventually([&] { return clients.count() >= 6; }));
  const auto all = clients.finish();
  EXPECT_EQ(clients.unexpected(), std::vector<std::string>());
  EXPECT_GE(all.size(), 6U);
  for (const auto& one : all) {
    const json run = support::await_run(reeve.api(), one.id());
    EXPECT_EQ(run.at("status"), "success") << run.dump(1);
    const json job = support::job_named(run, "count");
    EXPECT_EQ(job.at("attempts").size(), 1U) << run.dump(1);
    EXPECT_EQ(starts.starts_of(one.key), 1) << run.dump(1);
    EXPECT_EQ(support::log_of(reeve.api(), job.at("id")), "started\ndone\n");
  }
  support::expect_done_once(reeve, all, "run-", "run_launched");
  expect_known_and_ended(label, all);
  support::expect_whole_log(reeve);
}
INSTANTIATE_TEST_SUITE_P(P1_P10_RUN7, server_killed_with_containers, testing::Range(0, 4));

TEST_P(server_killed_under_load, keeps_what_was_acknowledged) {
  REEVE_TEST_TIME_LIMIT(120);
  support::dice dice;
  server reeve;
  steady_clients clients(
      {3, 1000, 5ms,
       [](const std::string&) {
         return steady_clients::request{"/api/runs/launch", {{"tasks", {"task1"}}}};
       }},
      reeve.api());
  kill_again_and_again(reeve, clients, dice, 500);
  EXPECT_TRUE(support::eventually([&] { return clients.count() >= 20; }));
  const auto all = clients.finish();
  EXPECT_EQ(clients.unexpected(), std::vector<std::string>());
  EXPECT_GE(all.size(), 20U);
  expect_no_active_runs(reeve);
  support::expect_done_once(reeve, all, "run-", "run_launched");
  support::expect_whole_log(reeve);
}
INSTANTIATE_TEST_SUITE_P(P1_P3_P13, server_killed_under_load, testing::Range(0, 1));

// The test of the tests: an event that is missing, and a second one, are seen.
TEST(harness_chaos, sees_an_event_that_is_lost_and_a_request_that_was_done_twice) {
  server reeve;
  steady_clients clients(
      {1, 3, 0ms,
       [](const std::string& key) {
         return steady_clients::request{"/api/directives", {{"name", key}, {"tasks", {"task1"}}}};
       }},
      reeve.api());
  ASSERT_TRUE(support::eventually([&] { return clients.count() == 3; }));
  static std::vector<support::acknowledged> all;
  all = clients.finish();
  static const server* asked = nullptr;
  asked = &reeve;
  const auto expect_directives_once = [] {
    support::expect_done_once(*asked, all, "directive-", "directive_created");
  };
  expect_directives_once();
  all.push_back(all.front());
  all.back().answer["id"] = "00000000-0000-0000-0000-000000000000";
  testing::TestPartResultArray failures;
  {
    const testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &failures);
    expect_directives_once();
  }
  // No first event, another id under the same key, and one event too few.
  EXPECT_EQ(failures.size(), 3);
}
