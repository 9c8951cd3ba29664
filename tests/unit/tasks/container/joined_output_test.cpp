// RUN14: what was taken of an output while it was written and what the engine has left of it are
// joined to the whole, byte by byte, or to two ends of it with a mark between; whatever the streams
// wrote, wherever the engine let go.

#include "tasks/container/joined_output.hpp"

#include "adapters/docker/output_reader.hpp"
#include "adapters/kept_output.hpp"
#include "tasks/container/lost_beginning.hpp"
#include "tasks/container/stored_log.hpp"

#include <gtest/gtest.h>
#include <random>

namespace {

using namespace reeve;
using adapters::kept_output;
using tasks::joined;
using tasks::stored_output;

/// One line of the engine's log: a part of a line of the job's, of at most 16 KiB.
struct engine_part {
  int stream = 1;
  std::int64_t at_ns = 0;
  std::string text;
};

/// As an engine writes it: of each stream one line after the other, all parts with the stamp of the
/// first, which may be written behind what the other stream stamped later.
class written_log {
 public:
  explicit written_log(std::uint32_t seed) : random_(seed) {}

  std::vector<engine_part> make(std::size_t bytes, bool has_two) {
    std::size_t made = 0;
    while (made < bytes) {
      const int stream = has_two && chance(30) ? 2 : 1;
      auto& mine = open_[stream];
      if (mine.text.empty()) {
        now_ += chance(70) ? 1 + static_cast<std::int64_t>(random_() % 3'000) : 0;
        mine = {stream, now_, line_of(stream) + "\n"};
      } else {
        const auto part = mine.text.substr(0, 16'384);
        all_.push_back({stream, mine.at_ns, part});
        mine.text.erase(0, part.size());
        made += part.size();
      }
    }
    return std::move(all_);
  }

 private:
  bool chance(std::uint32_t percent) { return random_() % 100 < percent; }
  std::string line_of(int stream) {
    if (chance(10)) return "again";
    const auto size = chance(2) ? random_() % 90'000 : random_() % 900;
    std::string text = (stream == 1 ? "out " : "err ") + std::to_string(all_.size()) + " ";
    return text + std::string(size, static_cast<char>('a' + random_() % 26));
  }

  std::mt19937 random_;
  std::int64_t now_ = 1'800'000'000'000'000'000;
  engine_part open_[3];
  std::vector<engine_part> all_;
};

std::string frame_of(const engine_part& part) {
  const auto at = part.at_ns / 1'000'000'000;
  auto nanos = std::to_string(part.at_ns % 1'000'000'000);
  nanos.insert(0, 9 - nanos.size(), '0');
  auto time = format_time(at * 1'000'000);
  const auto payload = time.substr(0, 19) + "." + nanos + "Z " + part.text;
  std::string bytes{static_cast<char>(part.stream), 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>((payload.size() >> shift) & 0xff);
  }
  return bytes + payload;
}

kept_output read_of(const std::vector<engine_part>& log, std::size_t from, std::size_t to,
                    std::size_t each) {
  adapters::output_reader reader(each);
  reader.restart();
  for (auto at = from; at < to; ++at) reader.take(frame_of(log[at]));
  auto kept = reader.finish();
  EXPECT_TRUE(kept);
  return kept ? std::move(*kept) : kept_output();
}

struct join_counts {
  int exact = 0, apart = 0;
};

/// Every thirteenth place to let go at, with what was taken up to `taken`.
join_counts expect_joined(const std::vector<engine_part>& log, std::size_t taken,
                          std::size_t each) {
  const auto all = read_of(log, 0, log.size(), std::size_t{1} << 30).head;
  const auto whole = read_of(log, 0, log.size(), each);
  const auto begun = tasks::beginning_of(read_of(log, 0, taken, each), each);
  join_counts done;
  if (!begun) return done;
  EXPECT_LE(begun->text.size(), each);
  EXPECT_TRUE(all.starts_with(begun->text)) << "of what was taken after " << taken;
  EXPECT_EQ(begun->lines.size(), domain::lines_in(begun->text));
  for (std::size_t lost = 0; lost < log.size(); lost += 13) {
    auto rest = read_of(log, lost, log.size(), each);
    rest.lacks_beginning = true;
    const auto rest_size = rest.head.size() + rest.left_out + rest.tail.size();
    const auto both = joined(*begun, rest, each);
    EXPECT_FALSE(both.lacks_beginning);
    EXPECT_EQ(both.head_lines.size(), domain::lines_in(both.head));
    EXPECT_EQ(both.tail_lines.size(), domain::lines_in(both.tail));
    if (!both.lacks_middle) {
      ++done.exact;
      EXPECT_EQ(both.head, whole.head) << lost;
      EXPECT_EQ(both.tail, whole.tail) << lost;
      EXPECT_EQ(both.left_out, whole.left_out) << lost;
      EXPECT_EQ(both.head_lines, whole.head_lines) << lost;
      EXPECT_EQ(both.tail_lines, whole.tail_lines) << lost;
    } else {
      ++done.apart;
      EXPECT_EQ(both.head, begun->text) << lost;
      EXPECT_LE(both.tail.size(), each);
      EXPECT_LE(both.left_out + both.head.size() + both.tail.size(),
                std::max(all.size(), both.head.size() + both.tail.size()))
          << "it is the least";
      EXPECT_GE(both.left_out + begun->text.size() + both.tail.size(), rest_size);
      EXPECT_EQ(lost == 0 && !begun->anchors.empty(), false) << "all of it is there";
    }
    if (::testing::Test::HasFailure()) break;
  }
  return done;
}

/// A text of lines that tell where they stand.
std::string numbered(std::size_t bytes, std::size_t from = 0) {
  std::string text;
  for (auto i = from; text.size() < bytes; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

kept_output ends_of_text(const std::string& text, std::size_t each) {
  adapters::output_ends ends(each);
  for (std::size_t at = 0; at < text.size();) {
    const auto newline = std::min(text.find('\n', at), text.size());
    ends.add({adapters::log_stream::out, 0, text.substr(at, newline - at), newline < text.size()});
    at = newline + 1;
  }
  return ends.finish();
}

tasks::output_beginning beginning_with(const std::string& text) {
  auto kept = ends_of_text(text, text.size());
  return {kept.head, kept.head_lines, {}, true};
}

kept_output apart(const std::string& head, const std::string& rest, std::size_t limit) {
  auto kept = ends_of_text(rest, tasks::ends_of(limit));
  kept.lacks_beginning = true;
  return joined(beginning_with(head.substr(0, tasks::ends_of(limit))), std::move(kept),
                tasks::ends_of(limit));
}

}  // namespace

TEST(RUN14_joined_output, is_the_whole_or_two_ends_of_it_wherever_the_engine_let_go) {
  join_counts all;
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    const auto log = written_log(seed).make(300'000, seed % 3 != 0);
    for (const std::size_t each : {60'000U, 200'000U}) {
      for (const auto taken : {log.size() / 3, log.size() - 1}) {
        const auto done = expect_joined(log, taken, each);
        all.exact += done.exact;
        all.apart += done.apart;
        ASSERT_FALSE(HasFailure());
      }
    }
  }
  EXPECT_GT(all.exact, 40) << "of what overlaps";
  EXPECT_GT(all.apart, 40);
}

/// All lines of the job are alike, and none of the engine's stamps.
TEST(RUN14_joined_output, is_the_whole_of_lines_that_are_all_the_same) {
  std::vector<engine_part> log;
  for (int i = 0; i < 20'000; ++i) log.push_back({1, 1'800'000'000'000'000'000 + 10 * i, "y\n"});
  const auto begun = tasks::beginning_of(read_of(log, 0, 15'000, 1 << 20), 1 << 20);
  ASSERT_TRUE(begun);
  auto rest = read_of(log, 12'345, log.size(), 1 << 20);
  rest.lacks_beginning = true;
  const auto both = joined(*begun, rest, 1 << 20);
  EXPECT_FALSE(both.lacks_middle);
  EXPECT_EQ(both.head.size(), 40'000U);
}

TEST(RUN14_joined_output, is_what_the_engine_has_where_it_has_all) {
  const auto kept = joined(beginning_with("one\n"), ends_of_text("one\ntwo\n", 4096), 4096);
  EXPECT_EQ(kept.head, "one\ntwo\n");
  EXPECT_FALSE(kept.lacks_middle);
}

TEST(RUN14_joined_output, keeps_what_was_taken_of_what_is_gone) {
  kept_output nothing;
  nothing.gone = true;
  const auto kept = joined(beginning_with("one\n"), nothing, 4096);
  EXPECT_TRUE(kept.gone);
  const auto text = stored_output(kept, redactor(), 4096);
  EXPECT_EQ(text.text, "one\n[reeve: the engine has lost what came here]\n");
  EXPECT_TRUE(text.truncated);
  ASSERT_TRUE(tasks::streams_of(text));
}

TEST(RUN14_joined_output, takes_nothing_whose_beginning_may_be_lost) {
  auto read = ends_of_text(numbered(500'000), 100'000);
  EXPECT_TRUE(tasks::beginning_of(read, 100'000));
  read.lacks_beginning = true;
  EXPECT_FALSE(tasks::beginning_of(read, 100'000));
  EXPECT_FALSE(tasks::beginning_of(ends_of_text("a\nb\n", 100'000), 100'000)) << "not settled";
}

TEST(RUN14_joined_output, is_stored_with_both_ends_and_the_least_that_is_missing) {
  constexpr std::size_t limit = 64 << 10;
  const auto rest = numbered(3 << 20, 500'000) + "the end\n";
  const auto text =
      stored_output(apart("the begin\n" + numbered(400'000), rest, limit), redactor(), limit);
  EXPECT_LE(text.text.size(), limit);
  EXPECT_TRUE(text.truncated);
  EXPECT_TRUE(text.text.starts_with("the begin\nline 0\n"));
  EXPECT_TRUE(text.text.ends_with("\nthe end\n"));
  const auto mark = text.text.find("[reeve: at least ");
  ASSERT_NE(mark, std::string::npos);
  const auto told = std::stoull(text.text.substr(mark + 17));
  EXPECT_LE(told, rest.size() + 400'020);
  EXPECT_GE(told, rest.size() - tasks::ends_of(limit));
  EXPECT_EQ(text.lines.size(), domain::lines_in(text.text));
}

/// Of very short lines the engine has less than is stored of an end.
TEST(RUN14_joined_output, leaves_out_no_more_than_64_KiB_of_a_short_rest) {
  constexpr std::size_t limit = 1 << 20;
  const auto rest = numbered(300'000, 500'000) + "the end\n";
  const auto text = stored_output(apart(numbered(400'000), rest, limit), redactor(), limit).text;
  const auto mark = text.find("[reeve: ");
  ASSERT_NE(mark, std::string::npos);
  const auto shown = text.substr(text.find('\n', mark) + 1);
  EXPECT_TRUE(rest.ends_with(shown));
  EXPECT_GE(shown.size(), rest.size() - tasks::most_unshown_bytes);
  EXPECT_LE(shown.size(), rest.size() - tasks::least_unshown_bytes);
}

/// The beginning of it is the last that was taken, the end the first that is left; what lies
/// between is lost.
TEST(P16_joined_output, shows_no_half_of_a_secret_on_either_side) {
  std::string secret;
  for (int i = 0; i < 90; ++i) secret += "Kq" + std::to_string(i * 7919 + 104'729) + "zzXv\n";
  const auto rules = redactor::make({{"key", secret}});
  ASSERT_TRUE(rules);
  for (const std::size_t limit : {std::size_t{64} << 10, std::size_t{1} << 20}) {
    for (std::size_t at = 1; at < secret.size(); at += 97) {
      for (const std::size_t size : {20'000U, 300'000U, 2'000'000U}) {
        const auto head = numbered(30'000) + secret.substr(0, at);
        const auto kept = apart(head, secret.substr(at) + numbered(size), limit);
        ASSERT_TRUE(kept.lacks_middle);
        const auto text = stored_output(kept, *rules, limit).text;
        ASSERT_EQ(text.find("zzXv"), std::string::npos) << limit << " " << at << " " << size;
        ASSERT_EQ(text.find("Kq"), std::string::npos)
            << limit << " " << at << " " << size << " " << text.substr(text.find("Kq") - 120, 300);
      }
    }
  }
}
