// P26: attempts that are tried a last time are tried one after the other.
#include "actors/runs/last_tries.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

using namespace reeve::actors;

namespace {

struct turns {
  std::shared_ptr<last_tries> all = std::make_shared<last_tries>();
  std::vector<std::pair<std::string, last_tries::ticket>> held;

  void ask(const std::string& who) {
    all->ask([this, who](last_tries::ticket turn) { held.emplace_back(who, std::move(turn)); });
  }
};

}  // namespace

TEST(P26_last_tries, follow_each_other) {
  turns t;
  for (const char* who : {"a", "b", "c"}) t.ask(who);
  for (const char* who : {"a", "b", "c"}) {
    ASSERT_EQ(t.held.size(), 1U);
    EXPECT_EQ(t.held[0].first, who);
    auto over = std::move(t.held[0].second);
    t.held.clear();
    over.reset();
  }
  EXPECT_TRUE(t.held.empty());
  t.ask("d");
  EXPECT_EQ(t.held.size(), 1U) << "a turn that nobody has is given at once";
}

TEST(P26_last_tries, of_somebody_who_has_gone_are_passed_on) {
  turns t;
  t.ask("a");
  t.all->ask([](const last_tries::ticket&) {});  // drops it: its actor is no more
  t.ask("c");
  t.held.erase(t.held.begin());
  ASSERT_EQ(t.held.size(), 1U);
  EXPECT_EQ(t.held[0].first, "c");
}

TEST(P26_last_tries, of_very_many_who_have_gone_are_passed_on_without_a_deep_stack) {
  turns t;
  t.ask("a");
  int told = 0;
  for (int i = 0; i < 200'000; ++i) t.all->ask([&](const last_tries::ticket&) { ++told; });
  t.ask("z");
  t.held.erase(t.held.begin());
  EXPECT_EQ(told, 200'000);
  ASSERT_EQ(t.held.size(), 1U);
  EXPECT_EQ(t.held[0].first, "z");
}
