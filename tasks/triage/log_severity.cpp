#include "tasks/triage/log_severity.hpp"

#include "tasks/triage/log_access.hpp"
#include "tasks/triage/log_level.hpp"
#include "tasks/triage/log_marker.hpp"
#include "tasks/triage/log_structured.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

namespace reeve::tasks {
namespace {

using enum log_severity;

struct level_word {
  std::string_view word;
  log_severity severity = unknown;
};

constexpr level_word level_words[] = {
    {"trace", debug},        {"trce", debug},    {"debug", debug},  {"dbug", debug},
    {"dbg", debug},          {"verbose", debug}, {"vrb", debug},    {"fine", debug},
    {"finer", debug},        {"finest", debug},  {"info", info},    {"information", info},
    {"informational", info}, {"inf", info},      {"log", info},     {"note", info},
    {"success", info},       {"notice", notice}, {"warn", warning}, {"warning", warning},
    {"wrn", warning},        {"error", error},   {"err", error},    {"err!", error},
    {"fail", error},         {"severe", error},  {"eror", error},   {"critical", fatal},
    {"crit", fatal},         {"alert", fatal},   {"emerg", fatal},  {"emergency", fatal},
    {"fatal", fatal},        {"panic", fatal},   {"ftl", fatal},    {"debug1", debug},
    {"debug2", debug},       {"debug3", debug},  {"debug4", debug}, {"debug5", debug}};

/// The level words by their first letter: those of a letter end where those of the next begin.
struct words_by_letter {
  std::array<level_word, std::size(level_words)> words{};
  std::array<std::uint8_t, 27> begin{};
};
constexpr auto sorted_words = [] {
  words_by_letter made{};
  std::size_t at = 0;
  for (std::size_t letter = 0; letter < 26; ++letter) {
    made.begin[letter] = static_cast<std::uint8_t>(at);
    for (const auto& one : level_words) {
      if (one.word[0] == static_cast<char>('a' + letter)) made.words[at++] = one;
    }
  }
  made.begin[26] = static_cast<std::uint8_t>(at);
  return made;
}();

/// Sizes of the level words that begin with each letter, one bit a size: most words of a line fail
/// this test.
constexpr auto level_sizes = [] {
  std::array<std::uint16_t, 26> made{};
  for (const auto& one : level_words) {
    auto& bits = made[static_cast<std::size_t>(one.word[0] - 'a')];
    bits = static_cast<std::uint16_t>(bits | 1U << one.word.size());
  }
  return made;
}();

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

char lower_case(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

// Lower case; the worst one found counts.
constexpr severity_marker markers[] = {{"panic:", fatal},
                                       {"kernel panic", fatal},
                                       {" panicked at ", fatal},
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
                                       {"panic serving", error},
                                       {"crashed", error},
                                       {"killed process ", error},
                                       {"command not found", error},
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

constexpr std::size_t no_marker = std::size(markers);

/// Five bits of a character, the same for both cases of a letter.
constexpr std::size_t bits_of(char c) {
  return static_cast<unsigned char>(c) & 31U;
}

/// For each two characters the first marker that may begin with them; the table of those after it
/// with the same ones. A line is so looked at once, whatever the number of markers.
struct marker_index {
  std::array<std::uint8_t, 1024> first{};
  std::array<std::uint8_t, no_marker> next{};
};

constexpr marker_index make_index() {
  marker_index made{};
  made.first.fill(no_marker);
  made.next.fill(no_marker);
  for (std::size_t i = no_marker; i-- > 0;) {
    const auto at = bits_of(markers[i].text[0]) * 32 + bits_of(markers[i].text[1]);
    made.next[i] = made.first[at];
    made.first[at] = static_cast<std::uint8_t>(i);
  }
  return made;
}
constexpr marker_index index_of_markers = make_index();

/// "sh: 1: foo: not found": of a shell, whose line has no other word for it.
bool is_shell_without_command(std::string_view line) {
  if (!line.ends_with(": not found")) return false;
  const auto name = line.substr(0, line.find(": "));
  const auto file = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
  return file == "sh" || file == "ash" || file == "dash" || file == "bash" ||
         (file.ends_with(".sh") && file.find(' ') == file.npos);
}

}  // namespace

std::optional<log_severity> severity_from_word(std::string_view word) {
  constexpr std::size_t longest = 13;
  if (word.size() < 3 || word.size() > longest || !is_letter(word[0])) return std::nullopt;
  const auto letter = static_cast<std::size_t>(lower_case(word[0]) - 'a');
  if ((level_sizes[letter] >> word.size() & 1U) == 0) return std::nullopt;
  for (auto i = sorted_words.begin[letter]; i < sorted_words.begin[letter + 1]; ++i) {
    const auto& one = sorted_words.words[i];
    if (one.word.size() == word.size() && marker_stands_at(word, 0, one.word)) return one.severity;
  }
  return std::nullopt;
}

std::optional<log_severity> severity_from_letter(char letter) {
  switch (letter) {
    case 'V':
    case 'T':
    case 'D':
      return debug;
    case 'I':
      return info;
    case 'N':
      return notice;
    case 'W':
      return warning;
    case 'E':
      return error;
    case 'C':
    case 'F':
      return fatal;
    default:
      return std::nullopt;
  }
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
  if (line[5] != ' ') {
    if (!std::all_of(line.begin() + 5, line.begin() + 8, is_digit)) return std::nullopt;
    // The year stands before the month: the rest is as if it did not.
    if (line.size() < 12 || !is_digit(line[8])) return std::nullopt;
  }
  const auto rest = line.substr(line[5] == ' ' ? 5 : 9);
  if (rest[0] != ' ' || !is_digit(rest[1]) || !is_digit(rest[2])) return std::nullopt;
  if (rest.size() > 3 && rest[3] != ':') return std::nullopt;
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

log_severity severity_of_words(std::string_view line) {
  auto worst = unknown;
  for (std::size_t at = 0; at + 1 < line.size(); ++at) {
    auto i = index_of_markers.first[bits_of(line[at]) * 32 + bits_of(line[at + 1])];
    for (; i != no_marker; i = index_of_markers.next[i]) {
      const auto& one = markers[i];
      if (one.severity <= worst || !marker_stands_at(line, at, one.text)) continue;
      if (!marker_counts(line, at, one)) continue;
      worst = one.severity;
      if (worst == fatal) return worst;
    }
  }
  return worst < error && is_shell_without_command(line) ? error : worst;
}

std::optional<log_severity> explicit_severity(std::string_view line) {
  if (const auto found = severity_of_priority(line)) return found;
  if (const auto structured = read_structured_line(line)) return structured->level;
  return level_of_head(line);
}

log_severity severity_of(std::string_view line) {
  if (const auto found = severity_of_priority(line)) return *found;
  if (const auto structured = read_structured_line(line))
    return severity_of_structured(*structured);
  return severity_of_text(line, level_of_head(line));
}

log_severity severity_of_text(std::string_view line, std::optional<log_severity> level) {
  if (level && *level >= warning) return *level;
  // What writes access logs says "info" of every request.
  const auto access = severity_of_access(line);
  if (access && (!level || *access == error)) return *access;
  return level ? *level : severity_of_words(line);
}

}  // namespace reeve::tasks
