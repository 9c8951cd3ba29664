#include "adapters/docker/log_frames.hpp"

#include <gtest/gtest.h>

namespace {

using reeve::adapters::log_demultiplexer;
using reeve::adapters::log_limits;
using reeve::adapters::log_line;
using reeve::adapters::log_stream;
using reeve::adapters::take_stamp;

constexpr std::int64_t base_ns = 1'795'235'999'000'000'000;  // 2026-11-21T04:39:59Z

std::string frame(int stream, const std::string& payload) {
  std::string out{static_cast<char>(stream), 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>((payload.size() >> shift) & 0xff);
  }
  return out + payload;
}

std::string stamped(int nanos, const std::string& text) {
  auto digits = std::to_string(nanos);
  return "2026-11-21T04:39:59." + std::string(9 - digits.size(), '0') + digits + "Z " + text;
}

std::vector<log_line> take(const std::string& bytes, bool tty, std::size_t split,
                           log_limits limits = {}) {
  log_demultiplexer demux{tty, limits};
  demux.feed(std::string_view{bytes}.substr(0, split));
  demux.feed(std::string_view{bytes}.substr(split));
  auto lines = demux.finish();
  EXPECT_FALSE(demux.broken());
  return lines;
}

}  // namespace

TEST(CTR1_log_frames, every_split_gives_the_same_lines) {
  auto bytes = frame(1, stamped(1, "first\n")) + frame(2, stamped(2, "error\n")) +
               frame(1, stamped(3, "part one, ")) + frame(2, stamped(4, "in between\n")) +
               frame(1, stamped(5, "part two\n")) + frame(1, stamped(6, "no newline"));
  std::vector<log_line> expected{{log_stream::out, base_ns + 1, "first"},
                                 {log_stream::err, base_ns + 2, "error"},
                                 {log_stream::err, base_ns + 4, "in between"},
                                 {log_stream::out, base_ns + 5, "part one, part two"},
                                 {log_stream::out, base_ns + 6, "no newline", false}};
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    ASSERT_EQ(take(bytes, false, split), expected) << "split at " << split;
  }
}

TEST(CTR1_log_frames, one_byte_at_a_time) {
  auto bytes = frame(1, stamped(9, "slow\n"));
  log_demultiplexer demux{false, {}};
  for (char c : bytes) ASSERT_TRUE(demux.feed({&c, 1}));
  EXPECT_EQ(demux.finish(), (std::vector<log_line>{{log_stream::out, base_ns + 9, "slow"}}));
}

TEST(CTR1_log_frames, a_line_over_frames_of_16384_is_one_line) {
  std::string part(16384, 'x');
  auto bytes = frame(1, stamped(1, part)) + frame(1, stamped(2, part)) + frame(1, stamped(3, "\n"));
  auto lines = take(bytes, false, 20000);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].text, part + part);
  EXPECT_EQ(lines[0].at_ns, base_ns + 3) << "to go on from the stamp of the last part";
}

TEST(CTR1_log_frames, raw_bytes_of_a_tty_at_every_split) {
  auto bytes = stamped(1, "one\r\n") + stamped(2, "two\r\n") + stamped(3, "open");
  std::vector<log_line> expected{{log_stream::out, base_ns + 1, "one"},
                                 {log_stream::out, base_ns + 2, "two"},
                                 {log_stream::out, base_ns + 3, "open", false}};
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    ASSERT_EQ(take(bytes, true, split), expected) << "split at " << split;
  }
}

TEST(CTR1_log_frames, text_without_a_stamp_is_kept_whole) {
  auto lines = take(frame(1, "no time here\n\n"), false, 3);
  EXPECT_EQ(lines, (std::vector<log_line>{{log_stream::out, 0, "no time here"},
                                          {log_stream::out, 0, ""}}));
}

TEST(CTR1_log_frames, stops_at_the_limit_and_says_so) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += frame(1, stamped(i, "ten bytes\n"));
  log_demultiplexer demux{false, {.max_bytes = 55, .max_line_bytes = 100}};
  EXPECT_FALSE(demux.feed(bytes));
  EXPECT_TRUE(demux.truncated());
  EXPECT_EQ(demux.finish().size(), 5u);
}

TEST(CTR1_log_frames, empty_lines_are_limited_too) {
  log_demultiplexer demux{false, {.max_bytes = 1000, .max_line_bytes = 100}};
  EXPECT_FALSE(demux.feed(frame(1, std::string(5000, '\n'))));
  EXPECT_EQ(demux.finish().size(), 1000u);
}

TEST(CTR1_log_frames, a_long_line_is_cut_into_several) {
  auto lines = take(frame(2, std::string(250, 'y') + "\n"), false, 10,
                    {.max_bytes = 1000, .max_line_bytes = 100});
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].text.size(), 100u);
  EXPECT_EQ(lines[2].text.size(), 50u);
  EXPECT_FALSE(lines[0].is_ended || lines[1].is_ended) << "no newline was in between";
  EXPECT_TRUE(lines[2].is_ended);
}

TEST(CTR1_log_frames, what_is_not_the_protocol_is_broken) {
  for (std::string bad :
       {std::string("HTTP/1.1 500 "), std::string("\4\0\0\0\0\0\0\1x", 9),
        std::string("\1\0\0\1\0\0\0\1x", 9), std::string("\1\0\0\0\x7f\0\0\0", 8)}) {
    log_demultiplexer demux{false, {}};
    EXPECT_FALSE(demux.feed(bad));
    EXPECT_TRUE(demux.broken());
  }
}

TEST(RUN8_log_frames, what_the_engine_cannot_read_is_told_apart_from_lines) {
  const std::string words = "Error grabbing logs: invalid character '\\x00'";
  auto bytes = frame(1, stamped(1, "before\n")) + frame(3, words + "\n") + frame(3, "again\n") +
               frame(2, stamped(2, "behind\n"));
  std::vector<log_line> expected{{log_stream::out, base_ns + 1, "before"},
                                 {log_stream::err, base_ns + 2, "behind"}};
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    log_demultiplexer demux{false, {}};
    demux.feed(std::string_view{bytes}.substr(0, split));
    demux.feed(std::string_view{bytes}.substr(split));
    ASSERT_EQ(demux.finish(), expected) << "split at " << split;
    ASSERT_FALSE(demux.broken());
    ASSERT_TRUE(demux.has_problem());
  }
  log_demultiplexer well{false, {}};
  well.feed(frame(1, stamped(1, words + "\n")));
  EXPECT_FALSE(well.has_problem()) << "a line that says so";
}

TEST(RUN8_log_frames, of_a_tty_only_what_has_no_time_is_the_engines) {
  const std::string words = "Error grabbing logs: EOF";
  log_demultiplexer demux{true, {}};
  demux.feed(stamped(1, words + "\r\n") + words + "\n");
  EXPECT_EQ(demux.finish(), (std::vector<log_line>{{log_stream::out, base_ns + 1, words}}));
  EXPECT_TRUE(demux.has_problem());
}

TEST(CTR1_log_frames, an_end_within_a_frame_is_broken_and_keeps_what_was_whole) {
  auto bytes = frame(1, stamped(1, "whole\n")) + frame(1, stamped(2, "cut\n"));
  log_demultiplexer demux{false, {}};
  demux.feed(std::string_view{bytes}.substr(0, bytes.size() - 2));
  EXPECT_EQ(demux.finish(), (std::vector<log_line>{{log_stream::out, base_ns + 1, "whole"}}));
  EXPECT_TRUE(demux.broken());
}

TEST(CTR1_log_frames, stamps_have_nanoseconds) {
  EXPECT_EQ(take_stamp("2026-11-21T04:39:59.123456789Z x")->at_ns, base_ns + 123456789);
  EXPECT_EQ(take_stamp("2026-11-21T05:39:59.5+01:00 x")->at_ns, base_ns + 500000000);
  EXPECT_EQ(take_stamp("2026-11-21T04:39:59Z rest of it")->rest, "rest of it");
  EXPECT_FALSE(take_stamp("yesterday it rained"));
  EXPECT_FALSE(take_stamp(""));
}
