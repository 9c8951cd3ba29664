// kill -9 of the server while 64 clients launch at once, at a random moment: each of them has a
// launch in flight. What was acknowledged is there once, and every run ends.

#include "tests/support/chaos.hpp"
#include "tests/support/watchdog.hpp"

#include <gtest/gtest.h>

using support::server;
using support::steady_clients;
using namespace std::chrono_literals;

namespace {

constexpr int in_flight = 64;
constexpr std::size_t before_the_kill = 8;  // acknowledged, so that there is something to lose

class P1_P3_kill_under_load : public testing::Test {
 protected:
  static void TearDownTestSuite() { support::tell_row("kill_under_load", good_, done_, done_); }

  void kill_once(support::dice& dice) {
    server reeve;
    steady_clients clients(
        {in_flight, 1000, 0ms,
         [](const std::string&) {
           return steady_clients::request{"/api/runs/launch", {{"tasks", {"task1"}}}};
         }},
        reeve.api());
    EXPECT_TRUE(support::eventually([&] { return clients.count() >= before_the_kill; }));
    support::breathe(dice.moment(0, 150));
    EXPECT_GE(clients.asking(), in_flight / 2) << "most clients were done before the kill";
    reeve.crash_and_restart();
    clients.point_to(reeve.api());
    const auto all = clients.finish();
    EXPECT_EQ(clients.unexpected(), std::vector<std::string>());
    EXPECT_GE(all.size(), static_cast<std::size_t>(in_flight));
    support::await_end_of_active_runs(reeve);
    support::expect_done_once(reeve, all, "run-", "run_launched");
    support::expect_whole_log(reeve);
  }

  static inline int done_ = 0;
  static inline int good_ = 0;
};

}  // namespace

TEST_F(P1_P3_kill_under_load, loses_nothing_acknowledged_and_every_run_ends) {
  REEVE_TEST_TIME_LIMIT(90 * support::chaos_repeats());
  support::dice dice;
  for (int n = 0; n < support::chaos_repeats(); ++n) {
    const bool was_good = !HasFailure();
    kill_once(dice);
    ++done_;
    if (was_good && !HasFailure()) ++good_;
  }
}
