// What a run writes before it acts carries the epoch of a leadership that may act (A1): by it a
// later leader tells what the death of a process interrupted.

#include "tests/unit/actors/runs/run_world.hpp"

namespace {

using namespace run_world;

TEST(RUN7_epoch, of_an_intent_is_that_of_a_leadership_that_may_act) {
  world here;
  // The lease of a leader before this one may still run.
  here.lead.hold_until(real_clock().mono_us() + 300'000);
  here.launch(steps::container_task("a"));
  here.start();
  ASSERT_TRUE(here.comes_to("attempt_intended"));
  EXPECT_EQ(here.state().jobs[0].attempts.at(0).intent.epoch, 1);
}

}  // namespace
