#include "adapters/docker/log_follow.hpp"

#include "adapters/docker/log_frames.hpp"
#include "adapters/docker/output_reader.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace reeve::adapters {
namespace {

using follow_clock = std::chrono::steady_clock;

/// The end of a log costs the engine some milliseconds, and so many lines at the most a tenth of a
/// second; all of it costs the third part of a second.
constexpr int few_lines = 1000;
constexpr int many_lines = 16'000;
/// A look that brought so much is not the last one of many: at 10 MB/s an engine keeps what was
/// written in the last one and a half seconds.
constexpr std::size_t much_bytes = 1 << 20;
constexpr std::int64_t least_pause_ms = 100;
constexpr std::int64_t most_pause_ms = 30'000;
constexpr log_limits all_parts{
    .max_bytes = SIZE_MAX, .max_line_bytes = all_lines.max_line_bytes, .in_parts = true};

/// How long the engine took, but for the time in which nobody wanted more.
class asked_time {
 public:
  void set_full(bool is_full) {
    if (is_full && !full_since_) full_since_ = follow_clock::now();
    if (is_full || !full_since_) return;
    began_ += follow_clock::now() - *full_since_;
    full_since_.reset();
  }
  std::int64_t ms() const {
    const auto until = full_since_.value_or(follow_clock::now());
    return std::chrono::duration_cast<std::chrono::milliseconds>(until - began_).count();
  }

 private:
  follow_clock::time_point began_ = follow_clock::now();
  std::optional<follow_clock::time_point> full_since_;
};

}  // namespace

/// Whether the engine still has the first line.
class log_follow::first_look final : public body_sink {
 public:
  explicit first_look(std::size_t enough) : enough_(enough) {}

  void restart() override {
    frames_ = log_demultiplexer{false, all_parts};
    first_.reset();
    in_file_ = 0;
  }
  bool take(std::string_view bytes) override {
    const bool more = frames_.feed(bytes);
    for (const auto& line : frames_.take()) {
      if (!first_) first_ = line;
      in_file_ += bytes_in_file(line);
    }
    return more && !is_lost();
  }
  const std::optional<log_line>& first() const { return first_; }
  bool is_lost() const { return in_file_ >= enough_; }
  std::int64_t took_ms() const { return time_.ms(); }

 private:
  const std::size_t enough_;
  log_demultiplexer frames_{false, all_parts};
  std::optional<log_line> first_;
  std::size_t in_file_ = 0;
  asked_time time_;
};

/// As it comes, up to where the engine may be wrong.
class log_follow::followed_lines final : public body_sink {
 public:
  explicit followed_lines(std::shared_ptr<log_follow> of) : of_(std::move(of)) {}

  /// It is tried once.
  void restart() override {}
  bool take(std::string_view bytes) override {
    const bool more = frames_.feed(bytes);
    for (auto& part : frames_.take()) {
      needs_look_ = !of_->first_ && of_->to_->needs_every_line();
      if (is_cut() || needs_look_) break;
      if (!std::exchange(is_begun_, true) && is_behind_gap(part)) of_->tell_gap();
      of_->place_.took(part);
      in_file_ += bytes_in_file(part);
      of_->tell(std::move(part));
    }
    of_->hand_on();
    return more && !is_cut() && !needs_look_;
  }
  bool is_full() const override { return of_->to_->is_full(); }

  /// There is something now, of which nobody knows whether it is the first. Nothing was told.
  bool needs_look() const { return needs_look_; }
  /// What follows is read in another way. The first file is full at an eighth of all.
  bool is_cut() const {
    return in_file_ >= of_->log_bytes_ / 8 * 7 / 8 && of_->place_.is_stamped() &&
           of_->to_->needs_every_line();
  }
  outcome<done> finish() {
    frames_.finish();
    return check_end(frames_);
  }

 private:
  bool is_behind_gap(const log_line& line) const {
    return of_->is_beginning_lost_ || (of_->first_ && line != *of_->first_);
  }

  const std::shared_ptr<log_follow> of_;
  log_demultiplexer frames_{false, all_parts};
  bool is_begun_ = false;
  bool needs_look_ = false;
  std::size_t in_file_ = 0;
};

/// What the engine has, or its end, of which that is told which is new.
class log_follow::reading final : public body_sink {
 public:
  reading(std::shared_ptr<log_follow> of, int last_lines)
      : of_(std::move(of)),
        last_lines_(last_lines),
        join_(of_->place_, last_lines == 0),
        seen_(of_->place_) {
    seen_.restart();
  }

  /// It is tried once.
  void restart() override {}
  bool take(std::string_view bytes) override {
    const bool more = frames_.feed(bytes);
    for (auto& part : frames_.take()) {
      if (is_short()) break;
      join(std::move(part));
    }
    of_->hand_on();
    return more && !is_short();
  }
  bool is_full() const override {
    const bool is_full = of_->to_->is_full();
    time_.set_full(is_full);
    return is_full;
  }

  int last_lines() const { return last_lines_; }
  /// More has to be read. Nothing of this was told.
  bool is_short() const {
    const bool is_joined = has_ended_ ? join_.has_all() : join_.state() != phase::lost;
    return last_lines_ != 0 && !is_joined;
  }
  std::size_t brought() const { return brought_; }
  std::int64_t took_ms() const { return time_.ms(); }
  outcome<done> finish() {
    if (is_short()) return done{};
    frames_.finish();
    has_ended_ = true;
    if (auto whole = check_end(frames_); !whole) return whole;
    if (is_short() || join_.has_all()) return done{};
    // What is told from now on is behind something that is gone.
    if (join_.state() != phase::lost) of_->tell_gap();
    of_->place_ = seen_;
    return done{};
  }

 private:
  using phase = log_join::phase;

  void join(log_line part) {
    in_file_ += bytes_in_file(part);
    seen_.took(part);
    const bool was_searching = join_.state() == phase::searching;
    const bool is_new = join_.is_new(part);
    if (is_short()) return;
    const bool is_lost = join_.state() == phase::lost;
    // What may have been told before is not told, so that more may be missing there.
    if (is_lost && (was_searching || !is_new)) of_->tell_gap();
    if (!is_new) return;
    const bool is_doubtful = join_.is_by_first() && in_file_ >= of_->surely_kept();
    if (is_doubtful && !std::exchange(is_doubted_, true)) of_->tell_gap();
    if (!is_lost) of_->place_.took(part);
    brought_ += part.text.size();
    of_->tell(std::move(part));
  }

  const std::shared_ptr<log_follow> of_;
  const int last_lines_;  // 0: all
  log_join join_;
  log_place seen_;  // this reading alone
  log_demultiplexer frames_{false, all_parts};
  bool has_ended_ = false;
  bool is_doubted_ = false;
  std::size_t in_file_ = 0;
  std::size_t brought_ = 0;
  mutable asked_time time_;
};

/// Until there is something behind the place.
class log_follow::doze final : public body_sink {
 public:
  explicit doze(const log_place& place) : place_(place) {}

  void restart() override {}
  bool take(std::string_view bytes) override {
    is_woken_ = !frames_.feed(bytes) || frames_.has_problem();
    for (const auto& line : frames_.take()) {
      const bool is_old = !is_begun_ && line.at_ns == place_.last_ns(line.stream);
      is_begun_ = true;
      is_woken_ = is_woken_ || !is_old;
    }
    return !is_woken_;
  }
  bool is_woken() const { return is_woken_; }

 private:
  const log_place place_;
  log_demultiplexer frames_{false, all_parts};
  bool is_begun_ = false;
  bool is_woken_ = false;
};

log_follow::log_follow(std::shared_ptr<output_sink> to, questions ask, std::size_t log_bytes,
                       reply_slot<done> slot)
    : to_(std::move(to)), ask_(std::move(ask)), log_bytes_(log_bytes), slot_(std::move(slot)) {}

log_follow::~log_follow() {
  if (is_reader_) --*ask_.readers;
}

void log_follow::begin() {
  to_->needs_every_line() ? look_first() : follow();
}

void log_follow::look_first() {
  const auto first = std::make_shared<first_look>(surely_kept());
  ask_.read(0, first, reply_slot<done>([self = shared_from_this(), first](outcome<done> how) {
              if (!how) return self->slot_.answer(how);
              self->first_ = first->first();
              self->is_beginning_lost_ = first->is_lost();
              self->look_ms_ = first->took_ms();
              self->follow();
            }));
}

void log_follow::follow() {
  const auto it = std::make_shared<followed_lines>(shared_from_this());
  ask_.follow(it, reply_slot<done>([self = shared_from_this(), it](outcome<done> how) {
                self->followed(*it, how);
              }));
}

void log_follow::followed(followed_lines& it, const outcome<done>& how) {
  if (!how) return slot_.answer(how);
  if (it.needs_look()) return look_first();
  if (it.is_cut()) {
    is_reader_ = true;
    ++*ask_.readers;
    return read(0);
  }
  if (auto whole = it.finish(); !whole) return slot_.answer(whole);
  end();
}

/// The end of a log is enough only for a place that can be found in it.
void log_follow::look() {
  read(place_.has_anchor() ? few_lines : 0);
}

void log_follow::read(int last_lines) {
  const auto it = std::make_shared<reading>(shared_from_this(), last_lines);
  ask_.read(last_lines, it, reply_slot<done>([self = shared_from_this(), it](outcome<done> how) {
              self->was_read(*it, how);
            }));
}

void log_follow::was_read(reading& it, const outcome<done>& how) {
  if (!how) return slot_.answer(how);
  if (auto whole = it.finish(); !whole) return slot_.answer(whole);
  look_ms_ += it.took_ms();
  if (it.is_short()) return read(it.last_lines() == few_lines ? many_lines : 0);
  if (has_ended_) return end();
  wait(pause_ms(it.brought() >= much_bytes));
}

/// All who read an engine together keep it busy for as long as it rests at the least; one alone
/// that is not behind has it spend a fifth of a processor.
std::int64_t log_follow::pause_ms(bool is_behind) const {
  const auto share = std::max<std::int64_t>(*ask_.readers, is_behind ? 1 : 4);
  return std::clamp(share * look_ms_, least_pause_ms, most_pause_ms);
}

/// What has ended before it is read says nothing more.
void log_follow::wait(std::int64_t after_ms) {
  look_ms_ = 0;
  const auto it = std::make_shared<doze>(place_);
  ask_.wait(after_ms, it, reply_slot<done>([self = shared_from_this(), it](outcome<done> how) {
              // Where it is rotated at that moment an engine may say nothing of what comes.
              const bool is_over = !how && how.error().code == errc::timed_out;
              if (!how && !is_over) return self->slot_.answer(how);
              self->has_ended_ = how && !it->is_woken();
              self->look();
            }));
}

/// Put together as in what is stored (all_lines).
void log_follow::tell(log_line part) {
  is_at_gap_ = false;
  auto& open = open_[static_cast<std::size_t>(part.stream)];
  // A part has more than an even share of a line where bytes of it are no UTF-8.
  if (open && open->text.size() + part.text.size() > all_lines.max_line_bytes) {
    const auto room = all_lines.max_line_bytes - open->text.size();
    open->text.append(part.text, 0, room);
    part.text.erase(0, room);
    ready_.push_back(std::move(*open));
    open.reset();
  }
  if (open) {
    open->text += part.text;
    open->at_ns = part.at_ns;
    open->is_ended = part.is_ended;
  } else {
    open = std::move(part);
  }
  if (!open->is_ended) return;
  ready_.push_back(std::move(*open));
  open.reset();
}

/// What a part goes on with may be among what was lost.
void log_follow::tell_gap() {
  hand_on();
  open_ = {};
  if (!std::exchange(is_at_gap_, true)) to_->lost();
}

void log_follow::hand_on() {
  if (!ready_.empty()) to_->take(std::exchange(ready_, {}));
}

/// A last line without its newline counts.
void log_follow::end() {
  for (auto& open : open_) {
    if (open) ready_.push_back(std::move(*open));
  }
  hand_on();
  slot_.answer(done{});
}

}  // namespace reeve::adapters
