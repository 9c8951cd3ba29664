#include "tasks/container/live_output.hpp"

#include "base/utf8.hpp"
#include "tasks/container/lost_beginning.hpp"

#include <algorithm>
#include <utility>

namespace reeve::tasks {
namespace {

constexpr std::size_t piece_bytes = 64 << 10;  // of work
constexpr std::size_t most_raw = 64 << 10;
constexpr std::size_t most_lines_bytes = 192 << 10;
constexpr std::size_t most_text = 16 << 10;
constexpr std::size_t around_line = 64;
constexpr std::size_t most_perhaps = 64 << 10;
/// Two streams may be written a little out of order.
constexpr std::int64_t disorder_ns = 5'000'000'000;

/// What is given at once, without a half character at its end.
std::string_view front_of(std::string_view text) {
  const auto part = utf8_prefix(text, most_text);
  return part.empty() ? text.substr(0, most_text) : part;
}

}  // namespace

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
    const auto end_line = [this] {
      raw_ += '\n';
      marks_.push_back(open_mark_);
      has_open_ = false;
    };
    for (const auto& line : lines) {
      const bool is_err = line.stream == adapters::log_stream::err;
      if (has_open_ && open_mark_.is_err != is_err) end_line();
      if (!has_open_) {
        open_mark_.follows_gap = std::exchange(is_gap_, false);
        open_mark_.is_hidden = hidden_left_ > 0;
      }
      raw_ += line.text;
      hidden_left_ -= std::min(hidden_left_, line.text.size() + 1);
      open_mark_.at_ns = line.at_ns;
      open_mark_.is_err = is_err;
      has_open_ = true;
      if (line.is_ended) end_line();
    }
  }
  redact_more();
}

void live_output::lost() {
  const std::lock_guard lock(mutex_);
  if (has_open_) {
    raw_ += '\n';
    marks_.push_back(open_mark_);
    has_open_ = false;
  }
  is_gap_ = true;
  hidden_left_ = least_unshown_bytes;
}

bool live_output::is_full() const {
  const std::lock_guard lock(mutex_);
  // Short lines cost more than their text. Not while nothing is left to redact: what the redactor
  // holds back must not stop the engine.
  const bool has_many = !raw_.empty() && marks_.size() * around_line >= most_raw;
  return raw_.size() >= most_raw || has_many || lines_bytes_ >= most_lines_bytes;
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
    if (lines_bytes_ >= most_lines_bytes || (raw_.empty() && !has_ended_)) return;
    is_working_ = true;
  }
  using room = text_pool::room;
  around_.texts.ask(around_.whose, piece_bytes, cancelled_,
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
  std::string piece;
  bool is_last = false;
  {
    const std::lock_guard lock(mutex_);
    is_last = has_ended_ && raw_.size() <= piece_bytes;
    piece = raw_.substr(0, piece_bytes);
    raw_.erase(0, piece.size());
  }
  auto out = rules_.write(piece);
  if (is_last) out += rules_.finish();
  redacted(out, is_last);
}

void live_output::redacted(std::string_view text, bool is_last) {
  {
    const std::lock_guard lock(mutex_);
    is_working_ = false;
    is_finished_ = is_last;
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
    if (is_last && !rest_.empty()) give(std::exchange(rest_, {}), mark, true);
    if (is_last && is_skipping_) place_is_gone();
    while (rest_.size() > most_text) {
      const auto part = front_of(rest_);
      give(std::string(part), mark, false);
      rest_.erase(0, part.size());
    }
  }
  redact_more();
  around_.changed();
}

/// Whether the reader does not have the line. Its last one is the line that has both its number and
/// its time. Where the engine has let go of lines before it, numbers say nothing, and it is the one
/// line that has its time; of several nobody knows which.
live_output::wanted live_output::look_for_place(const line_mark& mark, bool is_ended) {
  const auto& last = around_.after;
  if (last.at_ns == 0 || (mark.at_ns == last.at_ns && number_ == last.line)) {
    const bool is_behind = number_ > last.line;
    is_skipping_ = !is_behind && (number_ < last.line || !is_ended);
    return is_behind ? wanted::yes : wanted::no;
  }
  if (mark.at_ns == last.at_ns) {
    perhaps_.clear();
    perhaps_bytes_ = 0;
    if (is_ended) ++found_;
    return wanted::no;
  }
  if (mark.at_ns < last.at_ns) return wanted::no;
  if (found_ == 0) return wanted::perhaps;
  number_ = std::max(number_, last.line + 1);
  if (found_ == 1) number_ = last.line + 1;
  is_gap_due_ = found_ > 1;
  is_skipping_ = false;
  return wanted::yes;
}

/// What was held is given: some before it may be missing.
void live_output::place_is_gone() {
  is_skipping_ = false;
  if (perhaps_.empty()) return;
  const auto behind = around_.after.line + 1 - perhaps_.front().number;
  const auto more = std::max<std::int64_t>(behind, 0);
  perhaps_.front().follows_gap = true;
  for (auto& line : perhaps_) {
    line.number += more;
    lines_bytes_ += line.text.size() + around_line;
    lines_.push_back(std::move(line));
  }
  number_ += more;
  perhaps_.clear();
}

/// With the lock.
void live_output::give(std::string text, const line_mark& mark, bool is_ended) {
  if (mark.follows_gap && rest_number_ != number_) is_gap_due_ = true;
  rest_number_ = number_;
  const auto is = is_skipping_ ? look_for_place(mark, is_ended) : wanted::yes;
  if (is != wanted::no && !mark.is_hidden) hold(text, mark, is_ended, is == wanted::perhaps);
  if (is_ended) ++number_;
  const bool is_gone = perhaps_bytes_ >= most_perhaps ||
                       (is == wanted::perhaps && mark.at_ns > around_.after.at_ns + disorder_ns);
  if (is_skipping_ && is_gone) place_is_gone();
}

void live_output::hold(std::string_view text, const line_mark& mark, bool is_ended,
                       bool is_perhaps) {
  do {
    const auto part = front_of(text);
    text.remove_prefix(part.size());
    live_line line{number_, mark.at_ns, mark.is_err, is_ended && text.empty(), std::string(part)};
    line.follows_gap = std::exchange(is_gap_due_, false);
    (is_perhaps ? perhaps_bytes_ : lines_bytes_) += part.size() + around_line;
    if (is_perhaps) {
      perhaps_.push_back(std::move(line));
    } else {
      lines_.push_back(std::move(line));
    }
  } while (!text.empty());
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
