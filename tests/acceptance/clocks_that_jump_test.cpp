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
      support::inline_launch({task("long", support::tally::until_go, 600),
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

TEST(P33_clock, that_is_eight_days_ahead_forgets_no_key) {
  const support::test_database database;
  const support::scratch_dir folder(support::work_dir() / "servers", "week");
  support::server_options options;
  options.database_url = database.url();
  options.data = folder.path() / "data";
  const json directive = {{"name", "d"}, {"tasks", {"task1"}}};
  const json launch = {{"tasks", {"task1"}}};
  const support::header_list key = {{"Idempotency-Key", "once"}};
  std::string made, launched;
  {
    server first(options);
    const auto answer = first.api().post("/api/directives", directive, key);
    ASSERT_EQ(answer.status, 201) << answer.body;
    made = answer.body;
    launched = first.api().post("/api/runs/launch", launch, key).body;
    EXPECT_EQ(first.stop(), 0);
  }
  auto ahead = options;
  ahead.environment["REEVE_TEST_CLOCK_AHEAD_S"] = std::to_string(8 * 86400);
  const support::other_program planted(support::planted_program());
  server next(ahead);
  EXPECT_EQ(next.api().post("/api/directives", directive, key).body, made);
  EXPECT_EQ(next.api().post("/api/runs/launch", launch, key).body, launched);
  EXPECT_EQ(
      next.api().post("/api/directives", {{"name", "other"}, {"tasks", {"task1"}}}, key).status,
      422)
      << "it stands for another request";
  // What was begun behind the jump keeps its key when the clock is right again.
  const support::header_list later = {{"Idempotency-Key", "later"}};
  const auto of_later = next.api().post("/api/directives", directive, later).body;
  EXPECT_EQ(next.stop(), 0);
  const support::other_program usual("");
  server last(options);
  EXPECT_EQ(last.api().post("/api/directives", directive, later).body, of_later);
}
