#include "tasks/triage/log_record.hpp"

#include "base/utf8.hpp"
#include "tasks/triage/log_envelope.hpp"
#include "tasks/triage/log_level.hpp"
#include "tasks/triage/log_text.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace reeve::tasks {
namespace {

constexpr std::size_t max_cause_bytes = 512;
constexpr std::size_t max_example_bytes = 4096;
// Some records may always wait to be given out: those that were are dropped after so many.
constexpr std::size_t most_given = 32;
// Whether a line has a time is asked here, not which: any late instant does (the year 2100).
constexpr time_us any_now = 4'102'444'800 * us_per_second;

/// "E1031 19:24:50.101379       1 a.go:1] lost" is "a.go:1] lost", also with a year: the rest
/// stands elsewhere.
std::string_view without_klog_header(std::string_view line) {
  if (!klog_severity(line)) return line;
  auto rest = line.substr(std::min(line.size(), line.find(' ') + 1));  // behind the date
  rest.remove_prefix(std::min(rest.size(), rest.find(' ')));           // behind the time of day
  rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(" 0123456789")));
  return rest.empty() ? line : rest;
}

}  // namespace

std::optional<leading_time> time_of_record(std::string_view line, time_us now) {
  // The export format of the journal has a line for it.
  if (line.starts_with("__REALTIME_TIMESTAMP=")) return time_of_line(line.substr(21), now);
  const auto front = time_of_line(line, now);
  if (front && front->zoned) return front;
  const auto envelope = take_envelope(line, now, &front);
  const auto outer = envelope ? envelope->time : front;
  if (outer && (outer->zoned || !envelope)) return outer;
  const auto body = envelope ? envelope->text() : line;
  auto inner = envelope ? time_of_line(body, now) : std::nullopt;
  if (!inner || !inner->zoned) {
    if (const auto own = time_in_structured_line(body); !own.empty())
      inner = time_of_line(own, now);
  }
  return inner && (inner->zoned || !outer) ? inner : outer;
}

line_folder::parsed line_folder::parse(const log_line& line) {
  const auto text = line.text;
  parsed read;
  read.structured = read_structured_line(text);
  read.level = line.stated             ? line.stated
               : read.structured       ? read.structured->level
               : text.starts_with('<') ? explicit_severity(text)
                                       : level_of_head(text);
  read.time = time_of_line(text, any_now);
  return read;
}

/// Whether a line without a time belongs to the trace that the open record is in.
bool line_folder::continues_trace(std::string_view line, std::string_view body) const {
  const bool indented = line.starts_with(' ');
  switch (inside_) {
    case trace_kind::python:
      return indented || ends_python_trace(body);
    case trace_kind::python_group:
      return body.starts_with('|') || body.starts_with('+');
    case trace_kind::python_detail:
      return explains_an_error(body);
    case trace_kind::go:
      return indented || is_go_part(body);
    case trace_kind::rust_message:
      return true;
    case trace_kind::rust:
      return indented || is_rust_part(body);
    case trace_kind::php:
      return indented || is_php_part(body);
    case trace_kind::dotnet_message:
      return indented;
    case trace_kind::none:
      break;
  }
  return false;
}

/// Indented lines belong to the line above, but never a worse one to a milder one.
bool line_folder::belongs_though_indented(std::string_view body, const parsed& read) const {
  if (is_frame(body)) return true;
  if (open_indented_ || read.level) return false;
  if (named_ || open_->severity >= log_severity::fatal) return true;
  const auto words = severity_of_words(body);
  if (words == log_severity::fatal) return false;
  // Of a line that says nothing about itself, the indented ones are mostly a list of settings.
  return words < log_severity::error || open_->severity == log_severity::unknown ||
         open_->severity >= log_severity::error;
}

bool line_folder::continues(std::string_view line, const parsed& read) const {
  if (!open_ || open_->lines >= max_lines) return false;
  const auto body = trimmed(line);
  if (body.empty()) {
    return inside_ != trace_kind::none && inside_ != trace_kind::python_detail;
  }
  if (read.time) {
    // PHP's log puts its time before each line of a trace.
    const auto php = body.find("] PHP ");
    return inside_ == trace_kind::php && php != body.npos && is_php_part(body.substr(php + 2));
  }
  const bool indented = line.starts_with(' ');
  if (read.structured && !indented) return false;
  const bool bad = open_->severity >= log_severity::warning;
  if (is_traceback(body) && !(inside_ == trace_kind::python_group && indented)) {
    return chained_ || (bad && !named_ && inside_ != trace_kind::python);
  }
  if (continues_trace(line, body)) return true;
  if (is_java_or_dotnet_part(body) || is_ruby_frame(body)) return true;
  if (chains_traces(body)) return named_;
  if (names_an_exception(body)) {
    if (!indented) return bad && !named_ && !waits(line, read);
    return belongs_though_indented(body, read);
  }
  if (bad && (begins_trace(body) == trace_kind::go && body.starts_with("goroutine "))) return true;
  if (bad && (explains_an_error(body) || is_rust_part(body))) return true;
  if (bad && is_php_part(body) && !body.starts_with("Next ")) return true;
  return indented && belongs_though_indented(body, read);
}

/// An exception below a warning may be its trace, or the death of something else.
bool line_folder::waits(std::string_view line, const parsed& read) const {
  if (!open_ || read.time || read.structured || line.starts_with(' ')) return false;
  if (open_->severity != log_severity::warning || named_ || inside_ != trace_kind::none)
    return false;
  return names_an_exception(trimmed(line)) && severity_of_words(line) > open_->severity;
}

/// Below a dated line that is a warning or worse: a further line of its message, if a trace comes.
bool line_folder::may_be_of_message(const log_line& line, const parsed& read) const {
  if (!open_dated_ || read.time || read.structured || read.level || line.level || line.joined)
    return false;
  if (!open_ || framed_ || inside_ != trace_kind::none) return false;
  const auto held = static_cast<std::int64_t>(held_.size());
  if (open_->severity < log_severity::warning || open_->lines + held >= max_lines) return false;
  if (held_.empty() && line.text.starts_with(' ')) return false;
  const auto body = trimmed(line.text);
  const auto words = severity_of_words(body);
  if (tells_a_death(body)) return false;
  if (!names_an_exception(body))
    return held_.size() < max_message_lines && words <= open_->severity;
  const bool is_second = named_ || std::any_of(held_.begin(), held_.end(), [](const auto& one) {
                           return names_an_exception(trimmed(one.text()));
                         });
  return !is_second && held_.size() <= max_message_lines &&
         words <= std::max(open_->severity, log_severity::error);
}

/// A line that only a trace has: what is held belongs to the open record.
bool line_folder::shows_whose_held(std::string_view line, const parsed& read) const {
  const auto body = trimmed(line);
  if (held_.empty() || read.time || (read.structured && !line.starts_with(' '))) return false;
  const bool is_named = names_an_exception(trimmed(held_.back().text()));
  if (is_traceback(body)) return !is_named && !named_;
  return is_frame(body) && (is_named || line.starts_with(' ') || is_ruby_frame(body) ||
                            body.starts_with("Caused by: "));
}

void line_folder::fold(std::string_view line) {
  auto& record = *open_;
  ++record.lines;
  const auto body = trimmed(line);
  framed_ = framed_ || is_frame(body) || is_traceback(body);
  if (is_traceback(body)) {
    if (inside_ != trace_kind::python_group) inside_ = begins_trace(body);
    record.severity = std::max(record.severity, log_severity::warning);
    chained_ = false;
    return;
  }
  if (chains_traces(body)) chained_ = true;
  if (inside_ == trace_kind::dotnet_message && !body.empty()) {
    // The head of such a record names a category; what happened stands in the line below.
    record.text.append(" ").append(utf8_prefix(body, max_cause_bytes));
    record.example.append(" ").append(utf8_prefix(body, max_cause_bytes));
    inside_ = trace_kind::none;
    return;
  }
  const auto grouped = inside_ == trace_kind::python_group && body.starts_with("| ");
  const auto said = grouped ? trimmed(body.substr(2)) : body;
  const bool ends_python =
      inside_ == trace_kind::python && !line.starts_with(' ') && ends_python_trace(body);
  if (ends_python || (inside_ == trace_kind::rust_message && !body.empty()) ||
      body.starts_with("Caused by: ") || (record.cause.empty() && names_an_exception(said))) {
    record.cause = shortened(said, max_cause_bytes);
    named_ = true;
  }
  if (ends_python) inside_ = trace_kind::python_detail;
  if (inside_ == trace_kind::rust_message && !body.empty()) inside_ = trace_kind::rust;
  if (inside_ == trace_kind::none && body.starts_with("goroutine ")) inside_ = trace_kind::go;
  if (!record.cause.empty() && record.severity == log_severity::unknown) {
    record.severity = log_severity::error;
  }
}

void line_folder::start(const log_line& from, const parsed& read) {
  log_record record;
  const auto line = from.text;
  const auto body = without_klog_header(trimmed(line));
  const auto& structured = read.structured;
  record.at = from.at;
  record.number = from.number;
  record.example = shortened(trimmed(from.whole.empty() ? line : from.whole), max_example_bytes);
  if (!from.tag.empty()) record.text.append(from.tag).append(": ");
  text_begin_ = record.text.size();
  if (structured && !structured->message.empty()) {
    record.text.append(structured->message);
    if (!structured->error.empty()) record.text.append(" error: ").append(structured->error);
  } else {
    record.text.append(body);
  }
  const auto level = read.level ? read.level : from.level;
  if (structured) {
    record.severity = read.level || !level ? severity_of_structured(*structured) : *level;
  } else {
    record.severity = severity_of_text(line, level);
  }
  open_indented_ = line.starts_with(' ');
  open_dated_ = read.time.has_value();
  framed_ = false;
  named_ = names_an_exception(body) || body.find("Exception in thread ") != body.npos;
  chained_ = false;
  inside_ = trace_kind::none;
  if (!structured) {
    // A trace may begin on a line with a time: "2019/01/15 09:48:06 http: panic serving …".
    const auto stamp = body.size() == line.size() ? read.time : time_of_line(body, any_now);
    const auto length = stamp ? std::min(stamp->length, body.size()) : 0;
    inside_ = begins_trace(length > 0 ? trimmed(body.substr(length)) : body);
  }
  open_ = std::move(record);
}

std::optional<log_record> line_folder::add(std::string_view text, std::optional<time_us> at) {
  log_line line;
  line.text = text;
  line.at = at;
  return add(line);
}

std::optional<log_record> line_folder::add(const log_line& line) {
  gather(line);
  return next();
}

bool line_folder::would_take(const log_line& line) const {
  const auto read = parse(line);
  return continues(line.text, read) || (!held_.empty() && is_frame(trimmed(line.text))) ||
         (waits(line.text, read) && severity_of_words(line.text) < log_severity::fatal);
}

void line_folder::gather(const log_line& line) {
  auto is = object_.take(line);
  if (is == object_lines::verdict::no_part && object_.is_open()) {
    for (const auto& one : object_.give_back()) place(one.view());
    is = object_.take(line);
  }
  if (is == object_lines::verdict::no_part) return place(line);
  if (is == object_lines::verdict::whole) end_object();
}

void line_folder::end_object() {
  while (!held_.empty()) let_held_stand();
  end();
  auto line = object_.line();
  if (!line.at) {
    if (const auto own = time_of_line(time_in_structured_line(line.text), any_now)) {
      if (own->zoned) line.at = own->at;
    }
  }
  start(line, parse(line));
  open_->lines = object_.size();
  object_.clear();
}

/// The same as if what is held had been told apart before.
void line_folder::place(const log_line& line) {
  if (held_.empty()) return take(line);
  if (trimmed(line.text).empty()) return;
  const auto read = parse(line);
  if (shows_whose_held(line.text, read)) {
    for (const auto& one : std::exchange(held_, {})) fold(one.text());
    return fold(line.text);
  }
  if (may_be_of_message(line, read)) {
    held_.emplace_back(line);
    return;
  }
  let_held_stand();
  place(line);
}

void line_folder::take(const log_line& line) {
  const auto text = line.text;
  const auto read = parse(line);
  const bool joined = line.joined && open_ && open_->lines < max_lines;
  if (joined || continues(text, read)) return fold(text);
  if (trimmed(text).empty()) return;
  if ((waits(text, read) && severity_of_words(text) < log_severity::fatal) ||
      may_be_of_message(line, read)) {
    held_.emplace_back(line);
    return;
  }
  end();
  start(line, read);
}

/// The first line that is held begins a record of its own; those behind it are looked at anew, and
/// may have to wait again.
void line_folder::let_held_stand() {
  const auto lines = std::exchange(held_, {});
  const auto first = lines.front().view();
  end();
  start(first, parse(first));
  for (std::size_t i = 1; i < lines.size(); ++i) place(lines[i].view());
}

void line_folder::end() {
  if (!open_) return;
  auto done = std::move(*open_);
  open_.reset();
  inside_ = trace_kind::none;
  if (!done.cause.empty()) {
    // A bare traceback says nothing in its first line.
    if (is_traceback(done.text)) {
      done.text.resize(text_begin_);
      done.text.append(done.cause);
    } else {
      done.text.append(" | ").append(done.cause);
    }
    done.example.append(" | ").append(done.cause);
  }
  ended_.push_back(std::move(done));
}

std::optional<log_record> line_folder::next() {
  if (ended_.empty()) return std::nullopt;
  std::optional<log_record> record(std::move(ended_[given_++]));
  if (given_ == ended_.size() || given_ == most_given) {
    ended_.erase(ended_.begin(), ended_.begin() + static_cast<std::ptrdiff_t>(given_));
    given_ = 0;
  }
  return record;
}

std::optional<log_record> line_folder::finish() {
  for (const auto& one : object_.give_back()) place(one.view());
  while (!held_.empty()) let_held_stand();
  end();
  return next();
}

}  // namespace reeve::tasks
