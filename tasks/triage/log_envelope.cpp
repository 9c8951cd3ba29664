#include "tasks/triage/log_envelope.hpp"

#include "tasks/triage/log_json.hpp"

#include <algorithm>
#include <cstring>

namespace reeve::tasks {
namespace {

// The Docker daemon cuts lines at 16 KiB (its buffer), and only what is cut has no newline; others
// that write the same form leave all newlines out.
constexpr std::size_t least_docker_part = std::size_t{8} * 1024;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool holds(std::string_view text, std::string_view part) {
  return text.size() >= part.size() &&
         ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

std::string_view take_token(std::string_view& text) {
  const auto token = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), token.size() + 1));
  return token;
}

/// "TIME stdout F message"; the flags after a colon ("P:x") are for what came later.
std::optional<log_envelope> take_cri(std::string_view line, time_us now) {
  const auto space = line.find(' ');
  if (space == line.npos || space < 20 || space > 40 || line[10] != 'T') return std::nullopt;
  auto rest = line.substr(space + 1);
  if (!rest.starts_with("stdout ") && !rest.starts_with("stderr ")) return std::nullopt;
  log_envelope made;
  made.lane = take_token(rest);
  const auto flags = take_token(rest);
  if (flags.empty() || (flags[0] != 'F' && flags[0] != 'P')) return std::nullopt;
  if (flags.size() > 1 && flags[1] != ':') return std::nullopt;
  const auto stamp = time_of_line(line.substr(0, space), now);
  if (!stamp) return std::nullopt;
  made.time = stamp;
  made.partial = flags[0] == 'P';
  made.body = rest;
  return made;
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= 64 && (is_letter(text[0]) || text[0] == '(') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || is_digit(c) ||
                  std::string_view("._/-()@+").find(c) != std::string_view::npos;
         });
}

/// "app[71]: message" or "app: message": tag, lane and body.
bool take_speaker(std::string_view text, log_envelope& into, bool needs_process) {
  std::size_t end = 0;
  while (end < text.size() && text[end] != '[' && text[end] != ':' && text[end] != ' ') ++end;
  if (end == text.size() || text[end] == ' ') return false;
  const auto tag = text.substr(0, end);
  if (!is_tag(tag) || severity_from_word(tag)) return false;
  auto after = end;
  if (text[end] == '[') {
    const auto close = text.find(']', end);
    if (close == text.npos || close - end > 24) return false;
    after = close + 1;
    // launchd: "com.apple.xpc.launchd[1] (com.apple.x[7]): message".
    if (text.substr(after).starts_with(" (")) {
      const auto paren = text.find("):", after);
      if (paren != text.npos && paren - after < 128) after = paren + 1;
    }
  } else if (needs_process) {
    return false;
  }
  if (after >= text.size() || text[after] != ':') return false;
  if (after + 1 < text.size() && text[after + 1] != ' ') return false;
  into.tag = tag;
  into.lane = text.substr(0, after);
  into.body = text.substr(std::min(text.size(), after + 2));
  return true;
}

/// "host app[71]: message", the host may be missing. The lane then has the host as well.
bool take_host_and_speaker(std::string_view text, log_envelope& into, bool needs_process) {
  if (take_speaker(text, into, needs_process)) return true;
  const auto space = text.find(' ');
  if (space == text.npos || space == 0 || space > 255) return false;
  const auto host = text.substr(0, space);
  if (host.find_first_of("[](){}<>\"'=,|") != host.npos || severity_from_word(host)) return false;
  auto rest = text.substr(space + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (!take_speaker(rest, into, needs_process)) return false;
  into.lane =
      text.substr(0, static_cast<std::size_t>(into.lane.data() - text.data()) + into.lane.size());
  return true;
}

/// Behind the priority: a time, a host, a speaker.
bool take_rfc3164(std::string_view line, time_us now, log_envelope& into,
                  const std::optional<leading_time>* known = nullptr) {
  const bool is_iso = !line.empty() && is_digit(line[0]);
  if (is_iso && (line.size() < 11 || line[10] != 'T')) return false;
  const auto stamp = known != nullptr ? *known : time_at_front(line, now);
  if (!stamp || stamp->length == 0 || stamp->length >= line.size()) return false;
  if (line[stamp->length] != ' ') return false;
  if (!take_host_and_speaker(line.substr(stamp->length + 1), into, is_iso)) return false;
  into.time = stamp;
  return true;
}

/// Behind "1 ": TIME HOST APP PROCESS ID, structured data or "-", the message.
bool take_rfc5424(std::string_view rest, time_us now, log_envelope& into) {
  const auto time = take_token(rest);
  const auto stamp = time_of_line(time, now);
  if (!stamp && time != "-") return false;
  const auto begin = rest;
  take_token(rest);
  const auto app = take_token(rest);
  const auto process = take_token(rest);
  const auto id = take_token(rest);
  if (app.empty() || process.empty() || id.empty() || rest.empty()) return false;
  if (rest[0] == '[') {
    bool quoted = false;
    std::size_t at = 0;
    for (; at < rest.size(); ++at) {
      if (rest[at] == '\\' && quoted) {
        ++at;
      } else if (rest[at] == '"') {
        quoted = !quoted;
      } else if (rest[at] == ']' && !quoted && !rest.substr(at + 1).starts_with('[')) {
        break;
      }
    }
    if (at >= rest.size()) return false;
    rest.remove_prefix(at + 1);
  } else if (rest[0] == '-') {
    rest.remove_prefix(1);
  } else {
    return false;
  }
  if (!rest.empty() && rest[0] != ' ') return false;
  rest.remove_prefix(std::min<std::size_t>(rest.size(), 1));
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  if (app != "-") into.tag = app;
  into.lane =
      begin.substr(0, static_cast<std::size_t>(process.data() - begin.data()) + process.size());
  into.body = rest;
  into.time = stamp;
  return true;
}

std::optional<log_envelope> take_priority(std::string_view line, time_us now) {
  const auto priority = severity_of_priority(line);
  if (!priority) return std::nullopt;
  log_envelope made;
  made.level = priority;
  const auto rest = line.substr(line.find('>') + 1);
  if (rest.starts_with("1 ") && take_rfc5424(rest.substr(2), now, made)) return made;
  if (take_rfc3164(rest, now, made) || take_speaker(rest, made, false)) return made;
  made.body = rest;
  return made;
}

std::optional<log_envelope> take_docker(std::string_view line, time_us now) {
  log_envelope made;
  std::optional<json_member> log;
  json_walk walk(line);
  while (const auto member = walk.next()) {
    if (member->kind != json_kind::string) continue;
    if (member->key == "log") {
      log = member;
    } else if (member->key == "stream") {
      made.lane = member->raw;
    } else if (member->key == "time") {
      made.time = time_of_line(member->raw, now);
    }
  }
  if (!log || (made.lane != "stdout" && made.lane != "stderr")) return std::nullopt;
  auto& text = made.unescaped.emplace(json_text(log->raw, max_opened_bytes));
  if (text.ends_with('\n')) {
    text.pop_back();
  } else {
    made.partial = text.size() >= least_docker_part && text.size() < max_opened_bytes;
  }
  return made;
}

/// A message that is no UTF-8 is an array of bytes.
std::string text_of(const json_member& member) {
  if (member.kind == json_kind::string) return json_text(member.raw, max_opened_bytes);
  std::string bytes;
  if (member.kind != json_kind::array) return bytes;
  int value = -1;
  for (const char c : member.raw) {
    if (is_digit(c)) {
      value = std::min(255, std::max(value, 0) * 10 + (c - '0'));
    } else if (value >= 0) {
      if (bytes.size() < max_opened_bytes) bytes.push_back(static_cast<char>(value));
      value = -1;
    }
  }
  return bytes;
}

std::optional<int> priority_of(std::string_view text) {
  if (text.size() != 1 || text[0] < '0' || text[0] > '7') return std::nullopt;
  return text[0] - '0';
}

std::optional<log_envelope> take_journal(std::string_view line, time_us now) {
  log_envelope made;
  std::optional<json_member> message;
  std::optional<int> priority;
  std::string_view unit;
  bool from_stdout = false;
  bool is_journal = false;
  json_walk walk(line);
  while (const auto member = walk.next()) {
    const auto key = member->key;
    is_journal = is_journal || key == "PRIORITY" || key.starts_with("__") ||
                 key == "SYSLOG_IDENTIFIER" || key.starts_with("_SYSTEMD_");
    if (key == "MESSAGE") message = member;
    if (key == "PRIORITY") priority = priority_of(member->raw);
    if (key == "SYSLOG_IDENTIFIER") made.tag = member->raw;
    if (key == "_SYSTEMD_UNIT") unit = member->raw;
    if (key == "_PID") made.lane = member->raw;
    if (key == "_TRANSPORT") from_stdout = member->raw == "stdout";
    if (key != "__REALTIME_TIMESTAMP") continue;
    made.time = time_of_line(member->raw, now);
  }
  if (!message || !is_journal) return std::nullopt;
  if (made.tag.empty()) made.tag = unit;
  if (made.lane.empty()) made.lane = made.tag;
  made.level = journal_severity(priority, from_stdout);
  made.unescaped = text_of(*message);
  return made;
}

}  // namespace

std::optional<log_envelope> take_envelope(std::string_view line, time_us now,
                                          const std::optional<leading_time>* time) {
  if (line.size() < 3) return std::nullopt;
  if (line[0] == '<') return take_priority(line, now);
  if (line[0] == '{') {
    if (holds(line, "\"stream\"")) {
      if (auto made = take_docker(line, now)) return made;
    }
    if (line.find('M') != line.npos && holds(line, "\"MESSAGE\"")) return take_journal(line, now);
    return std::nullopt;
  }
  if (is_digit(line[0])) {
    if (auto made = take_cri(line, now)) return made;
  } else if (!is_upper(line[0])) {
    return std::nullopt;
  }
  log_envelope made;
  if (!take_rfc3164(line, now, made, time)) return std::nullopt;
  return made;
}

std::optional<log_severity> journal_severity(std::optional<int> priority, bool from_stdout) {
  if (!priority || (from_stdout && *priority == 6)) return std::nullopt;
  return severity_from_syslog(*priority);
}

}  // namespace reeve::tasks
