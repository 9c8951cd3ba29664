// RUN14, P15: the output of an attempt that runs, as a reader gets it.

#include "tasks/container/live_output.hpp"

#include "tests/support/environment.hpp"
#include "tests/unit/tasks/container/silent_engine.hpp"

#include <chrono>
#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>

namespace {

using namespace reeve;
using namespace reeve::tasks;
using adapters::log_line;
using adapters::log_stream;

/// Its output comes when a test says so.
class live_engine final : public silent_engine {
 public:
  void follow(std::string execution, std::shared_ptr<adapters::output_sink> to,
              std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) override {
    followed = std::move(execution);
    sink = std::move(to);
    how = std::move(stopper);
    answer = slot;
  }

  std::string followed;
  std::shared_ptr<adapters::output_sink> sink;
  std::shared_ptr<call_stopper> how;
  reply_slot<done> answer;
};

log_line line(std::string text, std::int64_t at, log_stream of = log_stream::out,
              bool is_ended = true) {
  return {of, at, std::move(text), is_ended};
}

class RUN14_live_output : public ::testing::Test {
 protected:
  ~RUN14_live_output() override {
    if (output) output->stop();
  }
  void begin(live_place after = {}, redactor rules = {}) {
    output = live_output::begin({engine, texts, {}, std::move(rules), "abc", after, [this] {
                                   const std::lock_guard lock(mutex_);
                                   ++changes_;
                                   changed_.notify_all();
                                 }});
  }
  void tell(std::vector<log_line> lines) { engine.sink->take(std::move(lines)); }
  /// Lines of 1,000 bytes, one a nanosecond.
  void tell_much(std::int64_t behind, int count) {
    for (int i = 1; i <= count; ++i) tell({line(std::string(1000, 'y'), behind + i)});
  }
  void end() { engine.answer.answer(done{}); }

  /// Takes until so many lines are there, or nothing more will come.
  std::vector<live_line> await(std::size_t count) {
    std::vector<live_line> all;
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::seconds(20) * support::time_factor();
    for (;;) {
      std::unique_lock lock(mutex_);
      const auto seen = changes_;
      lock.unlock();
      for (auto& one : output->take(1 << 20)) all.push_back(std::move(one));
      if (all.size() >= count || output->state() != live_output::phase::going) return all;
      lock.lock();
      if (!changed_.wait_until(lock, until, [&] { return changes_ != seen; })) return all;
    }
  }
  static int gaps(const std::vector<live_line>& lines) {
    int count = 0;
    for (const auto& one : lines) count += one.is_gap ? 1 : 0;
    return count;
  }
  /// "number:o:text", with "+" behind it where the line goes on; "gap|".
  static std::string told(const std::vector<live_line>& lines) {
    std::string all;
    for (const auto& one : lines) {
      if (one.is_gap) all += "gap|";
      if (one.is_gap) continue;
      all += std::to_string(one.number) + (one.is_err ? ":e:" : ":o:") + one.text +
             (one.is_ended ? "|" : "+|");
    }
    return all;
  }

  live_engine engine;
  text_pool texts;
  std::shared_ptr<live_output> output;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int changes_ = 0;
};

}  // namespace

TEST_F(RUN14_live_output, comes_line_by_line_with_the_numbers_of_the_stored_one) {
  begin();
  EXPECT_EQ(engine.followed, "abc");
  tell({line("one", 10), line("two", 20, log_stream::err)});
  const auto first = await(2);
  EXPECT_EQ(told(first), "1:o:one|2:e:two|");
  EXPECT_EQ(first[1].at_ns, 20);
  EXPECT_EQ(output->state(), live_output::phase::going);
  // Where the other stream goes on in the middle of a line, the line ends there.
  tell({line("half", 30, log_stream::out, false), line("err", 40, log_stream::err),
        line("of it", 50)});
  EXPECT_EQ(told(await(3)), "3:o:half|4:e:err|5:o:of it|");
  tell({line("no newline", 60, log_stream::out, false)});
  end();
  EXPECT_EQ(told(await(1)), "6:o:no newline|");
  EXPECT_EQ(output->state(), live_output::phase::over);
}

TEST_F(RUN14_live_output, is_full_of_many_short_lines_as_of_few_long_ones) {
  // The room of the pool is taken, so nothing is redacted meanwhile.
  std::optional<text_pool::room> held;
  texts.ask({derived_uuid({}, "other"), {}}, std::size_t{1} << 30, std::make_shared<work_stop>(),
            reply_slot<text_pool::room>([&](outcome<text_pool::room> got) {
              if (got) held.emplace(std::move(*got));
            }));
  ASSERT_TRUE(held);
  begin();
  int lines = 0;
  while (!engine.sink->is_full() && lines < 10'000) tell({line("", ++lines)});
  EXPECT_LE(lines, 1024) << "64 KiB of what is around them";
  held.reset();
  EXPECT_EQ(await(static_cast<std::size_t>(lines)).size(), static_cast<std::size_t>(lines));
}

TEST_F(RUN14_live_output, P15_shows_no_secret_however_its_pieces_come) {
  auto rules = redactor::make({{"db", "correct-horse-battery"}});
  ASSERT_TRUE(rules);
  begin({}, *rules);
  tell({line("a correct-", 10, log_stream::out, false)});
  tell({line("horse-battery b", 20)});
  tell({line("password=hunter2hunter2", 30)});
  const auto all = told(await(2));
  EXPECT_EQ(all.substr(0, all.find('|')), "1:o:a [redacted:db] b");
  EXPECT_EQ(all.find("hunter2"), std::string::npos) << all;
}

TEST_F(RUN14_live_output, P15_a_reader_that_comes_back_gets_no_rest_of_a_secret) {
  const std::string key = "line one of it\nline two of it\nline three of it";
  auto rules = redactor::make({{"key", key}});
  ASSERT_TRUE(rules);
  // It has the first of the three lines, as it was redacted.
  begin({2, 20}, *rules);
  tell({line("before", 10), line("line one of it", 20), line("line two of it", 30),
        line("line three of it", 40), line("behind", 50)});
  end();
  const auto lines = await(3);
  const auto all = told(lines);
  EXPECT_EQ(all.find("line t"), std::string::npos) << all;
  EXPECT_NE(all.find("5:o:behind|"), std::string::npos) << all;
  EXPECT_EQ(gaps(lines), 0);
}

TEST_F(RUN14_live_output, goes_on_behind_what_the_reader_has) {
  begin({2, 20});
  tell({line("one", 10), line("two", 20), line("three", 30)});
  end();
  const auto lines = await(1);
  EXPECT_EQ(told(lines), "3:o:three|");
  EXPECT_EQ(gaps(lines), 0);
}

TEST_F(RUN14_live_output, goes_on_by_number_where_no_time_is_known) {
  begin({2, 0});
  tell({line("one", 10), line("two", 20), line("three", 30)});
  end();
  EXPECT_EQ(told(await(1)), "3:o:three|");
}

TEST_F(RUN14_live_output, finds_its_place_again_where_the_engine_let_go_of_lines) {
  begin({700, 900});
  engine.sink->lost();
  tell_much(0, 60);
  tell({line("the one", 900), line("new", 901)});
  end();
  EXPECT_EQ(told(await(1)), "701:o:new|");
}

/// A burst: all of it was written within the time that streams may be out of order by.
TEST_F(RUN14_live_output, says_so_where_its_place_is_gone) {
  begin({700, 20});
  engine.sink->lost();
  tell_much(20, 60);
  tell({line("new", 90)});
  end();
  const auto lines = await(1000);
  ASSERT_FALSE(lines.empty());
  EXPECT_TRUE(lines[0].is_gap);
  EXPECT_EQ(gaps(lines), 1);
  EXPECT_GT(lines.back().number, 700);
  EXPECT_EQ(lines.back().text, "new");
}

TEST_F(RUN14_live_output, leaves_nothing_out_unsaid_where_its_place_is_among_what_is_hidden) {
  begin({700, 20});
  engine.sink->lost();
  tell({line("the one", 20), line("the next", 21)});
  tell_much(21, 60);
  end();
  const auto lines = await(1000);
  ASSERT_FALSE(lines.empty());
  EXPECT_TRUE(lines[0].is_gap);
  EXPECT_EQ(gaps(lines), 1);
}

TEST_F(RUN14_live_output, says_so_where_a_number_means_another_line) {
  begin({2, 15});
  tell({line("one", 10), line("two", 20), line("three", 30)});
  end();
  // The numbers are too low rather than too high: who goes on from them misses nothing.
  EXPECT_EQ(told(await(3)), "gap|2:o:two|3:o:three|");
}

/// A line has the time of its first part, and a clock may be set back.
TEST_F(RUN14_live_output, takes_times_out_of_order_for_no_loss) {
  constexpr std::int64_t s = 1'000'000'000;
  begin({5, 10 * s});
  tell({line("one", 9 * s), line("two", 11 * s), line("three", 17 * s), line("four", 18 * s),
        line("long", 10 * s), line("six", 19 * s)});
  end();
  EXPECT_EQ(told(await(10)), "6:o:six|");
}

/// A piece of a long line that ended where the other stream went on has the time of the others.
TEST_F(RUN14_live_output, says_so_where_its_place_may_be_another_line_of_that_time) {
  begin({700, 20});
  engine.sink->lost();
  tell({line(std::string(60'000, 'p'), 20), line("new", 30)});
  end();
  EXPECT_EQ(told(await(10)), "gap|701:o:new|");
}

/// It was told by who told some lines twice.
TEST_F(RUN14_live_output, says_so_at_the_end_where_a_number_is_too_high) {
  begin({7, 20});
  tell({line("one", 10), line("two", 20), line("three", 30)});
  end();
  EXPECT_EQ(told(await(1)), "gap|");
  EXPECT_EQ(output->state(), live_output::phase::over);
}

TEST_F(RUN14_live_output, says_nothing_where_the_reader_has_all) {
  begin({3, 30});
  tell({line("one", 10), line("two", 20), line("three", 30)});
  end();
  EXPECT_EQ(told(await(1)), "");
  EXPECT_EQ(output->state(), live_output::phase::over);
}

TEST_F(RUN14_live_output, gives_no_line_twice_where_several_have_its_time) {
  begin({3, 20});
  tell({line("one", 10), line("two", 20), line("three", 20), line("four", 20), line("five", 30)});
  end();
  EXPECT_EQ(told(await(2)), "4:o:four|5:o:five|");
}

TEST_F(RUN14_live_output, tells_a_gap_where_it_is) {
  begin();
  tell({line("one", 10)});
  engine.sink->lost();
  tell_much(20, 60);
  engine.sink->lost();
  end();
  const auto lines = await(1000);
  EXPECT_TRUE(told(lines).starts_with("1:o:one|gap|")) << told(lines);
  ASSERT_GT(lines.size(), 3U);
  EXPECT_EQ(lines[2].at_ns, 71) << "48 KiB of lines of 1001 bytes are not shown";
  EXPECT_TRUE(lines.back().is_gap) << "also where nothing follows";
  EXPECT_EQ(gaps(lines), 2);
}

TEST_F(RUN14_live_output, P16_shows_no_part_of_a_secret_on_either_side_of_what_was_lost) {
  auto rules = redactor::make({{"key", "first of the key\nsecond of the key\nthird of the key"}});
  ASSERT_TRUE(rules);
  begin({}, *rules);
  tell({line("begun", 10), line("first of the key", 20)});
  tell({line("second of", 30, log_stream::out, false)});
  engine.sink->lost();
  tell({line("third of the key", 40)});
  tell_much(50, 60);
  tell({line("the end", 200)});
  end();
  const auto lines = await(1000);
  EXPECT_TRUE(told(lines).starts_with("1:o:begun|gap|")) << told(lines);
  EXPECT_EQ(told(lines).find("of the"), std::string::npos);
  EXPECT_EQ(told(lines).find("second"), std::string::npos);
  EXPECT_EQ(lines.back().text, "the end");
}

/// The other stream may go on meanwhile.
TEST_F(RUN14_live_output, P16_shows_no_rest_of_a_line_that_was_begun_before_what_was_lost) {
  auto rules = redactor::make({{"key", "correct-horse-battery"}});
  ASSERT_TRUE(rules);
  begin({}, *rules);
  tell({line("begun", 10), line("a correct-", 20, log_stream::err, false)});
  engine.sink->lost();
  tell_much(50, 60);
  tell({line("horse-battery b", 20, log_stream::err)});
  for (int i = 0; i < 60; ++i) tell({line(std::string(1000, 'z'), 200 + i, log_stream::err)});
  tell({line("the end", 300, log_stream::err)});
  end();
  const auto lines = await(1000);
  EXPECT_TRUE(told(lines).starts_with("1:o:begun|gap|")) << told(lines);
  EXPECT_EQ(told(lines).find("battery"), std::string::npos);
  EXPECT_EQ(lines.back().text, "the end") << "no more of that stream is hidden than of the other";
}

TEST_F(RUN14_live_output, shows_what_the_quiet_stream_begins_some_seconds_behind_a_gap) {
  begin();
  tell({line("begun", 10)});
  engine.sink->lost();
  tell_much(50, 60);
  tell({line("at once", 120, log_stream::err), line("it fails", 20'000'000'000, log_stream::err)});
  end();
  const auto lines = await(1000);
  EXPECT_EQ(told(lines).find("at once"), std::string::npos);
  EXPECT_EQ(lines.back().text, "it fails");
}

TEST_F(RUN14_live_output, holds_so_much_only_and_goes_on_when_it_is_taken) {
  begin();
  std::int64_t told_lines = 0;
  const std::string text(1000, 'x');
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds(20) * support::time_factor();
  // The engine reads as long as there is room; the redacted lines take the place of raw ones.
  std::size_t most = 0;
  while (most < 100 && std::chrono::steady_clock::now() < until) {
    if (engine.sink->is_full()) {
      ++most;
      std::this_thread::yield();
      continue;
    }
    ASSERT_LT(told_lines, 2000) << "it takes whatever comes";
    tell({line(text, ++told_lines)});
  }
  const auto got = await(static_cast<std::size_t>(told_lines));
  EXPECT_EQ(static_cast<std::int64_t>(got.size()), told_lines);
  EXPECT_EQ(got.back().number, told_lines);
  EXPECT_FALSE(engine.sink->is_full());
}

TEST_F(RUN14_live_output, gives_a_line_without_end_in_pieces) {
  begin();
  for (int i = 0; i < 5; ++i) tell({line(std::string(60'000, 'y'), i + 1, log_stream::out, false)});
  tell({line("z", 9)});
  end();
  std::string text;
  for (const auto& one : await(1'000'000)) {
    EXPECT_EQ(one.number, 1);
    EXPECT_LE(one.text.size(), 16U << 10);
    text += one.text;
    EXPECT_EQ(one.is_ended, text.size() == 300'001);
  }
  EXPECT_EQ(text, std::string(300'000, 'y') + "z");
}

TEST_F(RUN14_live_output, tells_an_engine_that_goes_away_from_an_end) {
  begin();
  tell({line("one", 10)});
  EXPECT_EQ(told(await(1)), "1:o:one|");
  engine.answer.answer(reject(errc::timed_out, "it is gone"));
  EXPECT_EQ(told(await(1)), "");
  EXPECT_EQ(output->state(), live_output::phase::broken);
}

TEST_F(RUN14_live_output, stops_the_engine_with_its_reader) {
  begin();
  EXPECT_FALSE(engine.how->is_stopped());
  output->stop();
  EXPECT_TRUE(engine.how->is_stopped());
  tell({line("nobody reads this", 10)});
  EXPECT_TRUE(output->take(1000).empty());
}
