// P33: an event was written a day ahead, by a server whose clock was wrong, and as stamps never
// decrease every later one lies a day ahead too. Jobs have their time all the same, no more and no
// less, also over a restart, and retries come after their backoff.

#include "tests/support/engine.hpp"
#include "tests/support/planted.hpp"
#include "tests/support/server.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>

using nlohmann::json;
using support::job_named;
using support::server;
using support::shell_task;

namespace {

constexpr long long day_us = 86'400'000'000;

long long newest_stamp_ahead_us(const server& reeve) {
  return reeve.database().number(
      "SELECT max(recorded_at_us) - (extract(epoch FROM now()) * 1000000)::bigint "
      "FROM reeve.events");
}

}  // namespace

TEST(P33_clock, that_was_a_day_ahead_takes_no_time_from_a_job) {
  const support::tally starts;
  const support::test_database database;
  const support::scratch_dir folder(support::work_dir() / "servers", "ahead");
  support::server_options options;
  options.docker = support::real_engine();
  options.database_url = database.url();
  options.data = folder.path() / "data";
  options.environment["REEVE_MOUNT_ROOTS"] = starts.root();
  {
    auto ahead = options;
    ahead.environment["REEVE_TEST_CLOCK_AHEAD_S"] = "86400";
    const support::other_program planted(support::planted_program());
    server wrong(ahead);
    EXPECT_EQ(wrong.stop(), 0);
  }
  server reeve(options);
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(reeve.api()));
  support::allow_image(reeve.api());
  ASSERT_GT(newest_stamp_ahead_us(reeve), day_us / 2);
  const json mounts = starts.task("a").at("params").at("mounts");
  const json params = {{"mounts", mounts}};
  const auto task = [&](const std::string& name, const std::string& script, int timeout_s) {
    return shell_task(name, script, params, {{"timeout_s", timeout_s}});
  };
  const std::string retried = "echo started >>/tally/again; [ $(wc -l </tally/again) -gt 1 ]";
  const json run = support::launch(
      reeve.api(),
      support::inline_launch({task("long", "until [ -e /tally/go ]; do sleep 0.1; done", 600),
                              task("late", "sleep 60", 1), task("again", retried, 600)},
                             {{"retries", 1}, {"retry_base_ms", 200}, {"max_parallel", 3}}));
  support::await_started(reeve.api(), run.at("id"), "long");
  support::await_job(reeve.api(), run.at("id"), "again", "success");
  reeve.crash_and_restart();
  support::await_job(reeve.api(), run.at("id"), "late", "failed");
  starts.let_go();
  const json over = support::await_run(reeve.api(), run.at("id"));
  EXPECT_EQ(job_named(over, "long").at("status"), "success") << over.dump(1);
  EXPECT_EQ(job_named(over, "long").at("attempts").size(), 1U);
  EXPECT_EQ(job_named(over, "late").at("reason"), "timed_out");
  EXPECT_EQ(starts.starts_of("again"), 2);
}
