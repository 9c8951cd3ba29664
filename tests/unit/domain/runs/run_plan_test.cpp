// What a run wants next: needs, the parallel limit, priority, backoff, and how it ends.

#include "tests/unit/domain/runs/run_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::container_task;
using steps::driven_run;
using steps::id_of;

using ids = std::vector<uuid>;

std::vector<task_spec> diamond() {
  return {container_task("a"), container_task("b", {"a"}), container_task("c", {"a"}),
          container_task("d", {"b", "c"})};
}

TEST(RUN5_plan_needs, are_followed_through_a_diamond) {
  driven_run run(diamond());
  EXPECT_EQ(run.startable(), ids{id_of(0)});
  run.start(0);
  EXPECT_TRUE(run.startable().empty());
  run.succeed(0);
  EXPECT_EQ(run.startable(), (ids{id_of(1), id_of(2)}));
  run.start(1);
  run.start(2);
  run.succeed(1);
  EXPECT_TRUE(run.startable().empty());
  run.succeed(2);
  EXPECT_EQ(run.startable(), ids{id_of(3)});
  run.start(3);
  run.succeed(3);
  run.next();
  EXPECT_EQ(run.state.status, run_status::success);
}

TEST(RUN5_plan_needs, that_fail_cancel_what_depends_on_them_in_turn) {
  driven_run run(diamond());
  run.start(0);
  run.succeed(0);
  run.start(1);
  run.start(2);
  run.fail(1);
  EXPECT_EQ(plan(run.state, run.resting()).events,
            (run_events{job_finished{id_of(3), job_status::cancelled, end_reason::need_failed}}));
  run.next();
  EXPECT_EQ(run.state.status, run_status::running) << "the other arm goes on";
  run.succeed(2);
  EXPECT_EQ(plan(run.state, run.resting()).events, (run_events{run_finished{run_status::partial}}));
  run.next();
  EXPECT_EQ(run.state.finished_at, run.now);
}

TEST(RUN5_plan_needs, cascade_whatever_the_order_of_the_tasks) {
  driven_run run({container_task("c", {"b"}), container_task("b", {"a"}), container_task("a"),
                  container_task("d", {"c", "a"})});
  run.take(decide_refuse(run.state, id_of(2), end_reason::image_missing));
  const auto p = plan(run.state, run.resting());
  ASSERT_EQ(p.events.size(), 4U);
  EXPECT_EQ(p.events.back(), run_event(run_finished{run_status::failed}));
  run.next();
  for (const int n : {0, 1, 3}) {
    EXPECT_EQ(run.status(n), job_status::cancelled);
    EXPECT_EQ(run.job(n).reason, end_reason::need_failed);
    EXPECT_TRUE(run.job(n).attempts.empty());
  }
}

TEST(RUN5_plan_limit, is_never_exceeded_and_filled_again) {
  directive_limits limits;
  limits.max_parallel = 2;
  driven_run run({container_task("a"), container_task("b"), container_task("c")}, limits);
  EXPECT_EQ(run.startable(), (ids{id_of(0), id_of(1)}));
  run.start(0);
  EXPECT_EQ(run.startable(), ids{id_of(1)});
  run.start(1);
  EXPECT_TRUE(run.startable().empty());
  run.fail(0);
  EXPECT_EQ(run.startable(), ids{id_of(2)}) << "a failure of another stops nobody";
}

TEST(RUN5_plan_priority, comes_first_and_equal_ones_keep_their_order) {
  std::vector<task_spec> tasks{container_task("a"), container_task("b"), container_task("c"),
                               container_task("d")};
  tasks[1].priority = -1;
  tasks[2].priority = 1000;
  driven_run run(tasks);
  EXPECT_EQ(run.startable(), (ids{id_of(2), id_of(0), id_of(3), id_of(1)}));
}

TEST(RUN5_plan_backoff, doubles_up_to_five_minutes) {
  directive_limits limits;
  limits.retries = 10;
  limits.retry_base_ms = 40'000;
  driven_run run({container_task("a")}, limits);
  for (const std::int64_t seconds : {40, 80, 160, 300, 300, 300, 300, 300, 300, 300}) {
    run.start(0);
    run.fail(0);
    const auto p = run.next();
    EXPECT_TRUE(p.startable.empty());
    const auto wake_at = run.wake_at();
    ASSERT_EQ(wake_at, run.now + seconds * us_per_second);
    run.now = wake_at - 1;
    EXPECT_TRUE(run.startable().empty());
    run.now = wake_at;
    EXPECT_EQ(run.startable(), ids{id_of(0)});
  }
  run.start(0);
  run.fail(0);
  run.next();
  EXPECT_EQ(run.job(0).attempts.size(), 11U);
  EXPECT_EQ(run.state.status, run_status::failed);
}

TEST(RUN5_plan_backoff, of_the_task_wins_over_the_directive_and_a_later_success_counts) {
  auto own = container_task("own");
  own.retries = 1;
  driven_run run({own, container_task("b")});
  run.start(0);
  run.fail(0);
  EXPECT_EQ(run.status(0), job_status::pending);
  run.next();
  run.now = run.wake_at();
  run.start(0);
  run.succeed(0);
  run.start(1);
  run.fail(1);
  EXPECT_EQ(run.status(1), job_status::failed) << "the directive has no retries";
  run.next();
  EXPECT_EQ(run.state.status, run_status::partial);
}

TEST(RUN5_plan_backoff, wakes_for_the_earliest_job_while_others_start) {
  directive_limits limits;
  limits.retries = 1;
  driven_run run({container_task("a"), container_task("b"), container_task("c")}, limits);
  run.start(0);
  run.start(1);
  run.fail(0);
  const auto first = run.now;
  run.now += 500'000;
  run.fail(1);
  const auto p = run.next();
  EXPECT_EQ(run.wake_at(), first + us_per_second);
  EXPECT_EQ(p.startable, ids{id_of(2)});
}

TEST(P33_rest, of_a_span_never_exceeds_it_whatever_the_clocks_say) {
  constexpr time_us second = us_per_second;
  constexpr time_us day = 86'400 * second;
  EXPECT_EQ(rest_ms(100 * second, 10'000, 100 * second), 10'000);
  EXPECT_EQ(rest_ms(100 * second, 10'000, 103 * second), 7'000);
  EXPECT_EQ(rest_ms(100 * second, 10'000, 200 * second), 0);
  // An event written a day ahead makes everything after it a day ahead.
  EXPECT_EQ(rest_ms(day, 10'000, 100 * second), 10'000);
  EXPECT_EQ(rest_ms(100 * second, 10'000, day), 0);
}

TEST(RUN5_plan_end, follows_from_what_the_jobs_became) {
  using jobs = std::vector<job_status>;
  const auto ended = [](const jobs& wanted) {
    std::vector<task_spec> tasks;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      tasks.push_back(container_task("t" + std::to_string(i)));
    }
    driven_run run(tasks);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const int n = static_cast<int>(i);
      run.start(n);
      wanted[i] == job_status::success ? run.succeed(n) : run.fail(n);
    }
    run.next();
    return run.state.status;
  };
  const auto good = job_status::success;
  const auto bad = job_status::failed;
  EXPECT_EQ(ended({good}), run_status::success);
  EXPECT_EQ(ended({good, good}), run_status::success);
  EXPECT_EQ(ended({bad}), run_status::failed);
  EXPECT_EQ(ended({bad, bad}), run_status::failed);
  EXPECT_EQ(ended({good, bad}), run_status::partial);
}

TEST(RUN5_plan_end, is_final) {
  driven_run run({container_task("a")});
  run.start(0);
  run.succeed(0);
  run.next();
  const auto p = plan(run.state, run.resting());
  EXPECT_TRUE(p.events.empty());
  EXPECT_TRUE(p.startable.empty());
  EXPECT_FALSE(decide(run.state, cancel_run{run.state.id}));
  EXPECT_FALSE(decide_intend(run.state, id_of(0), steps::intent_on()));
  EXPECT_FALSE(decide_refuse(run.state, id_of(0), end_reason::image_missing));
  EXPECT_FALSE(decide_end(run.state, id_of(0), {end_reason::exited, 0}));
}

TEST(RUN5_plan_end, of_nothing_is_nothing) {
  const auto p = plan(run_state{});
  EXPECT_TRUE(p.events.empty());
  EXPECT_TRUE(p.startable.empty());
}

TEST(RUN5_plan, is_the_same_again_until_its_events_are_written) {
  driven_run run({container_task("a"), container_task("b", {"a"})});
  run.start(0);
  run.fail(0);
  const auto once = plan(run.state, run.resting());
  const auto twice = plan(run.state, run.resting());
  EXPECT_EQ(once.events, twice.events);
  EXPECT_EQ(once.events.size(), 2U);
  run.take(once.events);
  EXPECT_TRUE(plan(run.state, run.resting()).events.empty());
}

}  // namespace
