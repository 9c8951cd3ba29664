#include "persistence/fair_queue.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace {

using namespace reeve;
using namespace reeve::persistence;

const uuid ann = derived_uuid({}, "ann");
const uuid bob = derived_uuid({}, "bob");
const uuid cid = derived_uuid({}, "cid");

std::string all_of(fair_queue<char>& queue, bool may_be_heavy) {
  std::string order;
  while (auto next = queue.pop(may_be_heavy)) order += next->task;
  return order;
}

TEST(P20_turns, who_asks_for_much_holds_up_others_by_one_thing) {
  fair_queue<char> queue;
  for (const char task : {'1', '2', '3', '4'}) queue.push({ann}, task);
  queue.push({bob}, 'b');
  queue.push({cid}, 'c');
  queue.push({bob}, 'B');
  EXPECT_EQ(queue.size(), 7U);
  EXPECT_EQ(all_of(queue, true), "1bc2B34");
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_FALSE(queue.has(true));
  EXPECT_FALSE(queue.pop(true));
}

TEST(P20_turns, who_comes_back_stands_behind_those_who_wait) {
  fair_queue<char> queue;
  queue.push({ann}, '1');
  queue.push({bob}, 'b');
  EXPECT_EQ(queue.pop(true)->task, '1');
  queue.push({ann}, '2');
  EXPECT_EQ(all_of(queue, true), "b2");
}

TEST(P20_turns, heavy_work_waits_where_it_may_not_be_taken) {
  fair_queue<char> queue;
  queue.push({ann, true}, 'H');
  EXPECT_FALSE(queue.has(false));
  EXPECT_TRUE(queue.has(true));
  EXPECT_FALSE(queue.pop(false));
  queue.push({ann}, 'l');
  EXPECT_EQ(queue.pop(false)->task, 'l');
  const auto heavy = queue.pop(true);
  EXPECT_EQ(heavy->task, 'H');
  EXPECT_TRUE(heavy->is_heavy);
}

TEST(P20_turns, light_and_heavy_work_take_turns) {
  fair_queue<char> queue;
  for (const char task : {'1', '2', '3'}) queue.push({ann}, task);
  for (const char task : {'A', 'B'}) queue.push({bob, true}, task);
  queue.push({cid, true}, 'C');
  EXPECT_EQ(all_of(queue, true), "A1C2B3");
}

TEST(P20_turns, what_is_taken_is_moved) {
  fair_queue<std::unique_ptr<int>> queue;
  queue.push({ann}, std::make_unique<int>(7));
  EXPECT_EQ(*queue.pop(false)->task, 7);
}

}  // namespace
