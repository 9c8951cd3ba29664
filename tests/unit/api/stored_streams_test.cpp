// RUN14: one stream of a stored log, whose text and marks come in pieces.

#include "api/stored_streams.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::api;
using domain::line_stream;

/// A log of so many lines with what is read of each stream.
struct sample {
  explicit sample(int lines) {
    for (int i = 0; i < lines; ++i) {
      const auto is = static_cast<line_stream>(i % 7 % 3);
      const auto line =
          std::string(static_cast<std::size_t>(i % 5), 'x') + (i + 1 < lines ? "\n" : "!");
      marks.add(is);
      text += line;
      if (is != line_stream::err) out += line;
      if (is != line_stream::out) err += line;
    }
    streams = domain::measured(text, marks);
    streams.marks = domain::blob_ref{{}, static_cast<std::int64_t>(marks.packed().size()), false};
  }
  /// What is taken when the text comes in pieces of `size`.
  std::string read(line_stream wanted, std::size_t size) const {
    stream_lines lines(stored_streams(streams), wanted);
    std::string all;
    for (std::size_t at = 0; at < text.size(); at += size) {
      lines.add(std::string_view(text).substr(at, size));
      all += lines.take();
      while (const auto needed = lines.needs()) {
        EXPECT_LE(needed->bytes, 128 << 10);
        lines.add(*needed, marks.packed().substr(static_cast<std::size_t>(needed->offset),
                                                 static_cast<std::size_t>(needed->bytes)));
        all += lines.take();
      }
    }
    return all;
  }

  std::string text, out, err;
  domain::line_marks marks;
  domain::log_streams streams;
};

}  // namespace

TEST(RUN14_stream_lines, are_the_same_however_they_come) {
  const sample log(60);
  for (std::size_t size = 1; size <= log.text.size(); ++size) {
    ASSERT_EQ(log.read(line_stream::out, size), log.out) << size;
    ASSERT_EQ(log.read(line_stream::err, size), log.err) << size;
  }
  EXPECT_EQ(log.streams.stdout_bytes, static_cast<std::int64_t>(log.out.size()));
  EXPECT_EQ(log.streams.stderr_bytes, static_cast<std::int64_t>(log.err.size()));
}

TEST(RUN14_stream_lines, of_very_many_take_further_marks) {
  const sample log(1'200'000);
  EXPECT_TRUE(log.read(line_stream::out, 256 << 10) == log.out);
  EXPECT_TRUE(log.read(line_stream::err, 256 << 10) == log.err);
}

TEST(RUN14_stream_lines, without_their_marks_are_not_guessed) {
  const sample log(60);
  stream_lines lines(stored_streams(log.streams), line_stream::out);
  lines.add(log.text);
  EXPECT_EQ(lines.take(), "");
  const auto needed = lines.needs();
  ASSERT_TRUE(needed);
  EXPECT_EQ(needed->offset, 0);
  EXPECT_EQ(needed->bytes, 15);
  lines.add(*needed, "short");
  EXPECT_EQ(lines.take(), "");
  EXPECT_FALSE(lines.needs()) << "nothing is asked for again";
}

TEST(RUN14_stored_streams, need_no_marks_where_all_is_of_one) {
  const stored_streams err(domain::log_streams{0, 9, {}});
  EXPECT_FALSE(err.needs(1, 1000));
  EXPECT_EQ(err.of(7), line_stream::err);
  EXPECT_TRUE(err.is_read_of(line_stream::err, 7));
  EXPECT_FALSE(err.is_read_of(line_stream::out, 7));
  EXPECT_EQ(stored_streams(domain::log_streams{9, 0, {}}).of(1), line_stream::out);
  const stored_streams unknown;
  EXPECT_FALSE(unknown.is_known());
  EXPECT_FALSE(unknown.needs(1));
  EXPECT_FALSE(unknown.of(1));
  EXPECT_FALSE(unknown.is_read_of(line_stream::out, 1));
}

TEST(RUN14_stored_streams, ask_for_the_part_that_is_not_here) {
  const sample log(2'000'000);
  stored_streams streams(log.streams);
  const auto first = streams.needs(1);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes, 128 << 10);
  const auto part = [&](const stored_streams::piece& of) {
    return log.marks.packed().substr(static_cast<std::size_t>(of.offset),
                                     static_cast<std::size_t>(of.bytes));
  };
  streams.add(*first, part(*first));
  EXPECT_FALSE(streams.needs(1, 524'288));
  const auto next = streams.needs(524'288, 2);
  ASSERT_TRUE(next) << "the second of them is not";
  streams.add(*next, part(*next));
  for (const std::int64_t line : {524'288, 524'289, 1'000'000}) {
    EXPECT_EQ(streams.of(line), log.marks.at(static_cast<std::size_t>(line - 1))) << line;
  }
  EXPECT_FALSE(streams.of(1)) << "it was let go";
  EXPECT_FALSE(streams.needs(2'000'001)) << "there is no such line";
}
