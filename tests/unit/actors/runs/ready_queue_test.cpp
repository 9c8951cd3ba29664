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
    return queue.ask({by, job(n), priority, since, [this, n] { turns.push_back(n); }});
  }
  ready_queue queue{2};
  std::vector<int> turns;
  const void* const run = "a run";
};

TEST_F(RUN19_queue, gives_the_next_place_to_the_oldest_of_the_highest_priority) {
  ASSERT_TRUE(queue.ask({run, job(1), 0, 10, {}}));
  ASSERT_TRUE(queue.ask({run, job(2), 0, 11, {}}));
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
  ASSERT_TRUE(queue.ask({run, job(1), 0, 10, {}}));
  queue.take(run, job(2));
  queue.take(run, job(3));
  EXPECT_FALSE(ask(4, 0, 10, run));
  queue.give_back(run, job(1));
  EXPECT_EQ(turns, std::vector<int>()) << "two are held that the log said were open";
  queue.give_back(run, job(2));
  EXPECT_EQ(turns, std::vector<int>{4});
}

TEST_F(RUN19_queue, forgets_an_owner_with_everything_that_it_had) {
  const int other = 0;
  ASSERT_TRUE(queue.ask({run, job(1), 0, 10, {}}));
  ASSERT_TRUE(queue.ask({run, job(2), 0, 10, {}}));
  EXPECT_FALSE(ask(3, 9, 1, run));
  EXPECT_FALSE(ask(4, 0, 99, &other));
  queue.leave(run);
  EXPECT_EQ(turns, std::vector<int>{4});
  queue.leave(&other);
  EXPECT_TRUE(ask(5, 0, 1, run));
}

TEST_F(RUN19_queue, takes_back_who_does_not_want_to_wait_any_more) {
  ASSERT_TRUE(queue.ask({run, job(1), 0, 10, {}}));
  ASSERT_TRUE(queue.ask({run, job(2), 0, 10, {}}));
  EXPECT_FALSE(ask(3, 0, 1, run));
  queue.give_back(run, job(3));
  queue.give_back(run, job(1));
  EXPECT_EQ(turns, std::vector<int>());
}

}  // namespace
