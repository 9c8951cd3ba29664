// RUN14: an output is followed though the engine rotates it, and what that loses is told where it
// is. The engine is one of which a test says when it answers, and what it has let go of meanwhile.

#include "adapters/docker/log_follow.hpp"

#include "adapters/docker/log_frames.hpp"

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
  std::string all;
  bool full = false;
};

class RUN14_log_follow : public ::testing::Test {
 protected:
  struct question {
    std::string what;
    log_follow::extent how;
    std::shared_ptr<body_sink> sink;
    reply_slot<done> slot;
  };

  void begin() {
    log_follow::questions ask;
    ask.read = [this](log_follow::extent how, auto sink, auto slot) {
      asked.push_back({how.last_lines > 0 ? "tail" : "read", how, sink, slot});
    };
    ask.follow = [this](auto sink, auto slot) { asked.push_back({"follow", {}, sink, slot}); };
    ask.wait = [this](std::int64_t, auto sink, auto slot) {
      asked.push_back({"wait", {}, sink, slot});
    };
    std::make_shared<log_follow>(sink, ask, log_bytes, reply_slot<done>([this](outcome<done> how) {
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
  std::vector<log_line> kept(log_follow::extent how = {}) const {
    std::vector<log_line> lines;
    for (auto i = gone; i < log.size(); ++i) {
      if (at_of(log[i]) >= how.since_ns) lines.push_back(log[i]);
    }
    const auto most = static_cast<std::size_t>(how.last_lines);
    if (most > 0 && lines.size() > most) lines.erase(lines.begin(), lines.end() - how.last_lines);
    return lines;
  }
  /// Answers what is asked next with what it has; its name.
  std::string answer() {
    if (asked.empty()) return "nothing";
    const auto next = std::move(asked.front());
    asked.pop_front();
    send(next, kept(next.how));
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
    EXPECT_EQ(answer(), "follow");
    EXPECT_EQ(answer(), "read");
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
  std::deque<question> asked;
  std::shared_ptr<told_sink> sink = std::make_shared<told_sink>();
  std::string end;

 private:
  static std::int64_t at_of(const log_line& line) {
    return take_stamp(framed(line).substr(8))->at_ns;
  }
};

}  // namespace

TEST_F(RUN14_log_follow, follows_what_fits_into_the_first_file) {
  begin();
  EXPECT_EQ(answer(), "read");
  write(trusted - 1);
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
  begin();
  answer();
  write(200);
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
  EXPECT_EQ(answer(), "read");
  EXPECT_EQ(sink->all, numbers(1, 5100));
  EXPECT_EQ(asked.front().what, "wait");
}

TEST_F(RUN14_log_follow, tells_a_gap_where_it_is) {
  follow_beyond(100);
  write(200);
  gone = 150;
  EXPECT_EQ(wait_is_woken(), "tail");
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
  EXPECT_EQ(answer(), "read");
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

TEST_F(RUN14_log_follow, tells_a_line_without_end_that_nobody_keeps_once_it_ends) {
  follow_beyond(50);
  const log_line part{log_stream::out, 900'000, std::string(16'000, 'y'), false};
  log.insert(log.end(), 4, part);
  EXPECT_EQ(wait_is_woken(), "tail");
  gone = 52;
  log.push_back(part);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(wait_is_over(), "tail");
    EXPECT_EQ(answer(), "read");
    ASSERT_EQ(asked.front().what, "wait") << "not all of it again and again";
  }
  log.push_back({log_stream::out, 900'000, "", true});
  write(1);
  log.back().at_ns = 901'000;
  EXPECT_EQ(wait_is_woken(), "tail");
  EXPECT_EQ(answer(), "read");
  EXPECT_EQ(sink->all, numbers(1, 50) + "lost|" + std::to_string(log.size()) + "|");
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
  ASSERT_EQ(asked.front().what, "read");
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
