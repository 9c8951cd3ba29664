#include "tasks/triage/log_severity.hpp"

#include "tasks/triage/log_record.hpp"

#include <algorithm>
#include <cstddef>

namespace reeve::tasks {
namespace {

using enum log_severity;

struct level_word {
  std::string_view word;
  log_severity severity;
};

constexpr level_word level_words[] = {
    {"trace", debug},     {"debug", debug},  {"dbg", debug},     {"verbose", debug},
    {"fine", debug},      {"finest", debug}, {"info", info},     {"information", info},
    {"inf", info},        {"log", info},     {"notice", notice}, {"warn", warning},
    {"warning", warning}, {"wrn", warning},  {"error", error},   {"err", error},
    {"err!", error},      {"severe", error}, {"eror", error},    {"critical", fatal},
    {"crit", fatal},      {"alert", fatal},  {"emerg", fatal},   {"emergency", fatal},
    {"fatal", fatal},     {"panic", fatal},  {"ftl", fatal},     {"10", debug},
    {"20", debug},        {"30", info},      {"40", warning},    {"50", error},
    {"60", fatal}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// A level word near the start counts if it stands out: in capitals ("ERROR"), in brackets
/// ("[error]"), before a colon ("error:") or between bars. Ordinary prose does none of these.
std::optional<log_severity> level_word_near_start(std::string_view line) {
  line = line.substr(0, 120);
  std::size_t words = 0;
  for (std::size_t at = 0; at < line.size() && words < 8;) {
    if (!is_letter(line[at])) {
      ++at;
      continue;
    }
    const auto begin = at;
    while (at < line.size() && (is_letter(line[at]) || is_digit(line[at]) || line[at] == '_')) ++at;
    if (at < line.size() && line[at] == '!') ++at;
    ++words;
    const auto word = line.substr(begin, at - begin);
    const auto severity = severity_from_word(word);
    if (!severity) continue;
    const char before = begin == 0 ? ' ' : line[begin - 1];
    const char after = at == line.size() ? ' ' : line[at];
    if (before == '/' || before == '.' || before == '-' || after == '=' || after == '/') continue;
    if (after == '.' && at + 1 < line.size() && line[at + 1] != ' ') continue;
    const bool capitals =
        std::all_of(word.begin(), word.end(), [](char c) { return !is_letter(c) || is_upper(c); });
    const bool boxed = (before == '[' && (after == ']' || after == ':')) ||
                       (before == '<' && after == '>') || (before == '(' && after == ')') ||
                       (before == '|' || after == '|');
    // "level 3 error: x" is one, "see the log: x" is not.
    const bool colon = after == ':' && lower(word) != "log";
    if (capitals || boxed || (colon && words <= 4)) return severity;
  }
  return std::nullopt;
}

struct marker {
  std::string_view text;
  log_severity severity;
};

// Lower case; the worst one found counts.
constexpr marker markers[] = {{"panic:", fatal},
                              {"kernel panic", fatal},
                              {"' panicked at", fatal},
                              {"fatal error", fatal},
                              {"out of memory", fatal},
                              {"oom-kill", fatal},
                              {"oomkilled", fatal},
                              {"outofmemoryerror", fatal},
                              {"segmentation fault", fatal},
                              {"segfault", fatal},
                              {"sigsegv", fatal},
                              {"sigabrt", fatal},
                              {"core dumped", fatal},
                              {"terminate called", fatal},
                              {"stack smashing", fatal},
                              {"addresssanitizer", fatal},
                              {"traceback (most recent call last)", error},
                              {"unhandled", error},
                              {"uncaught", error},
                              {"exception", error},
                              {"stack trace", error},
                              {"assertion failed", error},
                              {"no space left on device", error},
                              {"permission denied", error},
                              {"connection refused", error},
                              {"failed", error},
                              {"failure", error},
                              {"error", error},
                              {"cannot ", warning},
                              {"unable to", warning},
                              {"denied", warning},
                              {"refused", warning},
                              {"timed out", warning},
                              {"timeout", warning},
                              {"unreachable", warning},
                              {"retrying", warning},
                              {"deprecated", warning},
                              {"warning", warning}};

/// "0 errors", "no failures", "errors=0", "error: null", "without error".
bool is_negated(std::string_view text, std::size_t at, std::size_t size) {
  const auto before = text.substr(0, at);
  for (const std::string_view word : {" 0 ", " no ", " without ", "zero ", " any ", "not "}) {
    if (before.ends_with(word) || before == word.substr(1)) return true;
  }
  auto after = text.substr(at + size);
  while (!after.empty() && (is_letter(after[0]) || after[0] == '"')) after.remove_prefix(1);
  if (after.empty() || (after[0] != '=' && after[0] != ':')) return false;
  after.remove_prefix(1);
  while (!after.empty() && (after[0] == ' ' || after[0] == '"')) after.remove_prefix(1);
  for (const std::string_view nothing : {"0", "null", "none", "nil", "false"}) {
    if (!after.starts_with(nothing)) continue;
    const auto rest = after.substr(nothing.size());
    if (rest.empty() || !(is_letter(rest[0]) || is_digit(rest[0]) || rest[0] == '.')) return true;
  }
  return false;
}

log_severity severity_of_words(std::string_view line) {
  const auto text = lower(line);
  auto worst = unknown;
  for (const auto& one : markers) {
    if (one.severity <= worst) continue;
    for (auto at = text.find(one.text); at != text.npos; at = text.find(one.text, at + 1)) {
      if (is_negated(text, at, one.text.size())) continue;
      worst = one.severity;
      break;
    }
  }
  return worst;
}

/// An access log: '"GET / HTTP/1.1" 503 '.
std::optional<log_severity> http_status(std::string_view line) {
  const auto http = line.find(" HTTP/");
  if (http == line.npos) return std::nullopt;
  const auto quote = line.find('"', http);
  if (quote == line.npos || quote > http + 12 || quote + 5 > line.size()) return std::nullopt;
  const auto status = line.substr(quote + 1, 4);
  if (status[0] != ' ' || !is_digit(status[2]) || !is_digit(status[3])) return std::nullopt;
  switch (status[1]) {
    case '5':
      return error;
    case '4':
      return status == " 401" || status == " 403" || status == " 429" ? warning : notice;
    case '1':
    case '2':
    case '3':
      return info;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<log_severity> severity_from_word(std::string_view word) {
  if (word.size() > 12) return std::nullopt;
  const auto text = lower(word);
  for (const auto& one : level_words) {
    if (one.word == text) return one.severity;
  }
  return std::nullopt;
}

log_severity severity_from_syslog(int number) {
  static constexpr log_severity by_number[] = {fatal,   fatal,  fatal, error,
                                               warning, notice, info,  debug};
  return number >= 0 && number < 8 ? by_number[number] : unknown;
}

/// RFC 5424 section 6.2.1.
std::optional<log_severity> severity_of_priority(std::string_view line) {
  if (line.size() < 3 || line[0] != '<') return std::nullopt;
  std::size_t at = 1;
  int priority = 0;
  while (at < line.size() && at < 4 && is_digit(line[at]))
    priority = priority * 10 + line[at++] - '0';
  if (at == 1 || at >= line.size() || line[at] != '>' || priority > 191) return std::nullopt;
  return severity_from_syslog(priority % 8);
}

std::optional<log_severity> klog_severity(std::string_view line) {
  if (line.size() < 8 || !std::all_of(line.begin() + 1, line.begin() + 5, is_digit))
    return std::nullopt;
  if (line[5] != ' ' || !is_digit(line[6]) || !is_digit(line[7])) return std::nullopt;
  if (line.size() > 8 && line[8] != ':') return std::nullopt;
  switch (line[0]) {
    case 'I':
      return info;
    case 'W':
      return warning;
    case 'E':
      return error;
    case 'F':
      return fatal;
    default:
      return std::nullopt;
  }
}

std::optional<log_severity> explicit_severity(std::string_view line) {
  if (const auto found = severity_of_priority(line)) return found;
  if (const auto found = klog_severity(line)) return found;
  auto structured = read_json_line(line);
  if (!structured) structured = read_logfmt_line(line);
  if (structured) return severity_from_word(structured->level);
  return level_word_near_start(line);
}

log_severity severity_of(std::string_view line) {
  if (const auto found = explicit_severity(line)) return *found;
  if (const auto found = http_status(line)) return *found;
  return severity_of_words(line);
}

}  // namespace reeve::tasks
