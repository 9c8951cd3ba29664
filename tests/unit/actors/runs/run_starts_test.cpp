// The jobs of a run have their turn at the engine one after the other, each when the one before it
// has started, or ended without (RUN19).

#include "tests/unit/actors/runs/run_world.hpp"

namespace {

using namespace run_world;

struct counts {
  int waited_for = 0;  // between the intent and the start
  int beyond = 0;
};

counts count(const run_state& s) {
  counts all;
  for (const auto& job : s.jobs) {
    if (job.attempts.empty()) continue;
    const auto& its = job.attempts.front();
    ++(its.started_at || !its.is_open() ? all.beyond : all.waited_for);
  }
  return all;
}

TEST(RUN19_turns, come_as_starts_are_written) {
  world here;
  here.launch_all(
      {steps::container_task("a"), steps::container_task("b"), steps::container_task("c")});
  here.start();
  ASSERT_TRUE(support::eventually(30s, [&] {
    here.lead.confirm(1, real_clock().mono_us());
    return count(here.state()).beyond == 3;
  }));
  run_state s;
  s.tenant = steps::tenant;
  for (const auto& record : here.log.read(here.stream, 0)) {
    ASSERT_TRUE(persistence::evolve_record(s, record));
    EXPECT_LE(count(s).waited_for, 1) << "another one had its turn before: " << record.type;
  }
}

/// Where neither the job nor its image says what to run, nothing is made at the engine.
TEST(RUN11_starts, a_job_without_any_command_says_so) {
  const std::string bare = "localhost:1/bare/box:1";
  for (const bool has_command : {false, true}) {
    world here;
    auto task = steps::container_task("a");
    auto& params = std::get<domain::container_params>(task.params);
    params.image = bare;
    if (has_command) params.command = {"true"};
    here.launch_all({task}, bare);
    here.start();
    ASSERT_TRUE(here.comes_to("run_finished"));
    const auto job = here.state().jobs.front();
    EXPECT_EQ(job.attempts.size(), has_command ? 1U : 0U);
    EXPECT_EQ(job.reason,
              has_command ? domain::end_reason::exited : domain::end_reason::start_failed);
  }
}

/// Nothing runs there, so that an image pinned at a real engine is no other one.
TEST(CTR4_images, pinned_at_another_engine_do_not_fail_on_the_simulated_one) {
  world here;
  here.launch(steps::container_task("a"));
  auto pinned = steps::listing(steps::box);
  steps::take(pinned, domain::decide(pinned, domain::resolve_image{steps::id_of(900),
                                                                   "sha256:of-another-engine"}));
  here.ports.attempts.images = world::always(pinned);
  here.start();
  ASSERT_TRUE(here.comes_to("run_finished"));
  EXPECT_EQ(here.state().jobs.front().reason, domain::end_reason::exited);
}

}  // namespace
