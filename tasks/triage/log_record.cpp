#include "tasks/triage/log_record.hpp"

#include "tasks/triage/log_envelope.hpp"
#include "tasks/triage/log_level.hpp"
#include "tasks/triage/log_text.hpp"

#include <algorithm>
#include <cstddef>

namespace reeve::tasks {
namespace {

constexpr std::size_t max_cause_bytes = 512;
constexpr std::size_t max_example_bytes = 4096;
// Whether a line has a time is asked here, not which: any late instant does (the year 2100).
constexpr time_us any_now = 4'102'444'800 * us_per_second;

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

/// The first line of .NET's console: "fail: App.Worker[0]", perhaps with a time before it.
bool is_dotnet_head(std::string_view line) {
  if (!line.ends_with(']')) return false;
  for (const std::string_view level :
       {"trce: ", "dbug: ", "info: ", "warn: ", "fail: ", "crit: "}) {
    const auto at = line.find(level);
    if (at == line.npos || at > 40 || (at > 0 && line[at - 1] != ' ')) continue;
    const auto name = line.substr(at + level.size());
    const auto open = name.find('[');
    return open != name.npos && open > 0 && name.find(' ') == name.npos &&
           std::all_of(name.begin() + static_cast<std::ptrdiff_t>(open) + 1, name.end() - 1,
                       [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
  }
  return false;
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

struct line_folder::parsed {
  std::optional<structured_line> structured;
  std::optional<log_severity> level;  // explicit
};

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
  const auto structured = read_structured_line(line);
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
  if (inside_ == inside::dotnet && indented && !body.empty()) {
    // The head of such a record names a category; what happened stands in the line below.
    record.text.append(" ").append(body.substr(0, max_cause_bytes));
    record.example.append(" ").append(body.substr(0, max_cause_bytes));
    inside_ = inside::nothing;
    return;
  }
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

void line_folder::start(const log_line& from, const parsed& read) {
  log_record record;
  const auto line = from.text;
  const auto body = without_klog_header(trimmed(line));
  const auto& structured = read.structured;
  record.at = from.at;
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
  inside_ = is_traceback(line)                          ? inside::python
            : has_any(body, {"panic:", "fatal error:"}) ? inside::go
            : is_dotnet_head(body)                      ? inside::dotnet
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
  parsed read;
  read.structured = read_structured_line(text);
  read.level = line.stated             ? line.stated
               : read.structured       ? read.structured->level
               : text.starts_with('<') ? explicit_severity(text)
                                       : level_of_head(text);
  const bool stamped = time_of_line(text, any_now).has_value() ||
                       (!text.empty() && text[0] != ' ' && read.level &&
                        (inside_ == inside::nothing || inside_ == inside::dotnet));
  const bool joined = line.joined && open_ && open_->lines < max_lines;
  if (joined || continues(text, stamped)) {
    fold(text);
    return std::nullopt;
  }
  if (trimmed(text).empty()) return std::nullopt;
  auto done = finish();
  start(line, read);
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
