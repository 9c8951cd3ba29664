#include "tasks/container/live_output.hpp"

#include "base/utf8.hpp"
#include "tasks/container/lost_beginning.hpp"

#include <algorithm>
#include <utility>

namespace reeve::tasks {
namespace {

constexpr std::size_t live_piece_bytes = 64 << 10;  // of work
constexpr std::size_t most_raw = 64 << 10;
constexpr std::size_t most_lines_bytes = 192 << 10;
constexpr std::size_t most_text = 16 << 10;
constexpr std::size_t around_line = 64;

/// What is given at once, without a half character at its end.
std::string_view front_of(std::string_view text) {
  const auto part = utf8_prefix(text, most_text);
  return part.empty() ? text.substr(0, most_text) : part;
}

/// What was begun before a gap has the time of its beginning, however late it ends.
constexpr std::int64_t begun_later_ns = 10'000'000'000;

}  // namespace

bool hidden_lines::hides(const adapters::log_line& line) {
  const bool is_early = all_left_ > 0;
  auto& left = left_[line.stream == adapters::log_stream::err ? 1 : 0];
  if (is_early) until_ns_ = std::max(until_ns_, line.at_ns + begun_later_ns);
  const bool is_hidden = is_early || (left > 0 && line.at_ns <= until_ns_);
  all_left_ -= std::min(all_left_, line.text.size() + 1);
  left -= std::min(left, line.text.size() + 1);
  return is_hidden;
}

std::shared_ptr<live_output> live_output::begin(surroundings around) {
  auto made = std::make_shared<live_output>(std::move(around));
  // Not by its own slot alone: the engine holds it as long as it reads.
  made->around_.engine.follow(made->around_.execution, made, made->stopper_,
                              reply_slot<done>([made](outcome<done> how) { made->ended(how); }));
  return made;
}

live_output::live_output(surroundings around)
    : around_(std::move(around)), rules_(around_.rules), is_skipping_(around_.after.line > 0) {}

void live_output::stop() {
  cancelled_->stop();
  stopper_->stop();
}

/// Put together as what is stored (adapters/kept_output.cpp): a line that the other stream goes on
/// in the middle of ends there.
void live_output::take(std::vector<adapters::log_line> lines) {
  {
    const std::lock_guard lock(mutex_);
    auto& raw = raw_.back();
    const auto before = raw.size();
    const auto end_line = [&] {
      raw += '\n';
      marks_.push_back(open_mark_);
      has_open_ = false;
    };
    for (const auto& line : lines) {
      const bool is_err = line.stream == adapters::log_stream::err;
      if (has_open_ && open_mark_.is_err != is_err) end_line();
      const bool is_hidden = hidden_.hides(line);
      if (!has_open_) open_mark_.is_hidden = is_hidden;
      raw += line.text;
      open_mark_.at_ns = line.at_ns;
      open_mark_.is_err = is_err;
      has_open_ = true;
      if (line.is_ended) end_line();
    }
    raw_bytes_ += raw.size() - before;
  }
  redact_more();
}

void live_output::lost() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(has_open_, false)) marks_.push_back(open_mark_);
    marks_.push_back({.is_gap = true});
    raw_.emplace_back();
    hidden_ = hidden_lines(least_unshown_bytes);
  }
  redact_more();
}

bool live_output::is_full() const {
  const std::lock_guard lock(mutex_);
  // Short lines cost more than their text. Not while nothing is left to redact: what the redactor
  // holds back must not stop the engine.
  const bool has_many = raw_bytes_ > 0 && marks_.size() * around_line >= most_raw;
  return raw_bytes_ >= most_raw || has_many || lines_bytes_ >= most_lines_bytes;
}

void live_output::ended(const outcome<done>& how) {
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = how.ok();
    is_broken_ = !how.ok();
  }
  redact_more();
  around_.changed();
}

/// Asks for room for the next piece, once; what comes meanwhile is part of it.
void live_output::redact_more() {
  {
    const std::lock_guard lock(mutex_);
    if (is_working_ || is_finished_ || cancelled_->is_stopped()) return;
    if (lines_bytes_ >= most_lines_bytes || (raw_bytes_ == 0 && raw_.size() == 1 && !has_ended_)) {
      return;
    }
    is_working_ = true;
  }
  using room = text_pool::room;
  around_.texts.ask(around_.whose, live_piece_bytes, cancelled_,
                    reply_slot<room>([self = shared_from_this()](outcome<room> held) {
                      if (held) return self->redact_next(std::move(*held));
                      // Too many ask there. Taking asks again, so who follows takes now and then
                      // whatever he was told (api/log_stream.cpp does with each beat).
                      const std::lock_guard lock(self->mutex_);
                      self->is_working_ = false;
                    }));
}

void live_output::redact_next(text_pool::room held) {
  around_.texts.post(around_.whose, std::move(held), cancelled_,
                     [self = shared_from_this()](const text_leave&) {
                       self->redact_piece();
                       return false;
                     });
}

void live_output::redact_piece() {
  const auto next = take_piece();
  auto out = rules_.write(next.raw);
  if (next.is_at_gap) rules_ = redacting_stream(around_.rules);
  if (next.is_last) out += rules_.finish();
  redacted(out, next);
}

live_output::piece live_output::take_piece() {
  const std::lock_guard lock(mutex_);
  piece next;
  next.raw = raw_.front().substr(0, live_piece_bytes);
  raw_.front().erase(0, next.raw.size());
  raw_bytes_ -= next.raw.size();
  next.is_at_gap = raw_.front().empty() && raw_.size() > 1;
  next.is_last = has_ended_ && raw_bytes_ == 0 && raw_.size() == 1;
  if (next.is_at_gap) raw_.pop_front();
  return next;
}

void live_output::redacted(std::string_view text, const piece& of) {
  {
    const std::lock_guard lock(mutex_);
    is_working_ = false;
    is_finished_ = of.is_last;
    // Redaction keeps every newline, so lines are told apart by counting them.
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
      rest_ += text.substr(0, end);
      text.remove_prefix(end + 1);
      const auto mark = marks_.empty() ? open_mark_ : marks_.front();
      if (!marks_.empty()) marks_.pop_front();
      give(std::exchange(rest_, {}), mark, true);
    }
    rest_ += text;
    const auto mark = marks_.empty() ? open_mark_ : marks_.front();
    if (of.is_last && !rest_.empty()) give(std::exchange(rest_, {}), mark, true);
    while (rest_.size() > most_text) {
      const auto part = front_of(rest_);
      give(part, mark, false);
      rest_.erase(0, part.size());
    }
    if (of.is_at_gap) pass_gap();
    if (of.is_last && !is_place_known()) tell_gap();
  }
  redact_more();
  around_.changed();
}

// All below with the lock.

/// Whether the reader does not have the line. Where nobody knows which one it had last, that is
/// told, and some may come twice.
bool live_output::is_behind_place(const line_mark& mark, bool is_ended) {
  const auto& last = around_.after;
  if (is_numbered_ && number_ > last.line) {
    is_skipping_ = false;
    return true;
  }
  // Times alone say nothing here: a long line has the time of its first part, and clocks are set.
  const bool is_last = number_ == last.line && is_ended;
  if (last.at_ns != 0 && is_last && mark.at_ns != last.at_ns) is_numbered_ = false;
  if (is_numbered_) return false;
  if (mark.at_ns > last.at_ns) {
    // Too low a number has lines told twice by who goes on from it, too high a one left out.
    if (is_any_lost_) number_ = std::max(number_, last.line + 1);
    is_skipping_ = false;
    tell_gap();
    return true;
  }
  if (is_ended && mark.at_ns == last.at_ns) {
    number_ = last.line;
    is_skipping_ = false;
    // It may be another one of that time.
    if (mark.is_hidden) tell_gap();
  }
  return false;
}

/// At the end: not where there are fewer lines than the reader says to have. A number that is too
/// high may be of one who told some twice.
bool live_output::is_place_known() const {
  return !is_skipping_ || (is_numbered_ && number_ > around_.after.line);
}

void live_output::give(std::string_view text, const line_mark& mark, bool is_ended) {
  const bool is_new = !is_skipping_ || is_behind_place(mark, is_ended);
  const auto number = number_;
  if (is_ended) ++number_;
  if (!is_new) return;
  if (mark.is_hidden) return tell_gap();
  is_at_gap_ = false;
  do {
    const auto part = front_of(text);
    text.remove_prefix(part.size());
    lines_bytes_ += part.size() + around_line;
    lines_.push_back(
        {number, mark.at_ns, mark.is_err, is_ended && text.empty(), std::string(part)});
  } while (!text.empty());
}

/// What was held back before it is not shown.
void live_output::pass_gap() {
  rest_.clear();
  for (bool is_there = false; !is_there && !marks_.empty(); marks_.pop_front()) {
    is_there = marks_.front().is_gap;
    if (!is_there) ++number_;
  }
  is_numbered_ = false;
  is_any_lost_ = true;
  if (!is_skipping_) tell_gap();
}

void live_output::tell_gap() {
  if (std::exchange(is_at_gap_, true)) return;
  lines_bytes_ += around_line;
  lines_.emplace_back().is_gap = true;
}

std::vector<live_line> live_output::take(std::size_t most_bytes) {
  std::vector<live_line> taken;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t bytes = 0; bytes < most_bytes && !lines_.empty(); lines_.pop_front()) {
      const auto size = lines_.front().text.size() + around_line;
      bytes += size;
      lines_bytes_ -= size;
      taken.push_back(std::move(lines_.front()));
    }
  }
  redact_more();
  return taken;
}

live_output::phase live_output::state() const {
  const std::lock_guard lock(mutex_);
  if (!lines_.empty()) return phase::going;
  if (is_broken_) return phase::broken;
  return is_finished_ ? phase::over : phase::going;
}

}  // namespace reeve::tasks
