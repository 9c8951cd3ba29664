#include "cli/marker_guard.hpp"

#include <gtest/gtest.h>

namespace {

using reeve::cli::marker_guard_of;

TEST(P10_marker_guard, is_told_as_it_is_on_each_kernel) {
  for (const long none : {-1L, 0L}) {
    EXPECT_FALSE(marker_guard_of(none).is_guarded);
    EXPECT_NE(marker_guard_of(none).seen.find("no Landlock"), std::string::npos);
  }
  EXPECT_FALSE(marker_guard_of(1).is_guarded);
  EXPECT_NE(marker_guard_of(1).seen.find("is not used"), std::string::npos);
  EXPECT_TRUE(marker_guard_of(2).is_guarded);
  EXPECT_NE(marker_guard_of(2).seen.find("cut a file short"), std::string::npos);
  EXPECT_TRUE(marker_guard_of(4).is_guarded);
  EXPECT_EQ(marker_guard_of(4).seen, "Landlock 4");
}

}  // namespace
