// RUN14: an output is followed though the engine rotates it, and what that loses is told where it
// is. The engine is one of which a test says when it answers, and what it has let go of meanwhile.

#include "adapters/docker/log_follow.hpp"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace reeve;
using namespace reeve::adapters;

// The engine keeps 64,000 bytes. A line of the test has 178 in its file, so 40 of them are trusted,
// and at 315 some may be gone.
constexpr std::size_t log_bytes = 64'000;
constexpr int trusted = 40;
constexpr int all_kept = 315;

std::string framed(const log_line& line) {
  char stamp[40];
  std::snprintf(stamp, sizeof stamp, "2026-11-30T00:00:%02d.%09dZ ",
                static_cast<int>(line.at_ns / 1'000'000'000),
                static_cast<int>(line.at_ns % 1'000'000'000));
  const auto text = stamp + line.text + (line.is_ended ? "\n" : "");
  std::string bytes{static_cast<char>(line.stream), 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>((text.size() >> shift) & 0xff);
  }
  return bytes + text;
}

struct told_sink final : output_sink {
  void take(std::vector<log_line> lines) override {
    for (auto& one : lines) all += one.text.substr(0, one.text.find(' ')) + "|";
  }
  void lost() override { all += "lost|"; }
  bool is_full() const override { return full; }
  bool needs_every_line() const override { return every; }
  std::string all;
  bool full = false;
  bool every = true;
};

class RUN14_log_follow : public ::testing::Test {
 protected:
  struct question {
    std::string what;
    int last_lines;
    std::shared_ptr<body_sink> sink;
    reply_slot<done> slot;
  };

  void begin() {
    log_follow::questions ask;
    ask.read = [this](int last_lines, auto sink, auto slot) {
      asked.push_back({last_lines > 0 ? "tail" : "read", last_lines, sink, slot});
    };
    ask.follow = [this](auto sink, auto slot) { asked.push_back({"follow", 0, sink, slot}); };
    ask.wait = [this](std::int64_t, auto sink, auto slot) {
      asked.push_back({"wait", 0, sink, slot});
    };
    std::make_shared<log_follow>(sink, ask, keeps, reply_slot<done>([this](outcome<done> how) {
                                   end = how ? "done" : how.error().detail;
                                 }))
        ->begin();
  }
  /// Lines "1", "2", … of 100 bytes, a microsecond apart.
  void write(int count, log_stream of = log_stream::out) {
    for (int i = 0; i < count; ++i) {
      auto text = std::to_string(log.size() + 1);
      text += ' ' + std::string(99 - text.size(), 'x');
      log.push_back({of, static_cast<std::int64_t>(log.size() + 1) * 1000, text});
    }
  }
  static bool send(const question& to, const std::vector<log_line>& lines) {
    to.sink->restart();
    std::string bytes;
    for (const auto& one : lines) bytes += framed(one);
    return to.sink->take(bytes);
  }
  std::vector<log_line> kept(int last_lines) const {
    auto begin = gone;
    const auto most = static_cast<std::size_t>(last_lines);
    if (most > 0 && log.size() > most) begin = std::max(begin, log.size() - most);
    return {log.begin() + static_cast<std::ptrdiff_t>(begin), log.end()};
  }
  /// Answers what is asked next with what it has; its name.
  std::string answer() {
    if (asked.empty()) return "nothing";
    const auto next = std::move(asked.front());
    asked.pop_front();
    send(next, kept(next.last_lines));
    next.slot.answer(done{});
    return next.what;
  }
  /// What is there, and no more; the container goes on.
  std::string wait_is_woken() {
    const auto next = std::move(asked.front());
    asked.pop_front();
    EXPECT_EQ(next.what, "wait");
    EXPECT_FALSE(send(next, {log.back()}));
    next.slot.answer(done{});
    return answer();
  }
  std::string wait_is_over() {
    const auto next = std::move(asked.front());
    asked.pop_front();
    EXPECT_EQ(next.what, "wait");
    next.slot.answer(reject(errc::timed_out, "it waited"));
    return answer();
  }
  std::string wait_ends() {
    const auto next = std::move(asked.front());
    asked.pop_front();
    EXPECT_EQ(next.what, "wait");
    EXPECT_TRUE(send(next, {log.back()})) << "that line is known";
    next.slot.answer(done{});
    return answer();
  }
  /// Up to the first wait, with so many lines.
  void follow_beyond(int count) {
    begin();
    EXPECT_EQ(answer(), "read");
    write(count);
    // Nothing was there at the first look.
    for (const auto* what : {"follow", "read", "follow", "read"}) EXPECT_EQ(answer(), what);
    ASSERT_EQ(asked.size(), 1U);
    ASSERT_EQ(asked[0].what, "wait");
    EXPECT_EQ(sink->all, numbers(1, count));
  }
  static std::string numbers(int first, int last) {
    std::string all;
    for (int i = first; i <= last; ++i) all += std::to_string(i) + "|";
    return all;
  }

  std::vector<log_line> log;
  std::size_t gone = 0;
  std::size_t keeps = log_bytes;
  std::deque<question> asked;
  std::shared_ptr<told_sink> sink = std::make_shared<told_sink>();
  std::string end;
};

}  // namespace

TEST_F(RUN14_log_follow, follows_what_fits_into_the_first_file) {
  write(1);
  begin();
  EXPECT_EQ(answer(), "read");
  write(trusted - 2);
  ASSERT_EQ(asked.front().what, "follow");
  EXPECT_TRUE(send(asked.front(), {log[0], log[1]}));
  EXPECT_EQ(sink->all, "1|2|") << "as it comes";
  EXPECT_TRUE(asked.front().sink->take(framed(log[2])));
  asked.front().slot.answer(done{});
  EXPECT_EQ(sink->all, "1|2|3|");
  EXPECT_EQ(end, "done");
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(RUN14_log_follow, reads_on_where_it_may_be_rotated_and_ends_with_the_container) {
  follow_beyond(100);
  write(3);
  gone = 60;
  EXPECT_EQ(wait_is_woken(), "tail");
  EXPECT_EQ(sink->all, numbers(1, 103)) << "what is told again is not taken again";
  // It writes nothing more but the beginning of a line, and ends.
  log.push_back({log_stream::out, 900'000, "no newline", false});
  EXPECT_EQ(wait_is_woken(), "tail");
  EXPECT_EQ(sink->all, numbers(1, 103)) << "it may go on";
  EXPECT_EQ(wait_ends(), "tail");
  EXPECT_EQ(sink->all, numbers(1, 103) + "no|");
  EXPECT_EQ(end, "done");
  EXPECT_EQ(answer(), "nothing");
}

TEST_F(RUN14_log_follow, takes_nothing_that_is_followed_beyond_the_first_file) {
  write(1);
  begin();
  answer();
  write(199);
  auto jumping = log;
  jumping.erase(jumping.begin() + trusted, jumping.begin() + 150);
  EXPECT_FALSE(send(asked.front(), jumping));
  asked.front().slot.answer(done{});
  asked.pop_front();
  EXPECT_EQ(sink->all, numbers(1, trusted));
  EXPECT_EQ(answer(), "read");
  EXPECT_EQ(sink->all, numbers(1, 200));
}

TEST_F(RUN14_log_follow, reads_more_where_the_end_does_not_reach_back) {
  follow_beyond(100);
  write(5000);
  EXPECT_EQ(wait_is_woken(), "tail");
  EXPECT_EQ(sink->all, numbers(1, 100)) << "nothing of it can be joined";
  EXPECT_EQ(answer(), "tail") << "more of it";
  EXPECT_EQ(sink->all, numbers(1, 5100));
  EXPECT_EQ(asked.front().what, "wait");
}

TEST_F(RUN14_log_follow, tells_a_gap_where_it_is) {
  follow_beyond(100);
  write(200);
  gone = 150;
  EXPECT_EQ(wait_is_woken(), "tail");
  EXPECT_EQ(answer(), "tail");
  EXPECT_EQ(answer(), "read");
  EXPECT_EQ(sink->all, numbers(1, 100) + "lost|" + numbers(151, 300));
  // And no second time.
  write(1);
  EXPECT_EQ(wait_is_woken(), "tail");
  EXPECT_EQ(sink->all, numbers(1, 100) + "lost|" + numbers(151, 301));
}

/// Nothing of the stream that was read last comes any more.
TEST_F(RUN14_log_follow, tells_a_gap_where_only_the_other_stream_goes_on) {
  follow_beyond(100);
  write(200, log_stream::err);
  gone = 150;
  EXPECT_EQ(wait_is_woken(), "tail");
  EXPECT_EQ(answer(), "tail");
  EXPECT_EQ(sink->all, numbers(1, 100));
  EXPECT_EQ(answer(), "read");
  EXPECT_EQ(sink->all, numbers(1, 100) + "lost|" + numbers(151, 300));
}

TEST_F(RUN14_log_follow, keeps_streams_and_equal_stamps_apart) {
  follow_beyond(50);
  const auto at = log.back().at_ns;
  log.push_back({log_stream::out, at, "same"});
  log.push_back({log_stream::err, at - 5, "e1"});
  log.push_back({log_stream::out, at, "same"});
  EXPECT_EQ(wait_is_over(), "tail") << "that there is more cannot be told from its time";
  log.push_back({log_stream::out, at, "same"});
  log.push_back({log_stream::err, at - 4, "e2"});
  EXPECT_EQ(wait_is_woken(), "tail");
  EXPECT_EQ(sink->all, numbers(1, 50) + "same|e1|same|same|e2|");
}

TEST_F(RUN14_log_follow, goes_on_within_a_line_that_the_other_stream_speaks_in) {
  follow_beyond(50);
  log.push_back({log_stream::out, 900'000, "long", false});
  write(1, log_stream::err);
  EXPECT_EQ(wait_is_woken(), "tail");
  EXPECT_EQ(sink->all, numbers(1, 50) + "52|");
  log.push_back({log_stream::out, 900'000, "line", false});
  log.push_back({log_stream::out, 900'000, "", true});
  EXPECT_EQ(wait_is_over(), "tail");
  EXPECT_EQ(sink->all, numbers(1, 50) + "52|longline|");
}

/// Of which the engine keeps a part, and nothing before it.
TEST_F(RUN14_log_follow, tells_at_once_that_a_line_without_end_is_not_all_there) {
  follow_beyond(50);
  const log_line part{log_stream::out, 900'000, std::string(16'000, 'y'), false};
  log.insert(log.end(), 4, part);
  EXPECT_EQ(wait_is_woken(), "tail");
  gone = 52;
  log.push_back(part);
  EXPECT_EQ(wait_is_over(), "tail");
  EXPECT_EQ(answer(), "tail");
  EXPECT_EQ(answer(), "read");
  EXPECT_EQ(sink->all, numbers(1, 50) + "lost|");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(wait_is_over(), "read") << "an end of it cannot be joined";
    ASSERT_EQ(asked.front().what, "wait") << "not all of it again and again";
  }
  log.push_back({log_stream::out, 900'000, "", true});
  write(1);
  log.back().at_ns = 901'000;
  EXPECT_EQ(wait_is_woken(), "read");
  EXPECT_EQ(sink->all, numbers(1, 50) + "lost||" + std::to_string(log.size()) + "|");
}

/// A bar of progress, which is one line of its stream as long as it runs.
TEST_F(RUN14_log_follow, goes_on_within_a_line_that_is_the_first_of_its_stream) {
  follow_beyond(50);
  for (int i = 0; i < 5; ++i) {
    log.push_back({log_stream::err, 60'000, "part" + std::to_string(i), false});
    EXPECT_EQ(wait_is_over(), "tail");
    write(1);
    log.back().at_ns = 900'000 + i * 10'000'000'000;
    EXPECT_EQ(wait_is_over(), "tail");
    ASSERT_EQ(asked.front().what, "wait");
  }
  log.push_back({log_stream::err, 60'000, "", true});
  EXPECT_EQ(wait_is_over(), "tail");
  EXPECT_EQ(sink->all, numbers(1, 50) + "52|54|56|58|60|part0part1part2part3part4|");
}

TEST_F(RUN14_log_follow, goes_on_within_a_line_that_is_alone) {
  const auto part = [this](int i) {
    log.push_back({log_stream::err, 60'000, std::to_string(i) + std::string(2'000, 'y'), false});
  };
  for (int i = 0; i < 5; ++i) part(i);
  begin();
  for (const auto* what : {"read", "follow", "read"}) EXPECT_EQ(answer(), what);
  for (int i = 5; i < 9; ++i) {
    part(i);
    EXPECT_EQ(wait_is_over(), "read");
    ASSERT_EQ(asked.front().what, "wait");
  }
  EXPECT_EQ(wait_ends(), "read");
  std::string all;
  for (const auto& one : log) all += one.text;
  EXPECT_TRUE(sink->all == all + "|") << sink->all.size();
}

TEST_F(RUN14_log_follow, only_follows_for_who_does_not_need_every_line) {
  sink->every = false;
  begin();
  ASSERT_EQ(asked.front().what, "follow") << "no first look";
  write(200);
  EXPECT_TRUE(send(asked.front(), log)) << "not cut at the end of the first file";
  EXPECT_EQ(sink->all, numbers(1, 200));
  asked.front().slot.answer(done{});
  EXPECT_EQ(end, "done");
}

TEST_F(RUN14_log_follow, tells_at_once_that_the_beginning_may_be_gone) {
  write(all_kept + 20);
  gone = 10;
  begin();
  EXPECT_EQ(answer(), "read");
  EXPECT_EQ(answer(), "follow");
  EXPECT_EQ(sink->all, "lost|" + numbers(11, 10 + trusted));
  EXPECT_EQ(answer(), "read");
  EXPECT_EQ(sink->all, "lost|" + numbers(11, all_kept + 20));
}

TEST_F(RUN14_log_follow, tells_that_the_beginning_went_while_it_began) {
  write(all_kept - 10);
  begin();
  EXPECT_EQ(answer(), "read");
  write(30);
  gone = 20;
  EXPECT_EQ(answer(), "follow");
  EXPECT_EQ(sink->all, "lost|" + numbers(21, 20 + trusted));
}

TEST_F(RUN14_log_follow, reads_no_more_while_the_reader_is_full) {
  follow_beyond(100);
  write(1);
  wait_is_woken();
  write(5000);
  EXPECT_EQ(wait_is_over(), "tail");
  ASSERT_EQ(asked.front().what, "tail");
  EXPECT_FALSE(asked.front().sink->is_full());
  sink->full = true;
  EXPECT_TRUE(asked.front().sink->is_full());
}

TEST_F(RUN14_log_follow, ends_with_the_engine_or_its_stop) {
  for (int rounds = 0; rounds < 4; ++rounds) {
    log.clear();
    asked.clear();
    *sink = {};
    end.clear();
    begin();
    write(100);
    for (int i = 0; i < rounds; ++i) answer();
    const auto next = std::move(asked.front());
    asked.clear();
    // Who waits learns of it by what is read next.
    const bool waits = next.what == "wait";
    next.slot.answer(reject(waits ? errc::engine_unavailable : errc::timed_out, "it is gone"));
    EXPECT_EQ(end, "it is gone") << rounds;
    EXPECT_TRUE(asked.empty()) << rounds;
  }
}

TEST_F(RUN14_log_follow, cuts_a_long_line_where_the_stored_one_is_cut) {
  keeps = 10'000'000;
  begin();
  EXPECT_EQ(answer(), "read");
  log.push_back({log_stream::out, 1000, std::string(40'000, 'a'), false});
  log.push_back({log_stream::out, 1000, std::string(40'000, 'b'), true});
  for (const auto* what : {"follow", "read", "follow"}) EXPECT_EQ(answer(), what);
  EXPECT_EQ(sink->all.find('|'), 65'536U);
  EXPECT_EQ(sink->all.size(), 80'002U);
}
