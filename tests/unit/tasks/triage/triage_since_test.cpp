// RUN6: what a triage leaves out because an earlier run has read it.

#include "tasks/triage/triage_since.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using domain::log_triage_params;
using names = std::vector<std::string>;

constexpr time_us began = 77 * us_per_second;

domain::task_spec since_triage_of(log_triage_params params,
                                  const std::string& name = "log_triage") {
  domain::task_spec task;
  task.name = name;
  task.params = std::move(params);
  return task;
}

domain::run_launched launched(domain::task_spec task, std::optional<std::string> since) {
  domain::run_launched e;
  e.directive.tasks = {std::move(task)};
  e.since = std::move(since);
  e.since_at = domain::timestamp{began};
  return e;
}

domain::run_state run_of(domain::task_spec task) {
  domain::run_state run;
  evolve(run, launched(std::move(task), std::nullopt), {});
  return run;
}

TEST(RUN6_since, of_a_task_wins_over_the_launchs) {
  auto task = since_triage_of({});
  const auto launch = launched(task, "2026-01-01T00:00:00Z");
  EXPECT_EQ(tasks::since_of(launch, task, nullptr), *parse_time("2026-01-01T00:00:00Z"));
  task.since = "2025-01-01T00:00:00Z";
  EXPECT_EQ(tasks::since_of(launch, task, nullptr), *parse_time("2025-01-01T00:00:00Z"));
  EXPECT_EQ(
      tasks::since_of(launched(since_triage_of({}), std::nullopt), since_triage_of({}), nullptr),
      0);
}

TEST(RUN6_since, last_success_limits_what_that_run_has_read) {
  for (const auto& params :
       {log_triage_params{}, log_triage_params{names{"web"}, names{"a.log"}, std::nullopt}}) {
    const auto task = since_triage_of(params);
    auto before = params;
    before.max_lines = 7;
    const auto run = run_of(since_triage_of(before));
    EXPECT_EQ(tasks::since_of(launched(task, "last_success"), task, &run), began);
  }
}

TEST(RUN6_since, last_success_leaves_out_nothing_that_was_never_read) {
  const auto task = since_triage_of({std::nullopt, names{"a.log", "new.log"}, std::nullopt});
  const auto launch = launched(task, "last_success");
  EXPECT_EQ(tasks::since_of(launch, task, nullptr), 0);
  domain::task_spec other;
  other.name = task.name;
  other.params = domain::gpu_report_params{};
  for (const auto& one :
       {since_triage_of({std::nullopt, names{"a.log"}, std::nullopt}), since_triage_of({}),
        since_triage_of({names{"web"}, names{"a.log", "new.log"}, std::nullopt}),
        since_triage_of({std::nullopt, names{"a.log", "new.log"}, std::nullopt}, "x"), other}) {
    const auto run = run_of(one);
    EXPECT_EQ(tasks::since_of(launch, task, &run), 0) << one.name;
  }
  auto ahead = launch;
  ahead.since_at.reset();  // its stamp lay ahead of the clock
  const auto run = run_of(task);
  EXPECT_EQ(tasks::since_of(ahead, task, &run), 0);
}

}  // namespace
