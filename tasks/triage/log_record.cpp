#include "tasks/triage/log_record.hpp"

#include "tasks/triage/log_envelope.hpp"
#include "tasks/triage/log_json.hpp"
#include "tasks/triage/log_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace reeve::tasks {
namespace {

constexpr std::size_t max_value_bytes = 2048;
constexpr std::size_t max_cause_bytes = 512;
constexpr std::size_t max_example_bytes = 4096;
// Whether a line has a time is asked here, not which: any late instant does (the year 2100).
constexpr time_us any_now = 4'102'444'800 * us_per_second;

enum class role { none, level, message, error, time };

role role_of(std::string_view key) {
  struct row {
    std::string_view key;
    role is;
  };
  static constexpr row rows[] = {{"level", role::level},         {"severity", role::level},
                                 {"lvl", role::level},           {"loglevel", role::level},
                                 {"log.level", role::level},     {"levelname", role::level},
                                 {"severity_text", role::level}, {"msg", role::message},
                                 {"message", role::message},     {"event", role::message},
                                 {"log", role::message},         {"err", role::error},
                                 {"error", role::error},         {"exception", role::error},
                                 {"time", role::time},           {"ts", role::time},
                                 {"timestamp", role::time},      {"@timestamp", role::time}};
  for (const auto& one : rows) {
    if (one.key == key) return one.is;
  }
  return role::none;
}

void put(structured_line& into, role is, std::string value) {
  std::string* member = is == role::level     ? &into.level
                        : is == role::message ? &into.message
                        : is == role::error   ? &into.error
                        : is == role::time    ? &into.time
                                              : nullptr;
  if (member != nullptr && member->empty()) *member = std::move(value);
}

/// Unescaped and on one line.
std::string plain_text(std::string_view raw) {
  auto text = json_text(raw, max_value_bytes);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return clean_line(text, max_value_bytes);
}

/// A value in quotes, `at` behind the first one; leaves `at` behind the second.
bool read_string(std::string_view text, std::size_t& at, std::string& out) {
  const auto begin = at;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  if (at >= text.size()) return false;
  out = plain_text(text.substr(begin, at - begin));
  ++at;
  return true;
}

void skip_spaces(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == ' ') ++at;
}

bool has_any(std::string_view line, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](std::string_view start) { return line.starts_with(start); });
}

std::string_view trimmed(std::string_view line) {
  const auto first = line.find_first_not_of(' ');
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(' ') - first + 1);
}

/// "E1031 19:24:50.101379       1 a.go:1] lost" is "a.go:1] lost": the rest stands elsewhere.
std::string_view without_klog_header(std::string_view line) {
  if (!klog_severity(line)) return line;
  auto rest = line.substr(std::min(line.size(), line.find(' ') + 1));  // behind the date
  rest.remove_prefix(std::min(rest.size(), rest.find(' ')));           // behind the time of day
  rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(" 0123456789")));
  return rest.empty() ? line : rest;
}

bool is_traceback(std::string_view line) {
  return line.find("Traceback (most recent call last)") != line.npos;
}

/// "java.io.IOException: x", "ValueError: x", "thread 'main' panicked at x".
bool names_an_exception(std::string_view line) {
  const auto colon = std::min(line.find(':'), line.size());
  const auto name = line.substr(0, colon);
  if (name.empty() || name.size() > 120 || name.find(' ') != name.npos) return false;
  return name.ends_with("Error") || name.ends_with("Exception") || name.ends_with("Exit") ||
         name.ends_with("Interrupt") || name.ends_with("Warning");
}

}  // namespace

std::optional<structured_line> read_json_line(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with('{')) return std::nullopt;
  structured_line found;
  json_walk walk(line);
  while (const auto member = walk.next()) {
    const auto role = role_of(member->key);
    if (role == role::none || member->raw == "null") continue;
    put(found, role, plain_text(member->raw));
  }
  if (!walk.complete()) return std::nullopt;
  return found;
}

std::optional<structured_line> read_logfmt_line(std::string_view line) {
  structured_line found;
  for (std::size_t at = 0; at < line.size();) {
    skip_spaces(line, at);
    const auto begin = at;
    while (at < line.size() && line[at] != ' ' && line[at] != '=' && line[at] != '"') ++at;
    if (at >= line.size() || line[at] != '=') {
      while (at < line.size() && line[at] != ' ') ++at;
      continue;
    }
    const auto key = line.substr(begin, at - begin);
    ++at;
    std::string value;
    if (at < line.size() && line[at] == '"') {
      ++at;
      if (!read_string(line, at, value)) break;
    } else {
      const auto end = std::min(line.find(' ', at), line.size());
      value = line.substr(at, std::min(end - at, max_value_bytes));
      at = end;
    }
    put(found, role_of(key), std::move(value));
  }
  if (found.level.empty() || found.message.empty()) return std::nullopt;
  if (!severity_from_word(found.level)) return std::nullopt;
  return found;
}

std::optional<time_us> time_of_record(std::string_view line, time_us now) {
  if (line.starts_with("__REALTIME_TIMESTAMP=")) line.remove_prefix(21);
  if (const auto stamp = time_of_line(line, now)) return stamp->at;
  std::optional<time_us> outer;
  auto envelope = take_envelope(line, now);
  if (envelope) {
    outer = envelope->at;
    line = envelope->text();
    if (const auto stamp = time_of_line(line, now); stamp && !outer) return stamp->at;
    if (outer) return outer;
  }
  auto structured = read_json_line(line);
  if (!structured) structured = read_logfmt_line(line);
  if (!structured || structured->time.empty()) return std::nullopt;
  const auto stamp = time_of_line(structured->time, now);
  if (!stamp) return std::nullopt;
  return stamp->at;
}

bool line_folder::continues(std::string_view line, bool stamped) const {
  if (!open_ || open_->lines >= max_lines) return false;
  const auto body = trimmed(line);
  if (body.empty()) return inside_ != inside::nothing;
  if (inside_ == inside::python && !is_traceback(body)) return !stamped;
  if (stamped) return false;
  if (has_any(body, {"Caused by:", "... ", "at ", "Suppressed:", "--- End of",
                     "During handling of the above", "The above exception was"})) {
    return line[0] == ' ' || !body.starts_with("at ");
  }
  const bool bad = open_->severity >= log_severity::warning;
  if (is_traceback(body) || names_an_exception(body)) return bad;
  if (inside_ == inside::go) {
    return line[0] == ' ' ||
           has_any(body, {"goroutine ", "created by ", "exit status ", "[signal "}) ||
           (body.ends_with(')') && body.substr(0, body.find('(')).find(' ') == body.npos);
  }
  if (has_any(body, {"stack backtrace:", "note: run with"})) return true;
  return line[0] == ' ' && !open_indented_ && !explicit_severity(body);
}

void line_folder::fold(std::string_view line) {
  auto& record = *open_;
  ++record.lines;
  const auto body = trimmed(line);
  if (is_traceback(body)) {
    inside_ = inside::python;
    record.severity = std::max(record.severity, log_severity::warning);
    return;
  }
  const bool indented = line.starts_with(' ');
  if (inside_ == inside::python && !indented && !body.empty() &&
      !has_any(body, {"During handling of", "The above exception"})) {
    // The first line that is not indented names the exception and ends the traceback.
    record.cause = shortened(body, max_cause_bytes);
    inside_ = inside::nothing;
  } else if (body.starts_with("Caused by:") || (record.cause.empty() && names_an_exception(body))) {
    record.cause = shortened(body, max_cause_bytes);
  }
  if (!record.cause.empty() && record.severity == log_severity::unknown) {
    record.severity = log_severity::error;
  }
}

void line_folder::start(const log_line& from) {
  log_record record;
  const auto line = from.text;
  const auto body = without_klog_header(trimmed(line));
  record.at = from.at;
  record.example = shortened(trimmed(from.whole.empty() ? line : from.whole), max_example_bytes);
  auto structured = read_json_line(line);
  if (!structured) structured = read_logfmt_line(line);
  if (!from.tag.empty()) record.text.append(from.tag).append(": ");
  const auto said = record.text.size();
  if (structured && !structured->message.empty()) {
    record.text.append(structured->message);
    if (!structured->error.empty()) record.text.append(" error: ").append(structured->error);
  } else {
    record.text.append(body);
  }
  const auto own = explicit_severity(line);
  record.severity = own ? *own : from.level ? *from.level : severity_of(line);
  // A structured line without a level may still say how bad it is.
  if (record.severity == log_severity::unknown && structured) {
    record.severity = severity_of(std::string_view(record.text).substr(said));
  }
  open_indented_ = line.starts_with(' ');
  text_begin_ = said;
  inside_ = is_traceback(line)                          ? inside::python
            : has_any(body, {"panic:", "fatal error:"}) ? inside::go
                                                        : inside::nothing;
  open_ = std::move(record);
}

std::optional<log_record> line_folder::add(std::string_view text, std::optional<time_us> at) {
  log_line line;
  line.text = text;
  line.at = at;
  return add(line);
}

std::optional<log_record> line_folder::add(const log_line& line) {
  const auto text = line.text;
  const bool stamped = time_of_line(text, any_now).has_value() ||
                       (!text.empty() && text[0] != ' ' && inside_ == inside::nothing &&
                        explicit_severity(text).has_value());
  const bool joined = line.joined && open_ && open_->lines < max_lines;
  if (joined || continues(text, stamped)) {
    fold(text);
    return std::nullopt;
  }
  if (trimmed(text).empty()) return std::nullopt;
  auto done = finish();
  start(line);
  return done;
}

std::optional<log_record> line_folder::finish() {
  auto done = std::move(open_);
  open_.reset();
  inside_ = inside::nothing;
  if (done && !done->cause.empty()) {
    // A bare traceback says nothing in its first line.
    if (is_traceback(done->text)) {
      done->text.resize(text_begin_);
      done->text.append(done->cause);
    } else {
      done->text.append(" | ").append(done->cause);
    }
    done->example.append(" | ").append(done->cause);
  }
  return done;
}

}  // namespace reeve::tasks
