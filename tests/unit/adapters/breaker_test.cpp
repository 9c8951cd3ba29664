#include "adapters/breaker.hpp"

#include "adapters/bulkhead.hpp"

#include <gtest/gtest.h>

namespace {

using reeve::errc;
using reeve::rejection;
using reeve::adapters::breaker_config;
using reeve::adapters::breaker_state;
using reeve::adapters::bulkhead;
using reeve::adapters::circuit_breaker;

constexpr std::int64_t second = 1'000'000;

struct breaker_box {
  std::vector<std::string> changes;
  circuit_breaker breaker{
      breaker_config{}, 7, [this](breaker_state from, breaker_state to) {
        changes.push_back(std::string{name_of(from)} + " to " + std::string{name_of(to)});
      }};
  std::int64_t now = 1000 * second;

  bool call(bool good) {
    auto ticket = breaker.admit(now);
    if (!ticket) return false;
    good ? breaker.succeeded(*ticket, now) : breaker.failed(*ticket, now);
    return true;
  }
  void open_it() {
    for (int i = 0; i < 5; ++i) call(false);
  }
};

}  // namespace

TEST(CTR3_breaker, opens_after_five_failures_in_a_row) {
  breaker_box box;
  for (int i = 0; i < 4; ++i) box.call(false);
  box.call(true);
  for (int i = 0; i < 4; ++i) box.call(false);
  EXPECT_EQ(box.breaker.state(), breaker_state::closed);
  box.call(false);
  EXPECT_EQ(box.breaker.state(), breaker_state::open);
  EXPECT_FALSE(box.call(true)) << "an open breaker lets nothing pass";
  EXPECT_EQ(box.changes, std::vector<std::string>{"closed to open"});
}

TEST(CTR3_breaker, opens_when_half_of_ten_failed_within_30_s) {
  breaker_box box;
  for (int i = 0; i < 9; ++i) box.call(i % 2 == 1);
  EXPECT_EQ(box.breaker.state(), breaker_state::closed) << "nine calls are too few";
  box.call(false);
  EXPECT_EQ(box.breaker.state(), breaker_state::open);
}

TEST(CTR3_breaker, forgets_what_is_older_than_30_s) {
  breaker_box box;
  for (int i = 0; i < 9; ++i) box.call(i % 2 == 1);
  box.now += 30 * second;
  box.call(false);
  EXPECT_EQ(box.breaker.state(), breaker_state::closed);
}

TEST(CTR3_breaker, half_open_allows_one_trial_at_a_time) {
  breaker_box box;
  box.open_it();
  EXPECT_GE(box.breaker.retry_at_us(), box.now + 2 * second);
  EXPECT_LE(box.breaker.retry_at_us(), box.now + 5 * second / 2);
  box.now = box.breaker.retry_at_us() - 1;
  EXPECT_FALSE(box.breaker.admit(box.now));
  box.now += 1;
  EXPECT_FALSE(box.breaker.admit(box.now, false)) << "a call without an end is no trial";
  auto trial = box.breaker.admit(box.now);
  ASSERT_TRUE(trial);
  EXPECT_FALSE(box.breaker.admit(box.now));
  box.breaker.dropped(*trial);
  auto second_trial = box.breaker.admit(box.now);
  ASSERT_TRUE(second_trial);
  box.breaker.succeeded(*second_trial, box.now);
  EXPECT_EQ(box.breaker.state(), breaker_state::closed);
  EXPECT_EQ(box.changes.back(), "half_open to closed");
}

TEST(CTR3_breaker, delays_double_to_60_s_and_begin_anew_after_a_success) {
  breaker_box box;
  box.open_it();
  for (std::int64_t delay : {4, 8, 16, 32, 60, 60}) {
    box.now = box.breaker.retry_at_us();
    ASSERT_TRUE(box.call(false));
    EXPECT_GE(box.breaker.retry_at_us(), box.now + delay * second);
    EXPECT_LE(box.breaker.retry_at_us(), box.now + delay * second * 5 / 4);
  }
  box.now = box.breaker.retry_at_us();
  ASSERT_TRUE(box.call(true));
  box.open_it();
  EXPECT_LE(box.breaker.retry_at_us(), box.now + 5 * second / 2);
}

TEST(CTR3_breaker, late_results_of_an_earlier_period_are_ignored) {
  breaker_box box;
  auto old = box.breaker.admit(box.now);
  ASSERT_TRUE(old);
  box.open_it();
  auto retry_at = box.breaker.retry_at_us();
  box.breaker.failed(*old, box.now + second);
  box.breaker.succeeded(*old, box.now + second);
  EXPECT_EQ(box.breaker.state(), breaker_state::open);
  EXPECT_EQ(box.breaker.retry_at_us(), retry_at);
}

TEST(CTR3_breaker, the_probe_trips_and_resets_it) {
  breaker_box box;
  box.breaker.trip(box.now);
  EXPECT_FALSE(box.call(true));
  box.breaker.reset();
  EXPECT_TRUE(box.call(true));
  EXPECT_EQ(box.changes, (std::vector<std::string>{"closed to open", "open to closed"}));
}

TEST(CTR3_bulkhead, limits_what_is_under_way_and_what_waits) {
  std::vector<bulkhead::ticket> running;
  std::vector<rejection> refused;
  bulkhead door{{.at_once = 2, .queued = 3}, 1, [] { return second; }, {}};
  auto enter = [&] {
    door.enter({[&](bulkhead::ticket call) { running.push_back(call); },
                [&](rejection why) { refused.push_back(std::move(why)); }});
  };
  for (int i = 0; i < 6; ++i) enter();
  EXPECT_EQ(running.size(), 2u);
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].code, errc::overloaded) << "back pressure: the engine is well";
  door.finish(running[0], bulkhead::verdict::success);
  EXPECT_EQ(running.size(), 3u);
  door.close();
  EXPECT_EQ(refused.size(), 3u) << "what still waited is refused when the door closes";
  enter();
  EXPECT_EQ(refused.size(), 4u);
  door.finish(running[1], bulkhead::verdict::success);
  EXPECT_EQ(running.size(), 3u);
}

/// A tenant's flood holds up nobody else's call, and fills nobody else's queue.
TEST(CTR3_bulkhead, lets_flows_take_turns) {
  std::vector<std::string> ran;
  std::vector<bulkhead::ticket> running;
  int refused = 0;
  bulkhead door{{.at_once = 1, .queued = 3}, 1, [] { return second; }, {}};
  const auto enter = [&](const std::string& flow) {
    door.enter({[&, flow](bulkhead::ticket call) {
                  ran.push_back(flow);
                  running.push_back(call);
                },
                [&](rejection) { ++refused; }, flow});
  };
  for (int i = 0; i < 6; ++i) enter("many");
  EXPECT_EQ(refused, 2) << "one is under way, three wait";
  enter("few");
  enter("");
  while (running.size() < 6) {
    const auto size = running.size();
    door.finish(running.back(), bulkhead::verdict::success);
    ASSERT_EQ(running.size(), size + 1);
  }
  EXPECT_EQ(ran, (std::vector<std::string>{"many", "", "few", "many", "many", "many"}));
}

TEST(CTR3_bulkhead, an_open_breaker_refuses_what_waits) {
  std::vector<bulkhead::ticket> running;
  int refused = 0;
  int changes = 0;
  bulkhead door{{.at_once = 5, .queued = 100},
                1,
                [] { return second; },
                [&](breaker_state, breaker_state) { ++changes; }};
  for (int i = 0; i < 20; ++i) {
    door.enter(
        {[&](bulkhead::ticket call) { running.push_back(call); }, [&](rejection) { ++refused; }});
  }
  for (int i = 0; i < 5; ++i) door.finish(running[0], bulkhead::verdict::failure);
  EXPECT_EQ(door.state(), breaker_state::open);
  EXPECT_EQ(running.size(), 9u) << "five at first, four more before the fifth failure";
  EXPECT_EQ(refused, 11) << "the others do not wait for a breaker that is open";
  EXPECT_EQ(changes, 1);
}
