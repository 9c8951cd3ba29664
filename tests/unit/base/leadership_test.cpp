#include "base/leadership.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

namespace {

using namespace reeve;

struct hand_clock : clock_port {
  time_us now_us() override { return mono; }
  std::int64_t mono_us() override { return mono; }
  std::atomic<std::int64_t> mono{1'000'000};
};

constexpr std::int64_t ms = 1000;

class P10_leadership : public ::testing::Test {
 protected:
  hand_clock clock;
  leadership lead{clock};
};

TEST_F(P10_leadership, allows_nothing_before_it_was_confirmed) {
  EXPECT_FALSE(lead.token());
  EXPECT_FALSE(lead.holds());
  EXPECT_FALSE(lead.allows({0}));
  EXPECT_FALSE(lead.heard_within(INT64_C(1) << 60));
}

TEST_F(P10_leadership, runs_for_the_lease_from_before_the_statement_was_sent) {
  const auto asked = clock.mono.load();
  clock.mono += 2000 * ms;  // a slow answer
  lead.confirm(7, asked);
  EXPECT_EQ(lead.token(), fencing_token{7});
  EXPECT_TRUE(lead.allows({7}));
  EXPECT_FALSE(lead.allows({6}));
  EXPECT_FALSE(lead.allows({8}));
  clock.mono = asked + leadership::lease_us - 1;
  EXPECT_TRUE(lead.allows({7}));
  clock.mono = asked + leadership::lease_us;
  EXPECT_FALSE(lead.allows({7}));
  EXPECT_FALSE(lead.holds());
}

TEST_F(P10_leadership, is_not_shortened_by_an_older_confirmation) {
  const auto asked = clock.mono.load();
  lead.confirm(1, asked);
  lead.confirm(1, asked - 1000 * ms);
  clock.mono = asked + leadership::lease_us - 1;
  EXPECT_TRUE(lead.holds());
}

TEST_F(P10_leadership, that_was_revoked_comes_back_only_under_a_higher_epoch) {
  lead.confirm(3, clock.mono);
  const auto before = lead.token();
  ASSERT_TRUE(before);
  lead.revoke();
  EXPECT_FALSE(lead.token());
  lead.confirm(3, clock.mono);  // an answer that came late
  EXPECT_FALSE(lead.token());
  lead.confirm(4, clock.mono);
  EXPECT_EQ(lead.token(), fencing_token{4});
  EXPECT_FALSE(lead.allows(*before)) << "what was decided under the old epoch is over";
  lead.confirm(3, clock.mono);
  EXPECT_EQ(lead.token(), fencing_token{4}) << "an epoch never goes back";
}

TEST_F(P10_leadership, of_a_later_epoch_outlives_the_end_of_an_earlier_one) {
  lead.confirm(3, clock.mono);
  lead.confirm(4, clock.mono);
  lead.revoke(3);
  EXPECT_EQ(lead.token(), fencing_token{4});
  lead.revoke(4);
  EXPECT_FALSE(lead.token());
}

TEST_F(P10_leadership, holds_effects_back_while_another_lease_may_run) {
  lead.hold_until(clock.mono + 500 * ms);
  lead.confirm(2, clock.mono);
  EXPECT_TRUE(lead.holds());
  EXPECT_FALSE(lead.token());
  EXPECT_FALSE(lead.allows({2}));
  lead.hold_until(clock.mono + 100 * ms);  // never shorter
  clock.mono += 499 * ms;
  EXPECT_FALSE(lead.token());
  clock.mono += 1 * ms;
  EXPECT_EQ(lead.token(), fencing_token{2});
}

TEST_F(P10_leadership, tells_how_long_ago_it_was_heard_of) {
  lead.confirm(1, clock.mono);
  clock.mono += 900 * ms;
  EXPECT_TRUE(lead.heard_within(900 * ms));
  EXPECT_FALSE(lead.heard_within(899 * ms));
  lead.revoke();
  EXPECT_FALSE(lead.heard_within(900 * ms));
}

TEST_F(P10_leadership, is_read_whole_while_it_changes) {
  std::atomic<bool> over{false};
  std::thread writer([&] {
    for (std::int64_t epoch = 1; epoch <= 20'000; ++epoch) {
      // Odd epochs are long over when they are confirmed.
      lead.confirm(epoch, epoch % 2 == 0 ? clock.mono.load() : -leadership::lease_us);
      lead.revoke();
    }
    over = true;
  });
  while (!over) {
    const auto token = lead.token();
    EXPECT_TRUE(!token || token->epoch % 2 == 0) << token->epoch;
  }
  writer.join();
}

}  // namespace
