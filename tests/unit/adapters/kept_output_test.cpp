// The output of a container is kept as it was written, to the byte, at both of its ends.

#include "adapters/kept_output.hpp"

#include "adapters/docker/output_reader.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace {

using namespace reeve;
using namespace reeve::adapters;
constexpr auto out = log_stream::out;
constexpr auto err = log_stream::err;

kept_output kept_of(const std::vector<log_line>& lines, std::size_t bytes_each = 1 << 20) {
  output_ends ends(bytes_each);
  for (const auto& line : lines) ends.add(line);
  return ends.finish();
}

std::string whole(const std::vector<log_line>& lines) {
  const auto kept = kept_of(lines);
  EXPECT_EQ(kept.left_out, 0U);
  EXPECT_EQ(kept.tail, "");
  return kept.head;
}

std::string frame(int stream, const std::string& text) {
  const auto payload = "2026-11-21T04:39:59.000000001Z " + text;
  std::string bytes{static_cast<char>(stream), 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>((payload.size() >> shift) & 0xff);
  }
  return bytes + payload;
}

}  // namespace

TEST(RUN5_kept_output, gains_no_newline_at_its_end) {
  EXPECT_EQ(whole({}), "");
  EXPECT_EQ(whole({{out, 1, "whole"}}), "whole\n");
  EXPECT_EQ(whole({{out, 1, "open", false}}), "open");
  EXPECT_EQ(whole({{out, 1, ""}, {out, 2, "open", false}}), "\nopen");
}

TEST(RUN5_kept_output, gains_none_where_a_long_line_was_cut) {
  EXPECT_EQ(whole({{out, 1, "a", false}, {out, 1, "b", false}, {out, 1, "c"}}), "abc\n");
}

TEST(RUN5_kept_output, makes_no_line_of_two_streams) {
  EXPECT_EQ(whole({{out, 1, "a", false}, {err, 2, "e"}, {out, 3, "b"}}), "a\ne\nb\n");
  EXPECT_EQ(whole({{out, 1, "a", false}, {err, 2, "e", false}}), "a\ne");
}

TEST(RUN14_kept_output, is_its_beginning_and_its_end_whatever_the_pieces) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += static_cast<char>('!' + i);
  for (std::size_t each = 1; each <= 32; ++each) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      std::vector<log_line> lines;
      for (std::size_t at = 0; at < text.size(); at += piece) {
        lines.push_back({out, 1, text.substr(at, piece), false});
      }
      const auto kept = kept_of(lines, each);
      if (2 * each >= text.size()) {
        ASSERT_EQ(kept.head, text) << each << " " << piece;
        ASSERT_EQ(kept.left_out, 0U);
      } else {
        ASSERT_EQ(kept.head, text.substr(0, each)) << each << " " << piece;
        ASSERT_EQ(kept.tail, text.substr(text.size() - each)) << each << " " << piece;
        ASSERT_EQ(kept.left_out, text.size() - 2 * each);
      }
    }
  }
}

/// Every way to write nine pieces, of the two streams and ended or not, against what is kept of all
/// of them.
TEST(RUN14_kept_output, knows_whose_each_line_is_at_both_ends) {
  const auto letters = [](const domain::line_marks& marks) {
    std::string text;
    for (std::size_t i = 0; i < marks.size(); ++i) text += "oer"[static_cast<int>(marks.at(i))];
    return text;
  };
  for (int way = 0; way < 1 << 12; ++way) {
    std::vector<log_line> lines;
    for (int i = 0; i < 6; ++i) {
      const bool is_ended = (way >> (2 * i + 1) & 1) != 0;
      const std::string text(static_cast<std::size_t>((way + i) % 3), static_cast<char>('a' + i));
      lines.push_back({(way >> (2 * i) & 1) != 0 ? err : out, 1, text, is_ended});
    }
    const auto all = kept_of(lines);
    const auto marks = letters(all.head_lines);
    ASSERT_EQ(marks.size(), domain::lines_in(all.head)) << way;
    // What is written by a piece alone is of its stream.
    std::size_t line = 0;
    for (const char c : all.head) {
      if (c >= 'a') {
        ASSERT_EQ(marks[line] == 'e', lines[static_cast<std::size_t>(c - 'a')].stream == err);
      }
      if (c == '\n') ++line;
    }
    for (std::size_t each = 1; 2 * each <= all.head.size(); ++each) {
      const auto kept = kept_of(lines, each);
      const auto firsts = domain::lines_in(kept.head);
      const auto lasts = domain::lines_in(kept.tail);
      ASSERT_EQ(letters(kept.head_lines), marks.substr(0, firsts)) << way << " " << each;
      ASSERT_EQ(letters(kept.tail_lines), marks.substr(marks.size() - lasts)) << way << " " << each;
    }
  }
}

TEST(RUN14_output_reader, counts_text_and_not_frames) {
  // Each frame has 39 bytes more than its text of two.
  std::string bytes;
  for (int i = 0; i < 50; ++i) bytes += frame(1, "x\n");
  output_reader all(50);
  all.restart();
  EXPECT_TRUE(all.take(bytes));
  EXPECT_EQ(all.finish()->head.size(), 100U);
  output_reader ends(10);
  ends.restart();
  EXPECT_TRUE(ends.take(frame(2, "of a try that failed\n")));
  ends.restart();
  for (const char c : frame(2, "begin\n") + bytes + frame(1, "the end")) {
    ASSERT_TRUE(ends.take({&c, 1}));
  }
  const auto kept = ends.finish();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->head, "begin\nx\nx\n");
  EXPECT_EQ(kept->tail, "\nx\nthe end" + std::string());
  EXPECT_EQ(kept->left_out, 6U + 100U + 7U - 20U);
}

TEST(RUN14_output_reader, knows_when_the_engine_may_have_let_go_of_something) {
  const auto lacks = [](int lines, const std::string& text, std::size_t engine_bytes) {
    output_reader reader(10, engine_bytes);
    reader.restart();
    for (int i = 0; i < lines; ++i) reader.take(frame(1, text));
    return reader.finish()->lacks_beginning;
  };
  // A line of "y" has 74 bytes in the engine's file.
  EXPECT_FALSE(lacks(5, "y\n", 8 * 74));
  EXPECT_TRUE(lacks(7, "y\n", 8 * 74));
  EXPECT_FALSE(lacks(5, std::string(1000, 'x') + "\n", 8000));
  EXPECT_TRUE(lacks(5, std::string(1000, '<') + "\n", 8000)) << "six bytes each";
  EXPECT_FALSE(lacks(0, "", 8000));
}

TEST(RUN14_output_reader, counts_at_least_what_the_engine_writes) {
  const auto of = [](const std::string& text) { return bytes_in_file({out, 1, text}); };
  const std::string around =
      R"({"log":"\n","stream":"stderr","time":"2026-11-21T04:20:00.123456789Z"})"
      "\n";
  EXPECT_GE(of(""), around.size());
  EXPECT_LE(of(""), around.size() + 10);
  EXPECT_GE(of("a\"b\\"), around.size() + 6);
  EXPECT_GE(of("\t<&>"), around.size() + 24);
  EXPECT_GE(of("\u2028\ufffd"), around.size() + 12);
  EXPECT_GE(of(std::string(65'536, 'x')), 4 * around.size() + 65'536);
}

TEST(RUN14_output_reader, refuses_what_is_no_log) {
  output_reader reader(10);
  reader.restart();
  EXPECT_FALSE(reader.take("HTTP/1.1 500 "));
  EXPECT_FALSE(reader.finish());
  reader.restart();
  EXPECT_TRUE(reader.take(frame(1, "cut\n").substr(0, 20)));
  EXPECT_FALSE(reader.finish()) << "the stream ended inside a frame";
}
