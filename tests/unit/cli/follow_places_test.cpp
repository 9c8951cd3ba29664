// One reader of outputs leaves places to the others.

#include "cli/follow_places.hpp"

#include <gtest/gtest.h>
#include <string>

namespace {

using reeve::derived_uuid;

TEST(P17_follow_places, of_one_token_are_a_quarter_of_all) {
  reeve::cli::follow_places places;
  const auto token = [](int i) { return derived_uuid({}, std::to_string(i)); };
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(places.take(token(0)));
  EXPECT_FALSE(places.take(token(0)));
  for (int i = 0; i < 48; ++i) EXPECT_TRUE(places.take(token(1 + i % 4))) << i;
  EXPECT_FALSE(places.take(token(9))) << "all are taken";
  places.let_go(token(0));
  EXPECT_TRUE(places.take(token(9)));
}

}  // namespace
