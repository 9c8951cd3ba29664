#include "tasks/triage/log_structured.hpp"

#include "tasks/triage/log_access.hpp"
#include "tasks/triage/log_json.hpp"
#include "tasks/triage/log_keys.hpp"
#include "tasks/triage/log_text.hpp"
#include "tasks/triage/log_time.hpp"

#include <algorithm>

namespace reeve::tasks {
namespace {

using enum log_severity;
using role = key_role;

constexpr std::size_t max_value_bytes = 2048;
constexpr int max_nesting = 2;
// Whether a text is a time is asked here, not which: any late instant does (the year 2100).
constexpr time_us any_now = 4'102'444'800 * us_per_second;

struct reading {
  structured_line found;
  std::string lesser_message;
  std::string lesser_time;
  std::string error_type;
  std::optional<log_severity> by_number;
  std::optional<int> status;
  bool is_request = false;
  // Letters of MongoDB and the missing level of Serilog mean something only beside other members.
  std::optional<log_severity> mongo_level;
  bool is_mongo = false;
  bool is_serilog = false;
  bool only_time = false;  // texts are not wanted; else the time is not
};

std::optional<int> small_number(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// Upper bounds of scales that grow, with what lies below them.
struct step {
  int below;
  log_severity severity;
};

template <std::size_t N>
log_severity on_scale(const step (&steps)[N], int number) {
  for (const auto& one : steps) {
    if (number < one.below) return one.severity;
  }
  return fatal;
}

std::optional<log_severity> level_of_number(std::string_view key, int number) {
  static constexpr step bunyan[] = {{30, debug}, {40, info}, {50, warning}, {60, error}};
  static constexpr step monolog[] = {
      {200, debug}, {250, info}, {300, notice}, {400, warning}, {500, error}};
  static constexpr step dotnet[] = {{2, debug}, {3, info}, {4, warning}, {5, error}};
  if (key == "LogLevel" && number <= 5) return on_scale(dotnet, number);
  if (number < 8) return severity_from_syslog(number);
  if (number >= 10 && number < 70) return on_scale(bunyan, number);
  if (number >= 100 && number <= 600) return on_scale(monolog, number);
  return std::nullopt;
}

std::optional<log_severity> level_of_word(std::string_view word) {
  if (const auto dot = word.rfind('.'); dot != word.npos) word.remove_prefix(dot + 1);
  if (word.size() != 1) return severity_from_word(word);
  return severity_from_letter(word[0]);
}

void put_level(reading& into, std::string_view key, std::string_view value, role is) {
  static constexpr step otel[] = {{9, debug}, {13, info}, {17, warning}, {21, error}};
  static constexpr step python[] = {{20, debug}, {30, info}, {40, warning}, {50, error}};
  const auto number = small_number(value);
  if (is == role::level && !number) {
    if (!into.found.level) into.found.level = level_of_word(value);
  } else if (number && !into.by_number) {
    if (is == role::level) into.by_number = level_of_number(key, *number);
    if (is == role::otel_number && *number > 0) into.by_number = on_scale(otel, *number);
    if (is == role::python_number) into.by_number = on_scale(python, *number);
  }
}

/// Unescaped and on one line.
std::string plain_text(std::string_view raw) {
  if (raw.find('\\') == raw.npos && is_printable(raw))
    return std::string(raw.substr(0, max_value_bytes));
  auto text = json_text(raw, max_value_bytes);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' ' && c != '\x1B'; }, ' ');
  return clean_line(text, max_value_bytes);
}

/// The line that names the exception: the last of a Python traceback, else the first.
std::string error_text(std::string_view raw) {
  const auto text = json_text(raw, 4 * max_value_bytes);
  std::string_view line = text;
  while (line.ends_with('\n')) line.remove_suffix(1);
  if (line.find("Traceback (most recent call last)") != line.npos) {
    line.remove_prefix(line.rfind('\n') + 1);
  } else {
    line = line.substr(0, line.find('\n'));
  }
  return plain_text(line.substr(0, max_value_bytes));
}

void read_object(reading& into, std::string_view object, role holder, int depth);

void put_message(const reading& made, std::string& into, std::string_view raw) {
  if (!into.empty()) return;
  // One that may hold a line of its own has a time.
  into = made.only_time && !raw.starts_with('{') ? "-" : plain_text(raw);
}

bool is_time(std::string_view text) {
  return time_of_line(text, any_now).has_value();
}

/// The first that is one: "time" is also how long something took.
void put_time(const reading& made, std::string& into, std::string_view raw) {
  if (made.only_time && (into.empty() || !is_time(into))) into = plain_text(raw);
}

/// Members whose names mean something only to one logger.
void take_special(reading& into, const json_member& member) {
  const auto key = member.key;
  if (key == "c" || key == "ctx") into.is_mongo = true;
  if (key == "@t" || key == "@mt" || key == "@m") into.is_serilog = true;
  if (key == "s" && member.kind == json_kind::string && !member.raw.empty()) {
    into.mongo_level = severity_from_letter(member.raw[0]);
  }
}

void take_nested(reading& into, const json_member& member, role is, int depth) {
  if (depth >= max_nesting) return;
  const bool holds = is == role::holder || is == role::error || is == role::time ||
                     is == role::level || is == role::message || member.key == "log";
  if (holds) read_object(into, member.raw, is, depth + 1);
}

/// The role of a member of an object that stands for one thing: {"$date": …}, {"name": "ERROR"}.
role role_inside(role holder, const json_member& member) {
  const auto key = member.key;
  if (holder == role::time) {
    const bool is = key == "$date" || key == "timestamp" || key == "epochSecond";  // Log4j 2
    return is ? role::time : role::none;
  }
  if (holder == role::level) return key == "name" ? role::level : role::none;
  if (holder == role::message) return key == "stringValue" ? role::message : role::none;
  if (holder != role::error) return role_of_key(key);
  if (key == "message" || key == "msg") return role::error;
  const bool names = key == "type" || key == "name" || key == "class" || key == "kind";
  return names ? role::error_type : role::none;
}

void take_member(reading& into, const json_member& member, role is, int depth) {
  if (member.kind == json_kind::object) return take_nested(into, member, is, depth);
  if (member.kind == json_kind::array || member.raw == "null" || member.raw.empty()) return;
  auto& found = into.found;
  switch (is) {
    case role::level:
    case role::otel_number:
    case role::python_number:
      return put_level(into, member.key, member.raw, is);
    case role::message:
      return put_message(into, found.message, member.raw);
    case role::lesser_message:
      return put_message(into, into.lesser_message, member.raw);
    case role::error:
      if (found.error.empty() && !into.only_time) found.error = error_text(member.raw);
      return;
    case role::error_type:
      if (into.error_type.empty() && !into.only_time) into.error_type = plain_text(member.raw);
      return;
    case role::time:
      return put_time(into, found.time, member.raw);
    case role::lesser_time:
      return put_time(into, into.lesser_time, member.raw);
    case role::status:
      if (!into.status) into.status = small_number(member.raw);
      return;
    case role::request:
      into.is_request = true;
      return;
    case role::none:
    case role::holder:
      return;
  }
}

void read_object(reading& into, std::string_view object, role holder, int depth) {
  json_walk walk(object);
  while (const auto member = walk.next()) {
    if (depth == 0) take_special(into, *member);
    take_member(into, *member, role_inside(holder, *member), depth);
  }
}

structured_line finished(reading made) {
  auto& found = made.found;
  if (found.message.empty()) found.message = std::move(made.lesser_message);
  if (!made.lesser_time.empty() && !is_time(found.time)) found.time = std::move(made.lesser_time);
  if (found.error.empty()) {
    found.error = std::move(made.error_type);
  } else if (!made.error_type.empty()) {
    found.error.insert(0, made.error_type + ": ");
  }
  for (const std::string_view nothing : {"false", "0", "none", "None", "nil", "-"}) {
    if (found.error == nothing) found.error.clear();
  }
  if (!found.level && made.is_mongo) found.level = made.mongo_level;
  if (!found.level) found.level = made.by_number;
  if (!found.level && made.is_serilog && !found.message.empty()) found.level = info;
  if (made.is_request && made.status && *made.status >= 100 && *made.status < 600) {
    found.status = made.status;
  }
  return found;
}

/// A value in quotes, `at` behind the first one; leaves `at` behind the second.
std::optional<std::string_view> quoted(std::string_view text, std::size_t& at) {
  const auto begin = at;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  if (at >= text.size()) return std::nullopt;
  return text.substr(begin, at++ - begin);
}

bool may_have_level(std::string_view line) {
  for (auto equals = line.find('='); equals != line.npos; equals = line.find('=', equals + 1)) {
    const auto before = line.substr(0, equals);
    for (const std::string_view key : {"level", "lvl", "severity", "at"}) {
      if (before.ends_with(key)) return true;
    }
  }
  return false;
}

std::optional<structured_line> read_json(std::string_view line, bool only_time) {
  line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
  if (!line.starts_with('{')) return std::nullopt;
  reading made;
  made.only_time = only_time;
  json_walk walk(line);
  while (const auto member = walk.next()) {
    take_special(made, *member);
    take_member(made, *member, role_of_key(member->key), 0);
  }
  const bool complete = walk.complete();
  auto found = finished(std::move(made));
  if (!complete && !found.level) return std::nullopt;
  // Collectors that do not say so put the line of a program into a member of theirs.
  if (!found.level && found.message.starts_with('{') && found.message.size() < line.size()) {
    if (auto inner = read_json(found.message, only_time)) {
      if (inner->time.empty()) inner->time = found.time;
      return inner;
    }
  }
  return found;
}

std::optional<structured_line> read_logfmt(std::string_view line, bool only_time) {
  if (!may_have_level(line)) return std::nullopt;
  reading made;
  made.only_time = only_time;
  std::size_t pairs = 0;
  bool from_start = false;
  for (std::size_t at = 0; at < line.size();) {
    while (at < line.size() && line[at] == ' ') ++at;
    const auto begin = at;
    while (at < line.size() && line[at] != ' ' && line[at] != '=' && line[at] != '"') ++at;
    if (at >= line.size() || line[at] != '=') {
      while (at < line.size() && line[at] != ' ') ++at;
      continue;
    }
    json_member pair;
    pair.key = line.substr(begin, at - begin);
    if (pairs++ == 0) from_start = begin == 0;
    ++at;
    pair.kind = json_kind::string;
    if (at < line.size() && line[at] == '"') {
      ++at;
      const auto value = quoted(line, at);
      if (!value) break;
      pair.raw = *value;
    } else {
      const auto end = std::min(line.find(' ', at), line.size());
      pair.raw = line.substr(at, end - at);
      at = end;
    }
    take_member(made, pair, pair.key == "at" ? role::level : role_of_key(pair.key), 0);
  }
  auto found = finished(std::move(made));
  if (!found.level) return std::nullopt;
  if (found.message.empty() && !(from_start && pairs > 1)) return std::nullopt;
  return found;
}

}  // namespace

std::optional<structured_line> read_json_line(std::string_view line) {
  return read_json(line, false);
}

std::optional<structured_line> read_logfmt_line(std::string_view line) {
  return read_logfmt(line, false);
}

std::optional<structured_line> read_structured_line(std::string_view line) {
  if (auto found = read_json_line(line)) return found;
  return read_logfmt_line(line);
}

std::string time_in_structured_line(std::string_view line) {
  auto found = read_json(line, true);
  if (!found) found = read_logfmt(line, true);
  return found ? std::move(found->time) : std::string{};
}

log_severity severity_of_structured(const structured_line& line) {
  const auto by_status = line.status ? severity_of_status(*line.status) : unknown;
  if (line.level) {
    // A router's line says "info" of every request.
    return line.message.empty() && by_status == error ? std::max(*line.level, error) : *line.level;
  }
  const auto said = line.message.empty() ? unknown : severity_of(line.message);
  const auto failed = line.error.empty() ? unknown : std::max(error, severity_of(line.error));
  return std::max({said, failed, by_status});
}

}  // namespace reeve::tasks
