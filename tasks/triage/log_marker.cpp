#include "tasks/triage/log_marker.hpp"

#include <algorithm>

namespace reeve::tasks {
namespace {

// Behind "error_", "error-" or "error ": what makes of it the name of a number or of a text.
constexpr std::string_view told_words[] = {"count", "counts", "rate",   "ratio",   "total",
                                           "found", "code",   "number", "message", "msg",
                                           "type",  "reason", "detail", "details", "text"};
constexpr std::string_view nothing_words[] = {"null", "none", "nil",  "false",
                                              "[]",   "{}",   "\"\"", "''"};
// What is counted: "with 0 errors". Of other markers a number before them may be a name's.
constexpr std::string_view counted_words[] = {"error",     "failure", "warning",
                                              "exception", "timeout", "fault"};
// What stands before a count and not before a number that is a name.
constexpr std::string_view count_words[] = {"with", "and",   "found", "had",  "has", "have", "but",
                                            "only", "total", "are",   "were", "got", "or"};
constexpr std::string_view switch_words[] = {"true", "yes", "on", "off", "no"};

bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}
bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_alphabetic(char c) {
  return is_small(c) || is_capital(c);
}
bool is_in_word(char c) {
  return is_alphabetic(c) || is_decimal(c);
}

/// Whether the text begins with one of the words, as a whole one.
template <std::size_t N>
std::size_t size_of_first(std::string_view text, const std::string_view (&words)[N]) {
  for (const auto word : words) {
    if (!marker_stands_at(text, 0, word)) continue;
    if (text.size() == word.size() || !is_alphabetic(word.back())) return word.size();
    const char next = text[word.size()];
    if (!is_in_word(next) && next != '.') return word.size();
  }
  return 0;
}

/// Without the characters at the start that `is` is true of, at most so many: markers may stand
/// close together, and each would look at all that follows.
template <class F>
std::string_view behind_all(std::string_view text, F is) {
  constexpr std::size_t looked_at = 32;
  std::size_t at = 0;
  while (at < std::min(text.size(), looked_at) && is(text[at])) ++at;
  return text.substr(at);
}

/// "_count=3" is "=3", " rate: 1" is ": 1"; else the text as it is.
std::string_view behind_told_word(std::string_view text) {
  if (text.empty() || (text[0] != '_' && text[0] != '-' && text[0] != ' ')) return text;
  const auto size = size_of_first(text.substr(1), told_words);
  return size == 0 ? text : text.substr(1 + size);
}

/// What stands behind a name as its value: "=3", "\": 3", ": text". Empty if it has none.
std::string_view value_behind(std::string_view text) {
  text = behind_all(text, [](char c) { return c == '"' || c == '\''; });
  if (text.empty() || (text[0] != '=' && text[0] != ':')) return {};
  return behind_all(text.substr(1), [](char c) { return c == ' '; });
}

bool is_fraction(std::string_view text) {
  return text.size() > 1 && text[0] == '.' && is_decimal(text[1]);
}

/// "0", "0.00%", "0/12", but not "0.5", "0x1", "05" and "0.0.0.0".
bool is_zero(std::string_view text) {
  if (text.empty() || text[0] != '0') return false;
  auto rest = text.substr(1);
  if (is_fraction(rest)) rest = behind_all(rest.substr(1), [](char c) { return c == '0'; });
  return rest.empty() || !(is_in_word(rest[0]) || is_fraction(rest));
}

/// "worker 0 failed": `before` ends behind the word, `marker` begins with the marker.
bool is_number_of_name(std::string_view before, std::string_view marker) {
  for (const auto word : counted_words) {
    if (marker_stands_at(marker, 0, word)) return false;
  }
  if (!before.ends_with(' ')) return false;
  before.remove_suffix(1);
  if (before.empty() || !is_alphabetic(before.back())) return false;
  for (const auto word : count_words) {
    if (before.size() < word.size()) continue;
    const auto begin = before.size() - word.size();
    const bool is_whole = begin == 0 || !is_in_word(before[begin - 1]);
    if (is_whole && marker_stands_at(before, begin, word)) return false;
  }
  return true;
}

/// "0 errors", "(no failures)", "without error".
bool is_denied_before(std::string_view before, std::string_view marker) {
  if (!before.ends_with(' ')) return false;
  for (const std::string_view word : {"0 ", "no ", "without ", "zero ", "any ", "not "}) {
    if (before.size() < word.size()) continue;
    const auto begin = before.size() - word.size();
    if (!marker_stands_at(before, begin, word)) continue;
    const char prior = begin == 0 ? ' ' : before[begin - 1];
    if (is_in_word(prior) || prior == '.' || prior == ',') continue;
    if (word == "0 " && is_number_of_name(before.substr(0, begin), marker)) continue;
    return true;
  }
  return false;
}

/// Nothing follows the value, or something that is none of it: "errors: none, 3 left",
/// "error: null code: 3", but not "failed: none of them answered".
bool is_end_of_value(std::string_view rest, bool is_assigned) {
  if (rest.empty() || rest[0] != ' ' || is_assigned) return true;
  rest = behind_all(rest, [](char c) { return c == ' '; });
  const auto token = rest.substr(0, rest.find(' '));
  return token.empty() || !is_in_word(token[0]) ||
         token.find_first_of(":=") != std::string_view::npos;
}

bool is_nothing(std::string_view value, bool is_assigned) {
  const auto size = size_of_first(value, nothing_words);
  return size > 0 && is_end_of_value(value.substr(size), is_assigned);
}

/// "errors=0", "error: null", "error count: 0", "\"errors\": []", "errors 0". `after` is behind the
/// letters of the marker's word.
bool is_denied_behind(std::string_view after) {
  if (after.starts_with(' ') && is_zero(after.substr(1))) return true;
  after = behind_told_word(after);
  const bool is_assigned = after.starts_with('=') || after.starts_with("\":");
  after = value_behind(after);
  if (is_nothing(after, is_assigned)) return true;
  const bool is_quoted = after.starts_with('"') || after.starts_with('\'');
  after = behind_all(after, [](char c) { return c == '"' || c == '\''; });
  return is_zero(after) || (is_quoted && is_nothing(after, true));
}

/// "errors.py", "error_user", "failed-login", "error2". What follows an upper-case marker as part
/// of a code ("ERROR_FILE_NOT_FOUND") leaves it what it is.
bool is_start_of_name(std::string_view after, bool capitals) {
  if (after.empty()) return false;
  if (is_decimal(after[0])) return !capitals;
  if (after.size() < 2) return false;
  if (after[0] == '.') return is_small(after[1]);
  if (after[0] != '_' && after[0] != '-') return false;
  return is_alphabetic(after[1]) && !capitals && value_behind(behind_told_word(after)).empty();
}

/// ": it broke", but not ": 30s" and ": true", which is what a setting looks like.
bool says_text(std::string_view after) {
  if (!after.starts_with(": ")) return false;
  after.remove_prefix(2);
  return !after.empty() && !is_decimal(after[0]) && size_of_first(after, switch_words) == 0;
}

bool says_number(std::string_view after) {
  const auto value = behind_all(value_behind(after), [](char c) { return c == '"'; });
  return !value.empty() && is_decimal(value[0]) && value[0] != '0';
}

/// "thiserror", "-Werror", "/api/errors", "on_error"; at > 0, and the marker begins with a small
/// letter.
bool is_end_of_name(std::string_view line, std::size_t at, std::string_view after,
                    const severity_marker& marker) {
  const char c = line[at - 1];
  const char prior = at > 1 ? line[at - 2] : ' ';
  const bool is_bad = marker.severity >= log_severity::error;
  // "\nerror": an escape that nobody has read.
  if (is_alphabetic(c)) return !(prior == '\\' && (c == 'n' || c == 'r' || c == 't'));
  switch (c) {
    case '/':
    case '\\':
    case '?':
    case '&':
      return true;
    case '.':
      // "Connecting...failed", "psycopg2.errors.UniqueViolation".
      if (prior == '.' || (after.size() > 1 && after[0] == '.' && is_capital(after[1])))
        return false;
      return !(is_bad && says_text(after));
    case '-':
      return !(is_bad && says_text(after));
    case '_':
      // "auth_failed" tells what happened, "on_error" and "read_timeout" what there is.
      if (marker.text.ends_with("ed") && marker.text != "deprecated") return false;
      return !(is_bad && (says_text(after) || says_number(after)));
    default:
      return false;
  }
}

}  // namespace

bool marker_stands_at(std::string_view line, std::size_t at, std::string_view lower_text) {
  if (line.size() - at < lower_text.size()) return false;
  for (std::size_t i = 0; i < lower_text.size(); ++i) {
    const char c = line[at + i];
    if ((is_capital(c) ? static_cast<char>(c - 'A' + 'a') : c) != lower_text[i]) return false;
  }
  return true;
}

bool marker_counts(std::string_view line, std::size_t at, const severity_marker& marker) {
  if (is_denied_before(line.substr(0, at), line.substr(at))) return false;
  auto after = line.substr(at + marker.text.size());
  if (is_alphabetic(marker.text.back())) {
    after = behind_all(after, is_alphabetic);
    const bool capitals = is_capital(line[at]) && is_capital(line[at + 1]);
    if (is_denied_behind(after) || is_start_of_name(after, capitals)) return false;
  }
  return at == 0 || !is_small(line[at]) || !is_end_of_name(line, at, after, marker);
}

}  // namespace reeve::tasks
