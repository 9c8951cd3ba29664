// What a programmer got wrong stops what is under way, and says where.

#include "base/invariant.hpp"

#include <gtest/gtest.h>
#include <string>

namespace {

using namespace reeve;

TEST(STYLE_invariant, passes_when_it_holds_and_evaluates_once) {
  int looked = 0;
  REEVE_INVARIANT(++looked == 1, "a condition is looked at once");
  EXPECT_EQ(looked, 1);
}

TEST(STYLE_invariant, throws_what_it_says_and_nothing_else) {
  try {
    REEVE_INVARIANT(1 + 1 == 3, "sums are right");
    FAIL() << "it did not throw";
  } catch (const broken_invariant& broken) {
    EXPECT_STREQ(broken.what(), "sums are right");
  }
}

}  // namespace
