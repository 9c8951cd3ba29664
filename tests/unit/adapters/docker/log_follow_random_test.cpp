// RUN14: whatever an engine keeps and lets go of, and whenever it is asked: what is told is what
// was written, in order and once, but for where it is said that some may be missing.

#include "adapters/docker/log_follow.hpp"
#include "adapters/docker/output_reader.hpp"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace reeve;
using namespace reeve::adapters;

std::string frame_of_entry(const log_line& line) {
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

/// Chance, the same for the same seed.
class dice {
 public:
  explicit dice(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : engine_() % bound; }
  bool one_in(std::size_t many) { return below(many) == 0; }

 private:
  std::mt19937 engine_;
};

/// What a container writes: lines and long lines in parts on two streams, some with equal stamps
/// and the streams a little out of order. Each entry's text says which one it is.
class random_writer {
 public:
  explicit random_writer(dice& chance) : chance_(chance) {
    err_share_ = std::vector<std::size_t>{1, 2, 10, 0}[chance.below(4)];
    ends_one_in_ = std::vector<std::size_t>{2, 4, 50, 100'000}[chance.below(4)];
    equal_one_in_ = std::vector<std::size_t>{2, 5, 100}[chance.below(3)];
    filler_ = std::vector<std::size_t>{1, 40, 900}[chance.below(3)];
    set_back_at_ = chance.one_in(4) ? chance.below(3000) : 0;
  }
  log_line next(std::size_t index) {
    if (index > 0 && index == set_back_at_) clock_ -= 20'000'000'000;
    clock_ += 1 + static_cast<std::int64_t>(chance_.below(3000));
    const bool is_err = err_share_ == 1 || (err_share_ > 0 && chance_.one_in(err_share_));
    log_line line{is_err ? log_stream::err : log_stream::out, clock_, {}, true};
    auto& of = streams_[is_err ? 1 : 0];
    const bool is_equal = of.at != 0 && chance_.one_in(equal_one_in_);
    if (of.is_open || is_equal) {
      line.at_ns = of.at;
    } else if (clock_ - 900 > of.at) {
      line.at_ns = clock_ - static_cast<std::int64_t>(chance_.below(900));
    }
    line.text = "<" + std::to_string(index) + ">" + std::string(chance_.below(filler_), 'x');
    line.is_ended = of.is_open ? chance_.one_in(ends_one_in_) : !chance_.one_in(5);
    of = {line.at_ns, !line.is_ended};
    return line;
  }

 private:
  struct stream_state {
    std::int64_t at = 0;
    bool is_open = false;
  };
  dice& chance_;
  std::size_t err_share_, ends_one_in_, equal_one_in_, filler_, set_back_at_;
  std::int64_t clock_ = 30'000'000'000;
  stream_state streams_[2];
};

/// Keeps eight files, and is asked by one follower.
class rotating_engine {
 public:
  rotating_engine(dice& chance, std::size_t log_bytes)
      : chance_(chance), writer_(chance), log_bytes_(log_bytes) {
    most_entries_ = 200 + chance.below(4000);
    burst_ = std::vector<std::size_t>{30, 200, 3000}[chance.below(3)];
  }
  void write(std::size_t count) {
    for (; count > 0 && log.size() < most_entries_; --count) {
      if (file_bytes_ >= log_bytes_ / 8) begin_file();
      log.push_back(writer_.next(log.size()));
      file_of_.push_back(file_);
      file_bytes_ += log.back().text.size() + 78;
      all_bytes_ += log.back().text.size() + 78;
    }
  }
  void write_some() {
    if (!chance_.one_in(3)) write(chance_.below(burst_));
  }
  bool has_ended() const { return log.size() == most_entries_; }
  std::size_t all_bytes() const { return all_bytes_; }

  void read(int last_lines, body_sink& to) {
    write_some();
    to.restart();
    auto begin = gone_;
    const auto most = static_cast<std::size_t>(last_lines);
    if (most > 0) begin = std::max(begin, log.size() - std::min(log.size(), most));
    std::string bytes;
    for (auto i = begin; i < log.size(); ++i) {
      bytes += frame_of_entry(log[i]);
      if (!chance_.one_in(50)) continue;
      if (!to.take(std::exchange(bytes, {}))) return;
    }
    to.take(bytes);
    write_some();
  }
  /// Jumps over files, or tells one again, from where it has come to the end of one.
  void follow(body_sink& to) {
    to.restart();
    const auto known = file_;
    for (auto i = gone_;;) {
      if (i == log.size() && has_ended()) return;
      if (i == log.size()) write(1 + chance_.below(burst_));
      if (i > 0 && file_of_[i] != file_of_[i - 1] && file_of_[i] > known && chance_.one_in(2)) {
        i = beginning_of(chance_.one_in(2) ? file_ : file_of_[i - 1]);
      }
      if (!to.take(frame_of_entry(log[i]))) return;
      ++i;
    }
  }
  /// False: it has waited long enough.
  bool wait(body_sink& to) {
    to.restart();
    if (!to.take(frame_of_entry(log.back())) || has_ended()) return true;
    const auto before = log.size();
    write_some();
    if (chance_.one_in(4)) return false;
    if (log.size() == before) write(1);
    for (auto i = before; i < log.size(); ++i) {
      if (!to.take(frame_of_entry(log[i]))) return true;
    }
    return has_ended();
  }

  std::vector<log_line> log;

 private:
  void begin_file() {
    file_bytes_ = 0;
    ++file_;
    while (file_ - file_of_[gone_] >= 8) ++gone_;
  }
  std::size_t beginning_of(std::size_t file) const {
    return static_cast<std::size_t>(std::find(file_of_.begin(), file_of_.end(), file) -
                                    file_of_.begin());
  }

  dice& chance_;
  random_writer writer_;
  const std::size_t log_bytes_;
  std::size_t most_entries_ = 0;
  std::size_t burst_ = 0;
  std::vector<std::size_t> file_of_;
  std::size_t file_ = 0;
  std::size_t file_bytes_ = 0;
  std::size_t all_bytes_ = 0;
  std::size_t gone_ = 0;
};

/// What was told, as the numbers of the entries. The pieces of a long line are put together.
struct told_entries final : output_sink {
  struct told {
    std::vector<std::size_t> entries;
    std::string text;
    bool is_gap = false;
    bool is_cut = false;  // the last entry has more, which was lost
  };
  void take(std::vector<log_line> lines) override {
    for (auto& one : lines) {
      auto& text = begun[one.stream == log_stream::err ? 1 : 0];
      text += one.text;
      const bool goes_on = !one.is_ended && one.text.size() == all_lines.max_line_bytes;
      if (!goes_on) add(std::exchange(text, {}), false);
    }
  }
  void lost() override {
    add_begun();
    all.emplace_back().is_gap = true;
    ++gaps;
  }
  void add_begun() {
    for (auto& text : begun) {
      if (!text.empty()) add(std::exchange(text, {}), true);
    }
  }
  bool is_full() const override { return false; }
  std::vector<told> all;
  int gaps = 0;

 private:
  void add(std::string text, bool is_cut) {
    told next;
    for (auto at = text.find('<'); at != text.npos; at = text.find('<', at + 1)) {
      if (text.find('>', at) != text.npos) next.entries.push_back(std::stoul(text.substr(at + 1)));
    }
    next.text = std::move(text);
    next.is_cut = is_cut;
    all.push_back(std::move(next));
  }
  std::string begun[2];
};

class random_follow {
 public:
  explicit random_follow(unsigned seed)
      : chance_(seed),
        log_bytes_(std::vector<std::size_t>{20'000, 64'000, 1'000'000}[chance_.below(3)]),
        engine_(chance_, log_bytes_) {}

  void run() {
    if (chance_.one_in(3)) engine_.write(chance_.below(4000));
    begin();
    std::size_t since_wait = 0;
    for (int i = 0; i < 20'000 && !has_answered_; ++i) {
      ASSERT_EQ(asked_.size(), 1U);
      const auto next = std::move(asked_.front());
      asked_.pop_front();
      since_wait = next.what == kind::wait ? 0 : since_wait + 1;
      ASSERT_LE(since_wait, 5U) << "it asks again and again";
      next.slot.answer(answered(next));
    }
    ASSERT_TRUE(has_answered_);
    ASSERT_TRUE(engine_.has_ended());
    check();
  }

 private:
  enum class kind { read, follow, wait };
  struct question {
    kind what;
    int last_lines;
    std::shared_ptr<body_sink> sink;
    reply_slot<done> slot;
  };
  void begin() {
    log_follow::questions ask;
    ask.read = [this](int last_lines, auto sink, auto slot) {
      asked_.push_back({kind::read, last_lines, sink, slot});
    };
    ask.follow = [this](auto sink, auto slot) { asked_.push_back({kind::follow, 0, sink, slot}); };
    ask.wait = [this](std::int64_t, auto sink, auto slot) {
      asked_.push_back({kind::wait, 0, sink, slot});
    };
    std::make_shared<log_follow>(sink_, ask, log_bytes_,
                                 reply_slot<done>([this](outcome<done> how) {
                                   has_answered_ = true;
                                   EXPECT_TRUE(how);
                                 }))
        ->begin();
  }
  outcome<done> answered(const question& next) {
    if (next.what == kind::read) engine_.read(next.last_lines, *next.sink);
    if (next.what == kind::follow) engine_.follow(*next.sink);
    if (next.what == kind::wait && !engine_.wait(*next.sink)) {
      return reject(errc::timed_out, "it waited");
    }
    return done{};
  }

  void check() {
    sink_->add_begun();
    find_ends();
    std::vector<int> count(engine_.log.size());
    std::ptrdiff_t last = -1;
    for (const auto& one : sink_->all) {
      if (one.is_gap) continue;
      ASSERT_FALSE(one.entries.empty());
      std::string text;
      auto next = one.entries[0];
      for (const auto entry : one.entries) {
        ASSERT_EQ(entry, next) << "a part is missing";
        next = next_of_stream(entry);
        text += engine_.log[entry].text;
        ASSERT_EQ(++count[entry], 1) << "entry " << entry << " is told twice";
        ASSERT_EQ(ends_[entry], ends_[one.entries[0]]) << "two lines are one";
      }
      const auto most = one.is_cut ? std::min(text.size(), one.text.size()) : text.npos;
      ASSERT_TRUE(text.substr(0, most) == one.text.substr(0, most)) << one.entries[0];
      const auto end = static_cast<std::ptrdiff_t>(ends_[one.entries[0]]);
      if (end < unended_) {
        ASSERT_GT(end, last) << one.entries[0];
        last = end;
      }
    }
    for (std::size_t i = 0; i < count.size(); ++i) {
      ASSERT_TRUE(count[i] == 1 || is_in_gap(i)) << "entry " << i << " of " << count.size();
    }
    const bool is_kept = engine_.all_bytes() < log_bytes_ - log_bytes_ / 8;
    EXPECT_TRUE(!is_kept || sink_->gaps == 0) << "nothing can be lost";
  }
  std::size_t next_of_stream(std::size_t entry) const {
    const auto& log = engine_.log;
    auto next = entry + 1;
    while (next < log.size() && log[next].stream != log[entry].stream) ++next;
    return next;
  }
  /// The entries that the lines end with.
  void find_ends() {
    const auto& log = engine_.log;
    unended_ = static_cast<std::ptrdiff_t>(log.size());
    ends_.resize(log.size());
    // The beginning of a line that never ended is told at the end.
    std::size_t next[3] = {0, log.size() + 1, log.size() + 2};
    for (auto i = log.size(); i-- > 0;) {
      auto& end = next[static_cast<std::size_t>(log[i].stream)];
      if (log[i].is_ended) end = i;
      ends_[i] = end;
    }
  }
  /// Between what was told before a gap and behind it.
  bool is_in_gap(std::size_t entry) const {
    std::ptrdiff_t before = -1;
    const auto& all = sink_->all;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i].is_gap) {
        before = static_cast<std::ptrdiff_t>(all[i].entries.back());
        continue;
      }
      auto behind = std::numeric_limits<std::ptrdiff_t>::max();
      if (i + 1 < all.size() && !all[i + 1].is_gap) {
        behind = static_cast<std::ptrdiff_t>(all[i + 1].entries.back());
      }
      if (before < static_cast<std::ptrdiff_t>(ends_[entry]) &&
          behind > static_cast<std::ptrdiff_t>(entry)) {
        return true;
      }
    }
    return false;
  }

  dice chance_;
  const std::size_t log_bytes_;
  rotating_engine engine_;
  std::shared_ptr<told_entries> sink_ = std::make_shared<told_entries>();
  std::deque<question> asked_;
  bool has_answered_ = false;
  std::vector<std::size_t> ends_;
  std::ptrdiff_t unended_ = 0;
};

}  // namespace

TEST(RUN14_log_follow_random, tells_what_was_written_or_that_it_is_lost) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    random_follow one(seed);
    one.run();
    if (HasFailure()) return;
  }
}
