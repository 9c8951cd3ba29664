#include "api/waiting_line.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <vector>

using reeve::api::waiting_line;

namespace {

/// Connections that note in which order they had to go.
struct street {
  waiting_line line;
  std::vector<int> gone;
  std::vector<std::unique_ptr<waiting_line::seat>> seats;

  waiting_line::seat& arrive(const std::string& address) {
    const int number = static_cast<int>(seats.size());
    seats.push_back(std::make_unique<waiting_line::seat>(
        line, address, [this, number] { gone.push_back(number); }));
    return *seats.back();
  }
};

}  // namespace

TEST(GW3_line, strangers_go_first_and_of_each_kind_who_waits_longest) {
  street it;
  it.arrive("a").wait(true);
  it.arrive("a").wait(false);
  it.arrive("b").wait(false);
  it.arrive("b").wait(true);
  while (it.line.evict()) {
  }
  EXPECT_EQ(it.gone, (std::vector<int>{1, 2, 0, 3}));
  EXPECT_FALSE(it.line.evict());
}

TEST(GW3_line, who_is_answered_does_not_stand_in_it) {
  street it;
  auto& first = it.arrive("a");
  auto& second = it.arrive("a");
  first.wait(false);
  second.wait(false);
  first.wait(false);
  first.leave();
  first.leave();
  EXPECT_FALSE(first.waits());
  EXPECT_TRUE(it.line.evict());
  EXPECT_FALSE(it.line.evict());
  EXPECT_EQ(it.gone, std::vector<int>{1});
  // Who comes back stands behind those who stayed.
  second.wait(true);
  first.wait(true);
  second.leave();
  second.wait(true);
  it.line.evict();
  EXPECT_EQ(it.gone, (std::vector<int>{1, 0}));
}

TEST(GW3_line, an_address_gives_way_by_itself) {
  street it;
  it.arrive("a").wait(false);
  it.arrive("b").wait(true);
  it.arrive("b").wait(false);
  EXPECT_TRUE(it.line.evict("b"));
  EXPECT_TRUE(it.line.evict("b"));
  EXPECT_FALSE(it.line.evict("b"));
  EXPECT_FALSE(it.line.evict("nobody"));
  EXPECT_EQ(it.gone, (std::vector<int>{2, 1}));
  EXPECT_TRUE(it.line.evict());
  EXPECT_EQ(it.gone.back(), 0);
}

TEST(GW3_line, forgets_those_who_are_gone) {
  street it;
  it.arrive("a").wait(false);
  it.arrive("a");
  it.arrive("b").wait(true);
  EXPECT_EQ(it.line.addresses(), 2U);
  it.seats[0].reset();
  EXPECT_EQ(it.line.addresses(), 2U);
  it.seats[1].reset();
  EXPECT_EQ(it.line.addresses(), 1U);
  EXPECT_FALSE(it.line.evict("a"));
  it.seats[2].reset();
  EXPECT_EQ(it.line.addresses(), 0U);
  EXPECT_FALSE(it.line.evict());
  EXPECT_TRUE(it.gone.empty());
}
