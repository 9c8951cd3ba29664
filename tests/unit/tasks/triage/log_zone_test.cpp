// RUN6: what a time without a zone means on this machine.
#include "tasks/triage/log_zone.hpp"

#include <ctime>
#include <gtest/gtest.h>

TEST(RUN6_zone, is_that_of_the_machine) {
  using reeve::us_per_second;
  for (const std::time_t at : {1'768'392'000, 1'784'030'400, 1'795'172'400}) {
    std::tm wall{};
    ASSERT_NE(::localtime_r(&at, &wall), nullptr);
    const auto local = (at + wall.tm_gmtoff) * us_per_second;
    EXPECT_EQ(reeve::tasks::machine_offset_s(local), wall.tm_gmtoff);
    EXPECT_EQ(reeve::tasks::machine_offset_s(local), wall.tm_gmtoff) << "from what it remembers";
  }
}
