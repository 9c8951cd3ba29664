// RUN14: which line of an output is of which stream.

#include "domain/runs/line_streams.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve::domain;

/// "oer": a line of stdout, one of stderr, and one of Reeve's.
line_marks marks_of(std::string_view letters) {
  line_marks marks;
  for (const char c : letters) {
    marks.add(c == 'o' ? line_stream::out : c == 'e' ? line_stream::err : line_stream::reeve);
  }
  return marks;
}

}  // namespace

TEST(RUN14_line_marks, are_two_bits_each_and_found_by_their_number) {
  const std::string letters = "oeroeeerrroeo";
  const auto marks = marks_of(letters);
  EXPECT_EQ(marks.size(), letters.size());
  EXPECT_EQ(marks.packed().size(), 4U);
  EXPECT_EQ(marks.packed().substr(0, 2), std::string("\x24\x95", 2)) << "the stored form";
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const auto mark = mark_in(marks.packed(), i);
    ASSERT_TRUE(mark) << i;
    EXPECT_EQ(*mark, marks.at(i));
    EXPECT_EQ(letters[i], "oer"[static_cast<int>(*mark)]) << i;
  }
  EXPECT_FALSE(mark_in(marks.packed(), 16)) << "behind the end";
  EXPECT_FALSE(mark_in({}, 0));
  EXPECT_FALSE(mark_in("\xff", 2)) << "3 is no mark";
  line_marks part;
  part.add(marks, 1, 4);
  EXPECT_EQ(part, marks_of("eroe"));
}

TEST(RUN14_line_marks, are_of_the_lines_that_a_text_has) {
  EXPECT_EQ(lines_in(""), 0U);
  EXPECT_EQ(lines_in("open"), 1U);
  EXPECT_EQ(lines_in("\n"), 1U);
  EXPECT_EQ(lines_in("one\n\nthree"), 3U);
}

TEST(RUN14_log_streams, count_what_is_read_of_each) {
  const auto streams = measured("out\nerr 2\nmark\nopen", marks_of("oero"));
  EXPECT_EQ(streams.stdout_bytes, 4 + 5 + 4);
  EXPECT_EQ(streams.stderr_bytes, 6 + 5);
  EXPECT_FALSE(streams.marks);
  EXPECT_EQ(measured("", {}), log_streams{});
}

TEST(RUN14_log_streams, are_one_only_where_every_line_is_of_it) {
  EXPECT_EQ(single_stream(marks_of("ooo")), line_stream::out);
  EXPECT_EQ(single_stream(marks_of("e")), line_stream::err);
  for (const char* mixed : {"", "r", "oe", "or", "ro", "eeeeer"}) {
    EXPECT_FALSE(single_stream(marks_of(mixed))) << mixed;
  }
}
