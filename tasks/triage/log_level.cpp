#include "tasks/triage/log_level.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace reeve::tasks {
namespace {

using enum log_severity;

constexpr std::size_t max_head_bytes = 320;
constexpr int max_prose = 2;

enum : std::uint8_t {
  digit_bit = 1,
  upper_bit = 2,
  letter_bit = 4,
  word_bit = 8,
  end_bit = 16,  // of what begins with a digit
  bracket_bit = 32
};

constexpr auto classes = [] {
  std::array<std::uint8_t, 256> made{};
  for (unsigned c = '0'; c <= '9'; ++c) made[c] = digit_bit | word_bit;
  for (unsigned c = 'A'; c <= 'Z'; ++c) made[c] = upper_bit | letter_bit | word_bit;
  for (unsigned c = 'a'; c <= 'z'; ++c) made[c] = letter_bit | word_bit;
  made['_'] = word_bit;
  for (const char c : std::string_view(" []():|<>,\t"))
    made[static_cast<unsigned char>(c)] = end_bit;
  for (const unsigned char c : std::string_view("[]()")) made[c] = end_bit | bracket_bit;
  return made;
}();

bool is(char c, std::uint8_t bits) {
  return (classes[static_cast<unsigned char>(c)] & bits) != 0;
}
bool is_digit(char c) {
  return is(c, digit_bit);
}
bool is_upper(char c) {
  return is(c, upper_bit);
}
bool is_letter(char c) {
  return is(c, letter_bit);
}
bool is_word(char c) {
  return is(c, word_bit);
}

/// `shape` with '0' for a digit and 'A' for a letter, other characters as they are.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == '0'   ? is_digit(text[i])
                      : shape[i] == 'A' ? is_letter(text[i])
                                        : text[i] == shape[i];
    if (!fits) return false;
  }
  return true;
}

/// "03-17 16:13:38.811  1702  2395 D WindowManager: …" and "D/WindowManager( 1702): …".
std::optional<log_severity> logcat_letter(std::string_view line) {
  if (has_shape(line, "A/A")) {
    const auto paren = line.find('(');
    const auto close = line.find("): ");
    if (paren == line.npos || close == line.npos || close < paren || close - paren > 8)
      return std::nullopt;
    return severity_from_letter(line[0]);
  }
  if (!has_shape(line, "00-00 00:00:00.000 ")) return std::nullopt;
  const auto at = line.find_first_not_of(" 0123456789", 18);
  if (at == line.npos || at < 22 || line[at - 1] != ' ') return std::nullopt;
  return has_shape(line.substr(at), "A ") ? severity_from_letter(line[at]) : std::nullopt;
}

/// "1:M 01 Jan 2023 10:00:00.000 # …".
std::optional<log_severity> redis_sign(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos || colon == 0 || colon > 8 || !is_digit(line[0])) return std::nullopt;
  const auto rest = line.substr(colon + 1);
  if (!has_shape(rest, "A 00 AAA 0000 00:00:00.000 ") || rest.size() < 29 || rest[28] != ' ')
    return std::nullopt;
  switch (rest[27]) {
    case '#':
      return warning;
    case '*':
      return notice;
    case '-':
    case '.':
      return debug;
    default:
      return std::nullopt;
  }
}

/// "[E 10:00:00.000 NotebookApp] …", and "2023-01-01T10:00:00.000+0000 E NETWORK …".
std::optional<log_severity> lone_letter(std::string_view line) {
  if (has_shape(line, "[A 0")) return severity_from_letter(line[1]);
  const auto clock = line.substr(0, 32).find(':');
  if (clock == line.npos || clock < 2 || !has_shape(line.substr(clock - 2), "00:00:00"))
    return std::nullopt;
  auto at = line.find(' ', clock);
  if (at == line.npos || at > 40) return std::nullopt;
  const auto rest = line.substr(at + 1);
  if (rest.size() < 3 || rest[1] != ' ' || !is_letter(rest[2])) return std::nullopt;
  return severity_from_letter(rest[0]);
}

/// PostgreSQL's lines that explain the one before: they are no worse than they are.
bool explains_postgres(std::string_view word, std::string_view behind) {
  if (!behind.starts_with(":  ")) return false;
  for (const std::string_view one :
       {"DETAIL", "HINT", "STATEMENT", "CONTEXT", "QUERY", "LOCATION"}) {
    if (word == one) return true;
  }
  return false;
}

bool same_letters(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(), [](char a, char b) {
           return a == (is_upper(b) ? static_cast<char>(b - 'A' + 'a') : b);
         });
}

/// One word of a head with what is around it.
class head_word {
 public:
  head_word(std::string_view line, std::size_t begin, std::size_t end, int depth)
      : line_(line), begin_(begin), end_(end), in_brackets_(depth > 0) {}

  std::string_view text() const { return line_.substr(begin_, end_ - begin_); }
  char before() const { return begin_ == 0 ? ' ' : line_[begin_ - 1]; }
  char after() const { return end_ >= line_.size() ? ' ' : line_[end_]; }

  bool is_prose() const {
    const auto word = text();
    if (in_brackets_ || word.size() < 2 || before() != ' ') return false;
    if (!std::all_of(word.begin(), word.end(), is_letter)) return false;
    if (std::all_of(word.begin(), word.end(), is_upper)) return false;
    const char next = end_ + 1 < line_.size() ? line_[end_ + 1] : ' ';
    return after() == ' ' || ((after() == ',' || after() == '.') && next == ' ');
  }
  bool is_part_of_name() const {
    const char next = end_ + 1 < line_.size() ? line_[end_ + 1] : ' ';
    if (before() == '/' || before() == '-' || before() == '\\' || after() == '=') return true;
    if (after() == '/' && !in_brackets_) return true;
    if (after() == '-' && is_letter(next)) return true;
    if (before() == '.' && !(after() == ':' && is_capital())) return true;
    return after() == '.' && next != ' ';
  }
  bool is_capital() const {
    const auto word = text();
    return std::all_of(word.begin(), word.end(),
                       [](char c) { return !is_letter(c) || is_upper(c); });
  }
  bool stands_as_capital() const { return is_capital() && !same_letters(text(), "note"); }
  bool is_boxed() const {
    const auto left = line_.substr(0, begin_).find_last_not_of(' ');
    const auto right = line_.find_first_not_of(' ', end_);
    const char open = left == line_.npos ? ' ' : line_[left];
    const char close = right == line_.npos ? ' ' : line_[right];
    if (open == '[') return close == ']' || after() == ':';
    if (before() == ':' && close == ']' && in_brackets_) return true;
    return (before() == '<' && after() == '>') || (before() == '(' && after() == ')') ||
           open == '|' || close == '|';
  }
  /// Behind a time, which ends in a digit, a comma or "Z".
  bool is_column() const {
    if (before() == '\t' && after() == '\t') return true;
    if (!line_.substr(end_).starts_with("  ") || begin_ < 9) return false;
    const auto end = line_.substr(0, begin_).find_last_not_of(' ');
    if (end == line_.npos) return false;
    const char last = line_[end];
    return is_digit(last) || last == ',' || last == 'Z' || last == ']';
  }
  bool has_colon() const {
    const char next = end_ + 1 < line_.size() ? line_[end_ + 1] : ' ';
    return after() == ':' && next != '/' && next != ':' && !same_letters(text(), "log");
  }
  std::size_t begin() const { return begin_; }
  std::string_view behind() const { return line_.substr(std::min(end_, line_.size())); }

 private:
  std::string_view line_;
  std::size_t begin_;
  std::size_t end_;
  bool in_brackets_;
};

std::optional<log_severity> level_of(const head_word& word, int prose) {
  const auto text = word.text();
  if (prose == 0 && same_letters(text, "fatal") && same_letters(word.behind(), " error"))
    return fatal;
  if (explains_postgres(text, word.behind())) return info;
  const auto severity = severity_from_word(text);
  if (!severity || word.is_part_of_name()) return std::nullopt;
  if (word.stands_as_capital() || word.is_boxed()) return severity;
  if (prose == 0 && (word.has_colon() || word.is_column())) return severity;
  return std::nullopt;
}

}  // namespace

std::optional<log_severity> level_of_head(std::string_view line) {
  if (const auto found = klog_severity(line)) return found;
  if (const auto found = logcat_letter(line)) return found;
  if (const auto found = redis_sign(line)) return found;
  const auto head = line.substr(0, max_head_bytes);
  int prose = 0;
  int depth = 0;
  for (std::size_t at = 0; at < head.size();) {
    const char c = head[at];
    if (!is_letter(c)) {
      if (is(c, bracket_bit)) {
        if (c == '[' || c == '(') ++depth;
        if ((c == ']' || c == ')') && depth > 0) --depth;
      }
      ++at;
      // The digits of "0ms" begin a word as well; it is none of letters.
      while (is_digit(c) && at < head.size() && !is(head[at], end_bit)) ++at;
      continue;
    }
    const auto begin = at;
    while (at < head.size() && is_word(head[at])) ++at;
    if (at < head.size() && head[at] == '!') ++at;
    const head_word word(line, begin, at, depth);
    if (const auto found = level_of(word, prose)) {
      // "Backup failed (info)" has said already what it is.
      if (prose == 0 || *found > severity_of_words(line.substr(0, begin))) return found;
    }
    if (word.is_prose() && ++prose > max_prose) break;
  }
  return lone_letter(line);
}

std::optional<log_severity> level_between_tabs(std::string_view line) {
  line = line.substr(0, max_head_bytes);
  for (auto tab = line.find('\t'); tab != line.npos; tab = line.find('\t', tab + 1)) {
    const auto end = line.find('\t', tab + 1);
    if (end == line.npos) return std::nullopt;
    if (const auto found = severity_from_word(line.substr(tab + 1, end - tab - 1))) return found;
    // The level comes first or second; a table of other things is none.
    if (tab > 48) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace reeve::tasks
