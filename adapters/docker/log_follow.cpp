#include "adapters/docker/log_follow.hpp"

#include "adapters/docker/log_frames.hpp"
#include "adapters/docker/output_reader.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace reeve::adapters {
namespace {

using steady = std::chrono::steady_clock;

/// For the end of the log alone, which costs the engine some milliseconds; all of it costs it the
/// third part of a second.
constexpr int tail_lines = 1000;
/// A reading that brought so much is not the last one of many: at 10 MB/s an engine keeps what was
/// written in the last one and a half seconds.
constexpr std::size_t much_bytes = 1 << 20;
/// Between two readings: the engine spends no more than a fifth of a processor on them.
constexpr std::int64_t least_pause_ms = 100;
constexpr std::int64_t most_pause_ms = 5'000;
constexpr log_limits all_parts{
    .max_bytes = SIZE_MAX, .max_line_bytes = all_lines.max_line_bytes, .in_parts = true};

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

 private:
  const std::size_t enough_;
  log_demultiplexer frames_{false, all_parts};
  std::optional<log_line> first_;
  std::size_t in_file_ = 0;
};

/// One answer of the engine, handed on line by line.
class log_follow::reading final : public body_sink {
 public:
  reading(std::shared_ptr<log_follow> of, way how) : of_(std::move(of)), how_(how) {
    if (how == way::tail || how == way::whole) join_.emplace(of_->place_);
  }

  /// Each is tried once.
  void restart() override {}
  bool take(std::string_view bytes) override {
    const bool more = frames_.feed(bytes);
    pass_on(frames_.take());
    return more && !is_cut();
  }
  bool is_full() const override { return of_->to_->is_full(); }

  way how() const { return how_; }
  /// What follows is read in another way.
  bool is_cut() const {
    if (how_ == way::tail) return join_->state() == log_join::phase::lost;
    // The first file is full at an eighth of all.
    return how_ == way::followed && in_file_ >= of_->log_bytes_ / 8 * 7 / 8 &&
           of_->place_.is_stamped();
  }
  /// It had the place, or its lines go on as well as can be.
  bool is_joined() const {
    return !join_ || (join_->state() != log_join::phase::searching && !is_cut());
  }
  std::size_t brought() const { return brought_; }
  std::int64_t took_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began_).count();
  }
  outcome<done> finish() {
    if (is_cut()) return done{};
    frames_.finish();
    return check_end(frames_);
  }

 private:
  void pass_on(std::vector<log_line> parts) {
    std::vector<log_line> lines;
    for (auto& part : parts) {
      if (is_cut()) break;
      if (join_ && !join_->is_new(part)) continue;
      if (is_cut()) break;
      if (!std::exchange(is_begun_, true) && is_behind_gap(part)) of_->lose();
      of_->place_.took(part);
      in_file_ += bytes_in_file(part);
      brought_ += part.text.size();
      of_->add(std::move(part), lines);
    }
    if (!lines.empty()) of_->to_->take(std::move(lines));
  }
  /// The first of those that are new. Where nothing was there at the first look it is the first of
  /// all: an engine lets nothing go until it has many times of what it can write meanwhile.
  bool is_behind_gap(const log_line& line) const {
    if (how_ == way::followed) {
      return of_->is_beginning_lost_ || (of_->first_ && line != *of_->first_);
    }
    return how_ == way::anew || join_->state() == log_join::phase::lost;
  }

  const std::shared_ptr<log_follow> of_;
  const way how_;
  std::optional<log_join> join_;
  log_demultiplexer frames_{false, all_parts};
  bool is_begun_ = false;
  std::size_t in_file_ = 0;
  std::size_t brought_ = 0;
  const steady::time_point began_ = steady::now();
};

/// Until there is something behind the place.
class log_follow::doze final : public body_sink {
 public:
  explicit doze(const log_place& place) : place_(place) {}

  void restart() override {}
  bool take(std::string_view bytes) override {
    is_woken_ = !frames_.feed(bytes) || frames_.has_problem();
    for (const auto& line : frames_.take()) {
      const bool is_old = !is_begun_ && line.at_ns == place_.of(line.stream).at_ns;
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

void log_follow::begin() {
  // It lets go of an eighth at a time.
  const auto look = std::make_shared<first_look>(log_bytes_ - log_bytes_ / 8);
  ask_.read({}, look, reply_slot<done>([self = shared_from_this(), look](outcome<done> how) {
              if (!how) return self->slot_.answer(how);
              self->first_ = look->first();
              self->is_beginning_lost_ = look->is_lost();
              self->follow();
            }));
}

void log_follow::follow() {
  const auto it = std::make_shared<reading>(shared_from_this(), way::followed);
  ask_.follow(it, reply_slot<done>([self = shared_from_this(), it](outcome<done> how) {
                self->followed(*it, how);
              }));
}

void log_follow::followed(reading& it, const outcome<done>& how) {
  if (!how) return slot_.answer(how);
  if (it.is_cut()) return read(way::whole);
  if (auto whole = it.finish(); !whole) return slot_.answer(whole);
  end();
}

void log_follow::read(way how) {
  extent wanted;
  if (how == way::whole) wanted.since_ns = place_.since_ns();
  if (how == way::tail) wanted.last_lines = tail_lines;
  const auto it = std::make_shared<reading>(shared_from_this(), how);
  ask_.read(wanted, it, reply_slot<done>([self = shared_from_this(), it](outcome<done> end) {
              self->was_read(*it, end);
            }));
}

void log_follow::was_read(reading& it, const outcome<done>& how) {
  if (!how) return slot_.answer(how);
  if (auto whole = it.finish(); !whole) return slot_.answer(whole);
  const bool is_gone = !it.is_joined() && it.how() == way::whole;
  // Nobody knows where in a line a reading begins that is longer than what is kept, so that it is
  // not told again and again but once it has ended.
  const bool is_endless = place_.last().bytes >= log_bytes_ - log_bytes_ / 8;
  if (is_gone && is_endless && !has_ended_) return wait(most_pause_ms);
  if (!it.is_joined()) return read(is_gone ? way::anew : way::whole);
  if (has_ended_) return end();
  if (it.brought() >= much_bytes) return read(way::tail);
  wait(std::clamp(4 * it.took_ms(), least_pause_ms, most_pause_ms));
}

/// What has ended before it is read says nothing more.
void log_follow::wait(std::int64_t after_ms) {
  const auto it = std::make_shared<doze>(place_);
  ask_.wait(after_ms, it, reply_slot<done>([self = shared_from_this(), it](outcome<done> how) {
              // Where it is rotated at that moment an engine may say nothing of what comes.
              const bool is_over = !how && how.error().code == errc::timed_out;
              if (!how && !is_over) return self->slot_.answer(how);
              self->has_ended_ = how && !it->is_woken();
              self->read(way::tail);
            }));
}

/// What a part goes on with may be among what was lost.
void log_follow::lose() {
  open_ = {};
  to_->lost();
}

/// Put together as in what is stored (all_lines).
void log_follow::add(log_line part, std::vector<log_line>& whole) {
  auto& open = open_[static_cast<std::size_t>(part.stream)];
  if (open && open->text.size() + part.text.size() > all_lines.max_line_bytes) {
    whole.push_back(std::move(*open));
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
  whole.push_back(std::move(*open));
  open.reset();
}

/// A last line without its newline counts.
void log_follow::end() {
  std::vector<log_line> rest;
  for (auto& open : open_) {
    if (open) rest.push_back(std::move(*open));
  }
  if (!rest.empty()) to_->take(std::move(rest));
  slot_.answer(done{});
}

}  // namespace reeve::adapters
