#include "api/pace_meter.hpp"

#include <gtest/gtest.h>

using reeve::api::pace_meter;
using namespace std::chrono_literals;

TEST(P19_pace, a_pause_is_forgiven_and_a_longer_one_is_not) {
  pace_meter meter(30s, 4096);
  EXPECT_EQ(meter.left(), 30s);
  meter.waited(29s);
  EXPECT_FALSE(meter.is_spent());
  EXPECT_EQ(meter.left(), 1s);
  meter.waited(1s);
  EXPECT_TRUE(meter.is_spent());
}

TEST(P19_pace, a_trickle_is_not_forgiven_however_long_it_lasts) {
  pace_meter meter(30s, 4096);
  int seconds = 0;
  while (!meter.is_spent() && seconds < 1000) {
    meter.waited(1s);
    meter.moved(100);
    ++seconds;
  }
  EXPECT_GE(seconds, 30);
  EXPECT_LT(seconds, 35);
}

TEST(P19_pace, who_is_fast_enough_on_the_whole_goes_on_for_ever) {
  pace_meter meter(30s, 4096);
  for (int i = 0; i < 10'000; ++i) {
    // Nothing for 20 s and then all at once, as buffers in between hand it on.
    meter.waited(20s);
    ASSERT_FALSE(meter.is_spent()) << i;
    meter.moved(20 * 4096);
  }
  EXPECT_EQ(meter.left(), 30s);
}

TEST(P19_pace, nobody_saves_up_for_a_trickle) {
  pace_meter meter(30s, 4096);
  meter.moved(std::size_t{1} << 40);
  EXPECT_EQ(meter.left(), 30s);
  meter.waited(30s);
  EXPECT_TRUE(meter.is_spent());
  meter.moved(1 << 30);
  EXPECT_EQ(meter.left(), 30s);
}

TEST(P19_pace, a_clock_that_goes_back_gives_nothing) {
  pace_meter meter(100ms, 0);
  meter.waited(-5s);
  EXPECT_EQ(meter.left(), 100ms);
  meter.moved(1);
  EXPECT_EQ(meter.left(), 100ms);
}
