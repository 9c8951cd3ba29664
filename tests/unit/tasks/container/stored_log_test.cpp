// Of an output that is too large the beginning and the end are stored, and a line between them.

#include "tasks/container/stored_log.hpp"

#include "adapters/kept_output.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using tasks::stored_output;
using tasks::stored_text;

constexpr std::size_t limit = 4096;

/// As it is collected and stored.
stored_text stored(const std::string& output, std::size_t most = limit,
                   const redactor& redact = {}) {
  adapters::output_ends ends(tasks::ends_of(most));
  ends.add({adapters::log_stream::out, 1, output, false});
  return stored_output(ends.finish(), redact, most);
}

/// "line 000001\n" and so on, exactly so many bytes.
std::string lines_of(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) {
    const auto number = std::to_string(i);
    text += "line " + std::string(7 - number.size(), '0') + number + "\n";
  }
  text.resize(bytes - 1);
  return text + "\n";
}

struct parts {
  std::string head, tail;
  std::size_t left_out = 0;
};

/// Around the mark; nothing is left out if there is none.
parts parts_of(const std::string& text) {
  const auto at = text.find("[reeve: ");
  if (at == text.npos) return {text, "", 0};
  const auto end = text.find(" bytes left out]\n", at);
  EXPECT_NE(end, text.npos);
  return {text.substr(0, at), text.substr(end + 17),
          std::stoull(text.substr(at + 8, end - at - 8))};
}

/// What holds for every output that holds no secret.
void expect_both_ends(const std::string& output, std::size_t most = limit) {
  const auto text = stored(output, most);
  SCOPED_TRACE(output.size());
  ASSERT_TRUE(text.truncated);
  EXPECT_LE(text.text.size(), most);
  // Of a line whose beginning was not collected no end is stored.
  const bool is_collected = output.size() <= 2 * tasks::ends_of(most);
  EXPECT_GE(text.text.size(), most * (is_collected ? 5 : 3) / 8) << "the room is used";
  auto is = parts_of(text.text);
  if (!output.starts_with(is.head)) {
    ASSERT_EQ(is.head.back(), '\n') << "the mark has a line of its own";
    is.head.pop_back();
  }
  EXPECT_TRUE(output.starts_with(is.head));
  EXPECT_TRUE(output.ends_with(is.tail));
  EXPECT_EQ(is.head.size() + is.left_out + is.tail.size(), output.size());
}

}  // namespace

TEST(RUN14_stored_log, is_whole_up_to_its_limit) {
  for (const auto bytes : {std::size_t{0}, std::size_t{1}, limit - 1, limit}) {
    const auto output = bytes == 0 ? std::string() : lines_of(bytes);
    const auto text = stored(output);
    EXPECT_EQ(text.text, output) << bytes;
    EXPECT_FALSE(text.truncated) << bytes;
  }
}

TEST(RUN14_stored_log, keeps_beginning_and_end_beyond_it) {
  const auto margin = 2 * tasks::ends_of(limit);
  for (const auto bytes : {limit + 1, limit + 12, 3 * limit, margin - 1, margin, margin + 1,
                           margin + limit, 3 * margin}) {
    const auto output = lines_of(bytes - 18) + "FATAL: the reason\n";
    expect_both_ends(output);
    const auto is = parts_of(stored(output).text);
    EXPECT_TRUE(is.head.starts_with("line 0000000\nline 0000001\n"));
    EXPECT_TRUE(is.head.ends_with("\n")) << "cut between lines";
    EXPECT_TRUE(is.tail.starts_with("line 0")) << is.tail.substr(0, 20);
    EXPECT_TRUE(is.tail.ends_with("FATAL: the reason\n"));
  }
}

TEST(RUN14_stored_log, cuts_a_line_that_is_longer_than_the_limit) {
  for (const auto bytes : {limit + 1, 3 * limit, 4 * tasks::ends_of(limit)}) {
    expect_both_ends("first\n" + std::string(bytes, 'x') + "\nlast\n");
    expect_both_ends(std::string(bytes, 'x'));
    expect_both_ends(std::string(bytes, 'x') + "\nlast");
    expect_both_ends("first\n" + std::string(bytes, 'x'));
  }
}

TEST(RUN14_stored_log, cuts_no_character) {
  for (const std::string character : {"\u00e9", "\u20ac", "\U0001f600"}) {
    for (std::size_t before = 0; before < 4; ++before) {
      for (const auto bytes : {3 * limit, 3 * tasks::ends_of(limit)}) {
        std::string output(before, 'a');
        while (output.size() < bytes) output += character;
        expect_both_ends(output);
        EXPECT_EQ(first_invalid_utf8(stored(output).text), std::string::npos) << character;
      }
    }
  }
}

TEST(RUN14_stored_log, keeps_bytes_that_are_no_text) {
  std::string output;
  for (std::size_t i = 0; i < 3 * limit; ++i) output += static_cast<char>(0x80 + i % 64);
  const auto text = stored(output);
  EXPECT_TRUE(text.truncated);
  EXPECT_LE(text.text.size(), limit);
  EXPECT_GE(text.text.size(), limit / 2);
}

TEST(RUN14_stored_log, counts_what_is_stored) {
  // Redaction makes a text shorter here, and longer there.
  std::string shorter;
  while (shorter.size() <= limit) shorter += "password=" + std::string(200, 'q') + "\n";
  EXPECT_FALSE(stored(shorter).truncated);
  EXPECT_EQ(stored(shorter).text, redactor().redact(shorter));
  std::string longer;
  while (longer.size() + 24 < limit) longer += "password=abcdefgh\n";
  const auto text = stored(longer);
  EXPECT_TRUE(text.truncated);
  EXPECT_LE(text.text.size(), limit);
  const auto is = parts_of(text.text);
  const auto kept = std::count(is.head.begin(), is.head.end(), '\n') +
                    std::count(is.tail.begin(), is.tail.end(), '\n');
  EXPECT_EQ(is.left_out, longer.size() - static_cast<std::size_t>(kept) * 18)
      << "counted as the job wrote it";
}

/// Wherever the cut comes, no part of a secret is stored.
TEST(P16_stored_log, shows_no_half_of_a_secret) {
  const std::string secret = "first-half-of-it\nand-the-second-half\nwith-a-third";
  const auto redact = redactor::make({{"key", secret}});
  ASSERT_TRUE(redact);
  for (const auto whole : {3 * limit, 3 * tasks::ends_of(limit)}) {
    const std::size_t step = whole == 3 * limit ? 1 : 11;
    for (std::size_t shift = 0; shift < secret.size() + 2; shift += step) {
      std::string output(shift, '.');
      while (output.size() < whole) output += secret + " and ";
      const auto text = stored(output, limit, *redact).text;
      for (const char* part : {"first", "half", "third", "second"}) {
        ASSERT_EQ(text.find(part), std::string::npos) << shift << " " << whole;
      }
    }
  }
}

TEST(P16_stored_log, shows_no_part_of_a_key_that_the_cut_goes_through) {
  std::string key = "-----BEGIN RSA PRIVATE KEY-----\n";
  for (int i = 0; i < 50; ++i) key += std::string(64, static_cast<char>('A' + i % 26)) + "\n";
  key += "-----END RSA PRIVATE KEY-----\n";
  for (const auto whole : {3 * limit, 3 * tasks::ends_of(limit)}) {
    std::string output;
    while (output.size() < whole) output += "starting\n" + key + "done\n";
    const auto text = stored(output).text;
    EXPECT_EQ(text.find("AAAAAAAA"), std::string::npos);
    EXPECT_EQ(text.find("MMMMMMMM"), std::string::npos);
    EXPECT_NE(text.find("starting"), std::string::npos);
  }
}

TEST(P16_stored_log, shows_no_end_of_a_line_whose_beginning_is_not_there) {
  const auto secret = "password=" + std::string(3 * tasks::ends_of(limit), 'k');
  const auto text = stored("begun\n" + secret + "\n" + lines_of(limit)).text;
  EXPECT_TRUE(text.starts_with("begun\n"));
  EXPECT_TRUE(text.ends_with(lines_of(limit).substr(limit - 100)));
  EXPECT_EQ(text.find("kkkk"), std::string::npos);
}

TEST(P16_stored_log, shows_no_rest_of_a_key_that_the_engine_lost_the_beginning_of) {
  std::string rest;
  for (int i = 0; i < 50; ++i) rest += std::string(64, static_cast<char>('A' + i % 26)) + "\n";
  rest += "-----END RSA PRIVATE KEY-----\n";
  adapters::output_ends ends(tasks::ends_of(limit));
  ends.add({adapters::log_stream::out, 1, rest + lines_of(180'000), false});
  auto kept = ends.finish();
  kept.lacks_beginning = true;
  const auto text = stored_output(kept, redactor(), limit).text;
  EXPECT_EQ(text.find("AAAAAAAA"), std::string::npos);
  EXPECT_NE(text.find("line"), std::string::npos);
}

TEST(RUN14_stored_log, says_that_the_beginning_may_be_lost) {
  for (const auto bytes : {std::size_t{66'000}, std::size_t{180'000}, 3 * tasks::ends_of(limit)}) {
    adapters::output_ends ends(tasks::ends_of(limit));
    ends.add({adapters::log_stream::out, 1, lines_of(bytes), false});
    auto kept = ends.finish();
    kept.lacks_beginning = true;
    const auto text = stored_output(kept, redactor(), limit);
    EXPECT_TRUE(text.truncated) << bytes;
    EXPECT_LE(text.text.size(), limit);
    EXPECT_TRUE(text.text.starts_with("[reeve: the engine may have lost what came before]\nline"));
  }
}

TEST(RUN14_stored_log, is_the_same_however_it_came) {
  const auto output = lines_of(3 * tasks::ends_of(limit));
  adapters::output_ends pieces(tasks::ends_of(limit));
  for (std::size_t at = 0; at < output.size(); at += 1000) {
    pieces.add({adapters::log_stream::out, 1, output.substr(at, 1000), false});
  }
  EXPECT_EQ(stored_output(pieces.finish(), redactor(), limit).text, stored(output).text);
}

TEST(RUN13_stored_log, keeps_nothing_of_a_text_that_takes_too_long) {
  for (const auto bytes : {std::size_t{200'000}, 3 * tasks::ends_of(limit)}) {
    adapters::output_ends ends(tasks::ends_of(limit));
    ends.add({adapters::log_stream::out, 1, lines_of(bytes), false});
    const auto kept = ends.finish();
    tasks::output_redaction work(kept, redactor(), limit);
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(work.step());
    const auto text = work.nothing();
    EXPECT_EQ(text.text, "[reeve: " + std::to_string(bytes) + " bytes left out]\n");
    EXPECT_TRUE(text.truncated);
  }
}

TEST(RUN13_stored_log, is_made_in_small_steps_and_is_the_same_then) {
  for (const auto bytes : {std::size_t{0}, std::size_t{300'000}, std::size_t{3'000'000}}) {
    const auto output = bytes == 0 ? std::string() : lines_of(bytes);
    adapters::output_ends ends(tasks::ends_of(400'000));
    ends.add({adapters::log_stream::out, 1, output, false});
    const auto kept = ends.finish();
    tasks::output_redaction work(kept, redactor(), 400'000);
    std::size_t steps = 0;
    while (work.step()) ++steps;
    EXPECT_FALSE(work.step());
    EXPECT_EQ(work.finish().text, stored(output, 400'000).text);
    EXPECT_GE(steps, (kept.head.size() + kept.tail.size()) / (64 << 10));
  }
}

namespace {

/// A line of both streams in turn, three of stdout for each of stderr; whose it is it says itself.
std::string tell_streams(adapters::output_ends& ends, std::size_t bytes) {
  std::string whole;
  for (int i = 0; whole.size() < bytes; ++i) {
    const bool is_err = i % 4 == 3;
    const auto text = (is_err ? "err " : "out ") + std::to_string(i);
    ends.add({is_err ? adapters::log_stream::err : adapters::log_stream::out, 1, text});
    whole += text + "\n";
  }
  return whole;
}

/// Every line is of the stream that it names.
void expect_streams(const stored_text& text) {
  ASSERT_EQ(text.lines.size(), domain::lines_in(text.text));
  std::string_view left = text.text;
  domain::log_streams sizes;
  for (std::size_t i = 0; i < text.lines.size(); ++i) {
    const auto line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(left.size(), line.size() + 1));
    auto is = domain::line_stream::reeve;
    if (line.starts_with("out")) is = domain::line_stream::out;
    if (line.starts_with("err")) is = domain::line_stream::err;
    ASSERT_EQ(text.lines.at(i), is) << i << ": " << line;
  }
  const auto streams = tasks::streams_of(text);
  ASSERT_TRUE(streams);
  EXPECT_GT(streams->stdout_bytes, 0);
  EXPECT_LE(streams->stdout_bytes, static_cast<std::int64_t>(text.text.size()));
}

}  // namespace

TEST(RUN14_stored_log, knows_whose_each_line_is) {
  const auto margin = 2 * tasks::ends_of(limit);
  for (const auto bytes :
       {limit / 2, limit + 1, 3 * limit, margin - 7, margin + 1, margin + limit, 3 * margin}) {
    for (const bool lacks_beginning : {false, true}) {
      SCOPED_TRACE(std::to_string(bytes) + (lacks_beginning ? " without its beginning" : ""));
      adapters::output_ends ends(tasks::ends_of(limit));
      tell_streams(ends, bytes);
      auto kept = ends.finish();
      kept.lacks_beginning = lacks_beginning;
      expect_streams(stored_output(kept, redactor(), limit));
    }
  }
}

TEST(RUN14_stored_log, knows_whose_each_line_is_where_secrets_go_over_several) {
  const auto redact = redactor::make({{"key", "first-half-of-it\nand-the-second-half"}});
  ASSERT_TRUE(redact);
  for (const auto bytes : {std::size_t{100}, 3 * limit, 3 * tasks::ends_of(limit)}) {
    for (const bool is_at_end : {false, true}) {
      adapters::output_ends ends(tasks::ends_of(limit));
      const auto secret = [&] {
        ends.add({adapters::log_stream::err, 1, "err first-half-of-it"});
        ends.add({adapters::log_stream::err, 1, "and-the-second-half", false});
      };
      secret();
      ends.add({adapters::log_stream::out, 1, "out"});
      tell_streams(ends, bytes);
      if (is_at_end) secret();
      const auto text = stored_output(ends.finish(), *redact, limit);
      ASSERT_EQ(text.lines.size(), domain::lines_in(text.text)) << bytes;
      EXPECT_EQ(text.text.find("half"), std::string::npos);
      std::string_view left = text.text;
      for (std::size_t i = 0; i < text.lines.size(); ++i) {
        const auto line = left.substr(0, left.find('\n'));
        left.remove_prefix(std::min(left.size(), line.size() + 1));
        const bool is_err = text.lines.at(i) == domain::line_stream::err;
        const bool tells = line.starts_with("out") || line.starts_with("err");
        EXPECT_TRUE(!tells || is_err == line.starts_with("err")) << line;
      }
    }
  }
}

TEST(RUN14_stored_log, says_nothing_of_streams_that_nobody_told) {
  adapters::kept_output kept;
  kept.head = lines_of(2 * limit);
  EXPECT_FALSE(tasks::streams_of(stored_output(kept, redactor(), limit)));
  kept.head = "one\ntwo\n";
  EXPECT_FALSE(tasks::streams_of(stored_output(kept, redactor(), limit)));
  const auto nothing = tasks::output_redaction(kept, redactor(), limit).nothing();
  const auto streams = tasks::streams_of(nothing);
  ASSERT_TRUE(streams);
  EXPECT_EQ(streams->stderr_bytes, static_cast<std::int64_t>(nothing.text.size())) << "it is read";
  EXPECT_EQ(streams->stdout_bytes, streams->stderr_bytes) << "of both";
}
