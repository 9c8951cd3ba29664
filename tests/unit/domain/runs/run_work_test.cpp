// P26: what becomes of an attempt that crashes interrupted, and of the time for its start.
#include "tests/unit/domain/runs/run_steps.hpp"

#include <gtest/gtest.h>
#include <string>

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::code_of;
using steps::container_task;
using steps::driven_run;
using steps::id_of;

TEST(P26_quarantine, of_an_attempt_waits_for_an_operator) {
  driven_run run({container_task("a")});
  const retry_work retry{run.state.id, id_of(0), "mended"};
  const discard_work discard{run.state.id, id_of(0), "hopeless"};
  EXPECT_EQ(code_of(decide(run.state, retry)), errc::conflict);
  run.start(0);
  EXPECT_EQ(code_of(decide(run.state, discard)), errc::conflict);
  run.take(run_events{work_attempted{id_of(0), 1, 2}, work_quarantined{id_of(0), 1, 3}});
  EXPECT_TRUE(run.job(0).attempts[0].quarantined);
  EXPECT_EQ(run.status(0), job_status::running);
  EXPECT_EQ(code_of(decide(run.state, retry_work{run.state.id, id_of(9), ""})), errc::not_found);
  EXPECT_EQ(code_of(decide(run.state, discard_work{run.state.id, id_of(0), std::string(513, 'r')})),
            errc::invalid);
  EXPECT_EQ(*decide(run.state, retry), run_events{(work_released{id_of(0), 1, "mended"})});
  run.take(decide(run.state, retry));
  EXPECT_FALSE(run.job(0).attempts[0].quarantined);
  EXPECT_EQ(run.job(0).attempts[0].works, 0);
  run.take(run_events{work_quarantined{id_of(0), 1, 3}});
  EXPECT_EQ(decide(run.state, discard)->front(),
            run_event(work_discarded{id_of(0), 1, "hopeless"}));
  run.take(decide(run.state, discard));
  EXPECT_EQ(run.status(0), job_status::failed);
  EXPECT_EQ(run.job(0).reason, end_reason::quarantined);
  EXPECT_FALSE(run.job(0).attempts[0].quarantined);
}

TEST(RUN5_timeout, of_the_start_goes_on_over_a_restart_and_the_execution_has_its_own) {
  attempt_state open;
  open.intent.timeout_ms = 10'000;
  open.intent.waited_ms = 4'000;
  open.intended_at = 1'000'000;
  EXPECT_EQ(rest_ms_of(open, 1'000'000), 6'000);
  EXPECT_EQ(rest_ms_of(open, 3'000'000), 4'000);
  EXPECT_EQ(rest_ms_of(open, 90'000'000'000), 0);
  EXPECT_EQ(rest_ms_of(open, 0), 6'000) << "a clock that was put back";
  open.started_at = 20'000'000;
  EXPECT_EQ(rest_ms_of(open, 20'000'000), 10'000);
  open.intent.waited_ms = 20'000;
  open.started_at.reset();
  EXPECT_EQ(rest_ms_of(open, 1'000'000), 0);
}

TEST(P26_quarantine, counts_the_crashes_of_one_step) {
  driven_run run({container_task("a")});
  run.start(0);
  run.take(run_events{work_attempted{id_of(0), 1, 2, 7}});
  EXPECT_EQ(run.job(0).attempts[0].works, 2);
  EXPECT_EQ(run.job(0).attempts[0].tried_epoch, 7);
  // What follows the start is other work; that the start was tried again stays known.
  run.take(run_events{attempt_started{id_of(0), 1, false, {}}});
  EXPECT_EQ(run.job(0).attempts[0].works, 0);
  EXPECT_TRUE(run.job(0).attempts[0].taken_up);
}

}  // namespace
