#include "tasks/triage/log_mask_time.hpp"

#include "tasks/triage/log_calendar.hpp"
#include "tasks/triage/log_mask_chars.hpp"
#include "tasks/triage/log_time_text.hpp"

#include <algorithm>

namespace reeve::tasks {
namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && is_digit(text[at]);
}
char char_at(std::string_view text, std::size_t at) {
  return at < text.size() ? text[at] : '\0';
}

/// '0' stands for a digit, other characters for themselves.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == '0' ? !is_digit(text[i]) : text[i] != shape[i]) return false;
  }
  return true;
}

/// Two digits as a number.
int pair_at(std::string_view text, std::size_t at) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

/// "Nov", and where any case will do, "NOV".
std::size_t month_size(std::string_view text, bool any_case = false) {
  time_text in(text);
  return in.month(any_case) ? in.at() : 0;
}

/// One or two digits, also behind a further space: the day of a month.
std::size_t day_size(std::string_view text) {
  const std::size_t begin = text.starts_with(' ') ? 1 : 0;
  const auto end = digits_from(text, begin);
  return end > begin && end - begin <= 2 ? end : 0;
}

/// A fraction behind a time of day: ".123", ",123", ":606", ":6".
std::size_t fraction_end(std::string_view text, std::size_t at) {
  const char c = char_at(text, at);
  if (c != '.' && c != ',' && c != ':') return at;
  const auto end = digits_from(text, at + 1);
  if (c == ':' && end > at + 4) return at;
  return end > at + 1 ? end : at;
}

/// "PM", also behind a space, and behind one that does not break (U+00A0, U+202F).
std::size_t half_of_day_end(std::string_view text, std::size_t at) {
  const auto next = static_cast<unsigned char>(char_at(text, at));
  std::size_t space = next == ' ' ? 1 : 0;
  if (next == 0xC2 && text.substr(at).starts_with("\xC2\xA0")) space = 2;
  if (next == 0xE2 && text.substr(at).starts_with("\xE2\x80\xAF")) space = 3;
  const char first = char_at(text, at + space);
  const char second = char_at(text, at + space + 1);
  const bool is = ((first == 'A' || first == 'P') && second == 'M') ||
                  ((first == 'a' || first == 'p') && second == 'm');
  return is && !word_at(text, at + space + 2) ? at + space + 2 : at;
}

/// "4:20:00", "04:20:00.123", "04:20", "4:20 PM".
std::size_t clock_size(std::string_view text) {
  const auto hours = digits_from(text, 0);
  if (hours == 0 || hours > 2 || char_at(text, hours) != ':') return 0;
  const auto minutes = digits_from(text, hours + 1);
  if (minutes - hours - 1 > 2 || minutes == hours + 1) return 0;
  if (char_at(text, minutes) == ':' && digit_at(text, minutes + 1)) {
    const auto seconds = digits_from(text, minutes + 1);
    if (seconds - minutes - 1 > 2) return 0;
    return half_of_day_end(text, fraction_end(text, seconds));
  }
  if (minutes - hours != 3) return 0;
  if (const auto end = half_of_day_end(text, minutes); end != minutes) return end;
  const bool valid = hours == 2 && pair_at(text, 0) < 60 && pair_at(text, 3) < 60;
  const char next = char_at(text, minutes);
  return valid && next != ':' && !(next == '.' && digit_at(text, minutes + 1)) ? minutes : 0;
}

/// What a time may be followed by as its zone, and the names that stand for several.
std::size_t zone_size(std::string_view text) {
  if (text.empty()) return 0;
  time_text in(text);
  if (read_zone(in)) return word_at(text, in.at()) ? 0 : in.at();
  if (text[0] != ' ' || !is_upper(char_at(text, 1))) return 0;
  for (const std::string_view name : {"CST", "BST", "IST", "AST"}) {
    if (text.substr(1).starts_with(name) && !word_at(text, 4)) return 4;
  }
  return 0;
}

/// " 2026" or ", 2026" of this century or the last.
std::size_t year_size(std::string_view text) {
  const std::size_t begin = text.starts_with(", ") ? 2 : text.starts_with(' ') ? 1 : 0;
  if (begin == 0) return 0;
  const auto year = text.substr(begin);
  const bool is = (year.starts_with("20") || year.starts_with("19")) && has_shape(year, "0000") &&
                  !word_at(year, 4) && char_at(year, 4) != '-' && char_at(year, 4) != ':';
  return is ? begin + 4 : 0;
}

struct date {
  std::size_t size = 0;
  bool needs_clock = false;  // alone it would be another number
  bool may_have_year = false;
};

/// "Nov 21", "Nov  1", "Nov 21, 2026".
date month_first(std::string_view text) {
  const auto month = month_size(text);
  if (month == 0 || char_at(text, month) != ' ') return {};
  const auto day = day_size(text.substr(month + 1));
  if (day == 0 || word_at(text, month + 1 + day)) return {};
  const auto size = month + 1 + day;
  const auto year = year_size(text.substr(size));
  return {size + year, false, year == 0};
}

/// "21 Nov 2026", "21/Nov/2026", "21-Nov-2026", "21-NOV-2026".
date day_first(std::string_view text) {
  const auto day = digits_from(text, 0);
  const char between = char_at(text, day);
  if (day == 0 || day > 2 || (between != ' ' && between != '/' && between != '-')) return {};
  const auto month = month_size(text.substr(day + 1), between == '-');
  if (month == 0 || char_at(text, day + 4) != between) return {};
  return has_shape(text.substr(day + 5), "0000") ? date{day + 9, false, false} : date{};
}

/// "7/6/2026", "21/11/2026" of this century or the last, and before a time of day "1.11.2026".
date all_digits(std::string_view text) {
  const auto first = digits_from(text, 0);
  const char between = char_at(text, first);
  const auto second = digits_from(text, first + 1);
  const auto size = second - first - 1;
  if ((between != '/' && between != '.') || second == first + 1 || size > 2) return {};
  if (char_at(text, second) != between || (between == '.' && size != 2)) return {};
  const auto year = text.substr(second + 1);
  if (!has_shape(year, "0000") || digit_at(year, 4)) return {};
  const bool is_near = year.starts_with("20") || year.starts_with("19");
  return is_near ? date{second + 5, between == '.', false} : date{};
}

date date_of(std::string_view text) {
  if (!digit_at(text, 0)) return month_first(text);
  const auto run = digits_from(text, 0);
  const char next = char_at(text, run);
  if (run == 4 && (next == '-' || next == '/' || next == '.')) {
    const bool is = digit_at(text, 5) && digit_at(text, 6) && char_at(text, 7) == next &&
                    digit_at(text, 8) && digit_at(text, 9) && !digit_at(text, 10);
    if (is) return {10, next == '.' && pair_at(text, 5) > 12, false};
    return {};
  }
  if (run == 8 && (next == '-' || next == ' ')) return {8, true, false};
  if (run > 2) return {};
  if (const auto found = day_first(text); found.size > 0) return found;
  if (const auto found = all_digits(text); found.size > 0) return found;
  if (has_shape(text, "00/00/0000")) return {10, false, false};
  if (has_shape(text, "00/00/00") || has_shape(text, "00.00.00")) return {8, true, false};
  return has_shape(text, "00.00 ") ? date{5, true, false} : date{};
}

/// The time of day behind a date: "T04:20:00", "t04:20:00", " 04:20:00", ":04:20:00",
/// "-15.42.50.675872".
std::size_t clock_behind(std::string_view text) {
  if (text.size() < 5) return 0;
  std::size_t begin = 1;
  if (text[0] == ',' && text[1] == ' ') begin = 2;
  const char c = text[0];
  if (c != 'T' && c != 't' && c != ' ' && c != ':' && c != '-' && begin == 1) return 0;
  const auto clock = clock_size(text.substr(begin));
  if (clock > 0) return begin + clock;
  if (text[0] != '-' || !has_shape(text, "-00.00.00")) return 0;
  return fraction_end(text, 9);
}

/// The size without a word that goes on behind it.
std::size_t whole(std::string_view text, std::size_t size) {
  return word_at(text, size) ? 0 : size;
}

std::size_t size_without_day(std::string_view text) {
  const auto day = date_of(text);
  if (day.size == 0) {
    if (has_shape(text, "00000000T000000")) {
      const auto end = fraction_end(text, 15);
      return whole(text, end + zone_size(text.substr(end)));
    }
    const auto clock = clock_size(text);
    return clock == 0 ? 0 : whole(text, clock + zone_size(text.substr(clock)));
  }
  auto size = day.size;
  const auto clock = clock_behind(text.substr(size));
  if (clock == 0) return day.needs_clock ? 0 : whole(text, size);
  size += clock;
  size += zone_size(text.substr(size));
  if (day.may_have_year) size += year_size(text.substr(size));
  return whole(text, size);
}

}  // namespace

bool names_a_day(std::string_view word) {
  if (word.size() < 3 || word[0] < 'F' || word[0] > 'W') return false;
  for (const std::string_view name :
       {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}) {
    if (word == name || word == name.substr(0, 3)) return true;
  }
  return false;
}

std::size_t time_size(std::string_view text) {
  if (digit_at(text, 0)) return size_without_day(text);
  if (text.size() < 5 || !is_upper(text[0])) return 0;
  std::size_t word = 3;
  while (word_at(text, word) && word < 10) ++word;
  if (!names_a_day(text.substr(0, word))) return word == 3 ? size_without_day(text) : 0;
  const std::size_t between = text.substr(word).starts_with(", ") ? 2 : 1;
  if (between == 1 && text[word] != ' ') return 0;
  const auto rest = size_without_day(text.substr(std::min(text.size(), word + between)));
  return rest == 0 ? 0 : word + between + rest;
}

std::size_t compact_time_size(std::string_view line) {
  if (!has_shape(line, "000000 000000") || word_at(line, 13)) return 0;
  const bool valid = pair_at(line, 2) <= 12 && pair_at(line, 4) <= 31 && pair_at(line, 7) < 24 &&
                     pair_at(line, 9) < 60 && pair_at(line, 11) <= 60;
  return valid ? 13 : 0;
}

}  // namespace reeve::tasks
