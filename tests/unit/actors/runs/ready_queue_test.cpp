// The queue in front of the engine: by priority and age over all runs, never more than there are
// places.

#include "actors/runs/ready_queue.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace {

using namespace reeve;
using actors::ready_queue;

uuid job(int n) {
  uuid id;
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}

class RUN19_queue : public testing::Test {
 protected:
  bool ask(int n, std::int64_t priority, time_us since, const void* by = "a run") {
    return queue.ask({by, one, job(n), priority, since, [this, n] { turns.push_back(n); }});
  }
  /// The same of other tenants, whose runs are theirs alone.
  bool ask_for(const uuid& tenant, int n, std::int64_t priority = 0) {
    return queue.ask({&tenant, tenant, job(n), priority, n, [this, n] { turns.push_back(n); }});
  }
  const uuid one = real_ids().next(), two = real_ids().next(), three = real_ids().next();
  ready_queue queue{2};
  std::vector<int> turns;
  const void* const run = "a run";
};

TEST_F(RUN19_queue, gives_the_next_place_to_the_oldest_of_the_highest_priority) {
  ASSERT_TRUE(queue.ask({run, one, job(1), 0, 10, {}}));
  ASSERT_TRUE(queue.ask({run, one, job(2), 0, 11, {}}));
  EXPECT_FALSE(ask(3, 0, 12, run));
  EXPECT_FALSE(ask(4, 5, 20, run));
  EXPECT_FALSE(ask(5, 5, 13, run));
  EXPECT_FALSE(ask(6, 0, 1, run));
  queue.give_back(run, job(1));
  queue.give_back(run, job(2));
  EXPECT_EQ(turns, (std::vector<int>{5, 4}));
  queue.give_back(run, job(4));
  queue.give_back(run, job(5));
  EXPECT_EQ(turns, (std::vector<int>{5, 4, 6, 3}));
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST_F(RUN19_queue, lets_nobody_pass_those_who_wait) {
  ASSERT_TRUE(queue.ask({run, one, job(1), 0, 10, {}}));
  queue.take(run, one, job(2));
  queue.take(run, one, job(3));
  EXPECT_FALSE(ask(4, 0, 10, run));
  queue.give_back(run, job(1));
  EXPECT_EQ(turns, std::vector<int>()) << "two are held that the log said were open";
  queue.give_back(run, job(2));
  EXPECT_EQ(turns, std::vector<int>{4});
}

TEST_F(RUN19_queue, forgets_an_owner_with_everything_that_it_had) {
  const int other = 0;
  ASSERT_TRUE(queue.ask({run, one, job(1), 0, 10, {}}));
  ASSERT_TRUE(queue.ask({run, one, job(2), 0, 10, {}}));
  EXPECT_FALSE(ask(3, 9, 1, run));
  EXPECT_FALSE(ask(4, 0, 99, &other));
  queue.leave(run);
  EXPECT_EQ(turns, std::vector<int>{4});
  queue.leave(&other);
  EXPECT_TRUE(ask(5, 0, 1, run));
}

TEST_F(RUN19_queue, takes_back_who_does_not_want_to_wait_any_more) {
  ASSERT_TRUE(queue.ask({run, one, job(1), 0, 10, {}}));
  ASSERT_TRUE(queue.ask({run, one, job(2), 0, 10, {}}));
  EXPECT_FALSE(ask(3, 0, 1, run));
  queue.give_back(run, job(3));
  queue.give_back(run, job(1));
  EXPECT_EQ(turns, std::vector<int>());
}

TEST_F(RUN19_queue, gives_the_next_place_to_the_tenant_with_the_fewest) {
  ASSERT_TRUE(ask_for(one, 1));
  ASSERT_TRUE(ask_for(one, 2));
  // Neither coming first nor a high priority takes another tenant's turn.
  EXPECT_FALSE(ask_for(one, 3, 9));
  EXPECT_FALSE(ask_for(one, 4, 9));
  EXPECT_FALSE(ask_for(two, 5));
  EXPECT_FALSE(ask_for(two, 6, 1));
  EXPECT_FALSE(ask_for(three, 7));
  queue.give_back(&one, job(1));
  EXPECT_EQ(turns, std::vector<int>{6});
  queue.give_back(&one, job(2));
  EXPECT_EQ(turns, (std::vector<int>{6, 3})) << "of two that have none the older one";
  queue.give_back(&two, job(6));
  EXPECT_EQ(turns, (std::vector<int>{6, 3, 5}));
  queue.give_back(&two, job(5));
  EXPECT_EQ(turns, (std::vector<int>{6, 3, 5, 7})) << "one has a place already";
}

TEST_F(RUN19_queue, leaves_an_eighth_of_the_places_to_others) {
  ready_queue many(16);
  const auto asks = [&](const uuid& tenant, int n) {
    return many.ask({&tenant, tenant, job(n), 0, n, [this, n] { turns.push_back(n); }});
  };
  for (int n = 1; n <= 14; ++n) ASSERT_TRUE(asks(one, n)) << n;
  EXPECT_FALSE(asks(one, 15));
  EXPECT_FALSE(asks(one, 16));
  EXPECT_TRUE(asks(two, 17)) << "whoever waits has the share of a tenant";
  many.give_back(&one, job(1));
  EXPECT_EQ(turns, std::vector<int>{15});
  EXPECT_TRUE(asks(three, 18));
  EXPECT_FALSE(asks(three, 19));
  many.leave(&one);
  EXPECT_EQ(turns, (std::vector<int>{15, 19}));
  EXPECT_EQ(many.waiting(), 0U);
}

class RUN19_starts : public RUN19_queue {
 protected:
  bool asks(const uuid& tenant, int n) {
    return narrow.ask({&tenant, tenant, job(n), 0, n, [this, n] { turns.push_back(n); }});
  }
  ready_queue narrow{100, 8};
};

TEST_F(RUN19_starts, are_no_more_at_once_than_there_may_be) {
  for (int n = 1; n <= 7; ++n) ASSERT_TRUE(asks(one, n)) << n;
  ASSERT_TRUE(asks(two, 8));
  EXPECT_FALSE(asks(two, 9)) << "of a hundred places eight are taken, and nothing has started";
  narrow.started(&one, job(3));
  EXPECT_EQ(turns, std::vector<int>{9});
  narrow.started(&one, job(3));
  narrow.started(&one, job(77));
  EXPECT_EQ(turns, std::vector<int>{9}) << "each starts once, and a stranger never";
}

TEST_F(RUN19_starts, go_on_when_one_ends_without_a_start) {
  for (int n = 1; n <= 7; ++n) ASSERT_TRUE(asks(one, n)) << n;
  EXPECT_FALSE(asks(one, 8));
  EXPECT_FALSE(asks(one, 9));
  narrow.give_back(&one, job(1));
  EXPECT_EQ(turns, std::vector<int>{8});
  narrow.started(&one, job(2));
  EXPECT_EQ(turns, (std::vector<int>{8, 9}));
  narrow.give_back(&one, job(2));
  EXPECT_FALSE(asks(one, 10)) << "its start was counted once";
  narrow.leave(&one);
  for (int n = 11; n <= 17; ++n) EXPECT_TRUE(asks(one, n)) << n;
}

TEST_F(RUN19_starts, of_one_tenant_leave_an_eighth_to_others) {
  for (int n = 1; n <= 7; ++n) ASSERT_TRUE(asks(one, n)) << n;
  EXPECT_FALSE(asks(one, 8));
  EXPECT_TRUE(asks(two, 9));
  EXPECT_FALSE(asks(two, 10));
  narrow.started(&two, job(9));
  EXPECT_EQ(turns, std::vector<int>{10});
}

TEST_F(RUN19_starts, are_not_waited_for_of_what_the_log_says_is_open) {
  for (int n = 1; n <= 20; ++n) narrow.take(&one, one, job(n));
  for (int n = 21; n <= 27; ++n) EXPECT_TRUE(asks(one, n)) << n;
  EXPECT_FALSE(asks(one, 28));
  narrow.started(&one, job(1));
  EXPECT_EQ(turns, std::vector<int>()) << "it had its turn before";
}

}  // namespace
