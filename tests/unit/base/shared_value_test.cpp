#include "base/shared_value.hpp"

#include <gtest/gtest.h>
#include <string>

namespace {

using reeve::shared_value;

TEST(shared_value, is_shared_by_copies_and_equal_by_value) {
  const shared_value<std::string> one(std::string("a value that is too long to be stored inside"));
  const auto copy = one;
  EXPECT_EQ(&*one, &*copy);
  const shared_value<std::string> same{*one};
  EXPECT_NE(&*one, &*same);
  EXPECT_TRUE(one == same);
  EXPECT_FALSE(one == shared_value<std::string>(std::string("another")));
}

TEST(shared_value, starts_as_the_default_value) {
  const shared_value<std::string> nothing;
  EXPECT_TRUE(nothing->empty());
  EXPECT_TRUE(nothing == shared_value<std::string>(std::string()));
}

}  // namespace
