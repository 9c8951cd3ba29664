#include "tasks/triage/log_time_head.hpp"

#include "tasks/triage/log_severity.hpp"
#include "tasks/triage/log_time_text.hpp"

#include <algorithm>
#include <iterator>

namespace reeve::tasks {
namespace {

constexpr std::size_t max_name_bytes = 64;
constexpr std::size_t max_level_bytes = 13;

bool is_space(char c) {
  return c == ' ' || c == '\t';
}
bool is_name_part(char c) {
  return time_text::is_letter(c) || time_text::is_digit(c) || c == '.' || c == '_' || c == '-' ||
         c == '/' || c == '$';
}

char char_in(std::string_view text, std::size_t at) {
  return at < text.size() ? text[at] : '\0';
}

std::size_t behind_name(std::string_view text, std::size_t at) {
  const auto most = at + max_name_bytes;
  while (at < most && is_name_part(char_in(text, at))) ++at;
  return at;
}

std::size_t behind_spaces(std::string_view text, std::size_t at) {
  const auto most = at + max_name_bytes;
  while (at < most && is_space(char_in(text, at))) ++at;
  return at;
}

/// Behind a level or a bracket: ":", "-" or "|" may follow, and spaces.
std::size_t behind_sign(std::string_view text, std::size_t at) {
  if (char_in(text, at) == ':') ++at;
  at = behind_spaces(text, at);
  const char sign = char_in(text, at);
  const bool is = (sign == '-' || sign == '|') && is_space(char_in(text, at + 1));
  return is ? behind_spaces(text, at + 1) : at;
}

bool names_level(std::string_view word) {
  if (word.size() == 1) return severity_from_letter(word[0]).has_value();
  return severity_from_word(word).has_value();
}

/// Where a time or a further part may begin: a digit, the capital of a month, a day or a level, a
/// bracket. Most lines are told by this one character.
bool may_go_on(char c) {
  return time_text::is_digit(c) || (c >= 'A' && c <= 'W') || c == '[';
}

std::size_t bracket_size(std::string_view text) {
  if (char_in(text, 2) == ' ' && names_level(text.substr(1, 1))) return 3;
  const auto close = text.substr(0, max_name_bytes).find(']');
  return close == text.npos ? 0 : behind_sign(text, close + 1);
}

bool is_capital(std::string_view word) {
  return std::none_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

/// '0' stands for a digit, other characters for themselves.
bool begins_as(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  return std::equal(shape.begin(), shape.end(), text.begin(), [](char want, char is) {
    return want == '0' ? time_text::is_digit(is) : is == want;
  });
}

/// winston's "info 2026-11-21T04:20:00.123Z lost".
bool may_be_winston(std::string_view level, std::string_view rest) {
  constexpr std::string_view names[] = {"error", "warn",    "info", "http",
                                        "debug", "verbose", "silly"};
  return begins_as(rest, "0000-00-00T00:00:00.000Z") &&
         std::find(std::begin(names), std::end(names), level) != std::end(names);
}

/// In capitals a level may stand before a time as it is, as it may for log_level.hpp; in other
/// cases it is a word of prose ("error 2026-11-21 10:00 was when it broke"), unless a sign, a
/// bracket, a tab or a second space sets it apart.
std::size_t level_size(std::string_view text, std::size_t word) {
  const char next = char_in(text, word);
  if (word > max_level_bytes || (next != ':' && !is_space(next))) return 0;
  auto end = behind_sign(text, word);
  if (next == ':' && end == word + 1) {
    const auto name = behind_name(text, end);
    if (name > end && char_in(text, name) == ':') end = name + 1;
  }
  // A word is looked up only where there may be a use for it.
  const bool is_cell = text.substr(word, end - word).find('|') != text.npos;
  if (!may_go_on(char_in(text, end)) && !is_cell) return 0;
  if (!names_level(text.substr(0, word))) return 0;
  const bool is_apart = next != ' ' || end > word + 1 || char_in(text, end) == '[' ||
                        may_be_winston(text.substr(0, word), text.substr(end));
  return is_apart || is_capital(text.substr(0, word)) ? end : 0;
}

/// Spaces, and one behind the line. A name without a letter is a number in a table.
std::size_t speaker_size(std::string_view text, std::size_t word) {
  const auto name = behind_name(text, word);
  const auto line = behind_spaces(text, name);
  if (line == name || char_in(text, line) != '|' || char_in(text, line + 1) != ' ') return 0;
  const auto is_named = std::any_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(name),
                                    time_text::is_letter);
  return is_named ? line + 2 : 0;
}

}  // namespace

head_part head_part_of(std::string_view text) {
  const char first = char_in(text, 0);
  if (first == '[') {
    const auto word = text.substr(1, text.substr(1, max_level_bytes + 1).find(']'));
    const bool is_level = word.size() <= max_level_bytes && is_capital(word) && names_level(word);
    return {bracket_size(text), false, is_level};
  }
  if (!time_text::is_letter(first) && !time_text::is_digit(first)) return {};
  std::size_t word = 0;
  while (word <= max_level_bytes && time_text::is_letter(char_in(text, word))) ++word;
  // Ruby has an A for what has no level.
  if (word == 1 && text.substr(1).starts_with(", [") && (first == 'A' || names_level({&first, 1})))
    return {3, false};
  if (word > 0) {
    const auto level = level_size(text, word);
    if (level > 0) return {level, false, is_capital(text.substr(0, word))};
  }
  const auto speaker = speaker_size(text, word);
  return {speaker, speaker > 0};
}

bool is_cell_behind_speaker(std::string_view rest) {
  constexpr int most_cells = 4;
  auto at = behind_spaces(rest, 0);
  if (at == rest.size()) return true;
  if (rest[at] != '|') return false;
  for (int cells = 0; cells < most_cells && char_in(rest, at) == '|'; ++cells) {
    at = behind_spaces(rest, at + 1);
    auto end = at;
    while (end <= at + max_level_bytes && time_text::is_letter(char_in(rest, end))) ++end;
    // The first of them may go on behind its level; further ones are a level or none.
    const bool is_whole = cells == 0 || char_in(rest, behind_spaces(rest, end)) == '|';
    if (is_whole && names_level(rest.substr(at, end - at))) return false;
    at = std::min(rest.size(), rest.substr(0, at + max_name_bytes).find('|', at));
  }
  return true;
}

bool begins_with_iso_day(std::string_view text) {
  return begins_as(text, "0000-00-00T");
}

}  // namespace reeve::tasks
