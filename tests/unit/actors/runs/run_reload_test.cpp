// A run whose appends are refused reads the log again and goes on, less and less often (RUN7).

#include "tests/unit/actors/runs/run_world.hpp"

namespace {

using namespace run_world;

TEST(RUN7_reload, comes_less_and_less_often_while_appends_fail_and_ends_when_one_does_not) {
  world here;
  here.launch(steps::container_task("a"));
  constexpr int refusals = 5;
  here.log.refuse(refusals);
  here.start();
  ASSERT_TRUE(here.comes_to("attempt_intended"));
  const auto at = here.log.refused_at_us();
  ASSERT_EQ(at.size(), static_cast<std::size_t>(refusals));
  // The first time it is read again at once.
  std::int64_t pause_us = 200'000;
  for (std::size_t n = 2; n < at.size(); ++n, pause_us *= 2) {
    EXPECT_GE(at[n] - at[n - 1], pause_us) << n;
  }
  EXPECT_EQ(here.state().jobs[0].attempts.size(), 1U);
}

}  // namespace
