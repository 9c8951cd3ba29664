// The output of a job is what its container wrote, to the byte.

#include "tasks/container/stored_log.hpp"

#include <gtest/gtest.h>

namespace {

using reeve::adapters::log_line;
using reeve::tasks::stored_log;
constexpr auto out = reeve::adapters::log_stream::out;
constexpr auto err = reeve::adapters::log_stream::err;

}  // namespace

TEST(RUN5_stored_log, gains_no_newline_at_its_end) {
  EXPECT_EQ(stored_log({}), "");
  EXPECT_EQ(stored_log({{out, 1, "whole"}}), "whole\n");
  EXPECT_EQ(stored_log({{out, 1, "open", false}}), "open");
  EXPECT_EQ(stored_log({{out, 1, ""}, {out, 2, "open", false}}), "\nopen");
}

TEST(RUN5_stored_log, gains_none_where_a_long_line_was_cut) {
  EXPECT_EQ(stored_log({{out, 1, "a", false}, {out, 1, "b", false}, {out, 1, "c"}}), "abc\n");
}

TEST(RUN5_stored_log, makes_no_line_of_two_streams) {
  EXPECT_EQ(stored_log({{out, 1, "a", false}, {err, 2, "e"}, {out, 3, "b"}}), "a\ne\nb\n");
  EXPECT_EQ(stored_log({{out, 1, "a", false}, {err, 2, "e", false}}), "a\ne");
}
