#include "tasks/triage/log_calendar.hpp"

#include "tasks/triage/log_severity.hpp"

#include <algorithm>
#include <string_view>

namespace reeve::tasks {
namespace {

constexpr int leap_years = 8;  // the most years between two that have a 29th of February

std::int64_t year_of(time_us at) {
  std::int64_t year = 1970 + at / us_per_second / day_s * 400 / 146'097;
  while (days_from_civil(year + 1, 1, 1) * day_s * us_per_second <= at) ++year;
  while (days_from_civil(year, 1, 1) * day_s * us_per_second > at) --year;
  return year;
}

constexpr std::int64_t most_east_h = 14;  // Kiribati; no zone is further from UTC
constexpr std::int64_t quarter_min = 15;  // zones lie quarters of an hour apart

struct zone_name {
  std::string_view name;
  int hours;
  bool is_word = false;  // of English as well
};

// Those that stand for one offset the world over. CST, IST, BST, AST do not.
constexpr zone_name zone_names[] = {
    {"UTC", 0},   {"GMT", 0},       {"EST", -5, true}, {"EDT", -4},  {"CDT", -5},  {"MST", -7},
    {"MDT", -6},  {"PST", -8},      {"PDT", -7},       {"AKST", -9}, {"AKDT", -8}, {"HST", -10},
    {"CET", 1},   {"WET", 0, true}, {"WEST", 1, true}, {"CEST", 2},  {"EET", 2},   {"EEST", 3},
    {"MEST", 2},  {"MET", 1, true}, {"MSK", 3},        {"JST", 9},   {"KST", 9},   {"AEST", 10},
    {"AEDT", 11}, {"NZST", 12},     {"NZDT", 13}};

bool is_level_in_capitals(std::string_view word) {
  const bool is_capital = std::none_of(word.begin(), word.end(), [](char c) { return c >= 'a'; });
  return is_capital && severity_from_word(word);
}

/// Whether one of the first words behind what may be a zone is none of prose: "LOG:", "sshd[7]:".
bool goes_on_as_log(std::string_view rest) {
  constexpr int most_words = 4;
  constexpr std::size_t most_bytes = 64;
  rest = rest.substr(0, most_bytes);
  for (int words = 0; words < most_words && rest.starts_with(' '); ++words) {
    rest.remove_prefix(1);
    auto word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    if (word.ends_with("]:") && word.find('[') != word.npos) return true;
    if (!word.ends_with(':')) continue;
    word.remove_suffix(1);
    if (is_level_in_capitals(word)) return true;
  }
  return false;
}

/// Whether a name that is a word too ("MET the requirements"), or a number, is a zone, by what
/// follows it: the end, a sign, a number, a level in capitals, or what no word is ("user@host",
/// "app[7]:").
bool stands_as_zone(std::string_view rest) {
  if (rest.empty()) return true;
  if (rest[0] != ' ') return std::string_view("])}>,;:|\"\t").find(rest[0]) != rest.npos;
  const auto token = rest.substr(1, rest.substr(1).find(' '));
  auto word = token;
  while (!word.empty() && std::string_view(",.;!?").find(word.back()) != word.npos)
    word.remove_suffix(1);
  if (word.empty() || !std::all_of(word.begin(), word.end(), time_text::is_letter)) return true;
  return is_level_in_capitals(word) || goes_on_as_log(rest);
}

/// "+01:00", "+0100" and "+01" in microseconds. Behind a space two digits may be a number
/// ("10:00:00 -12 items"): what follows them tells.
std::optional<std::int64_t> read_offset(time_text& in, bool is_apart) {
  const auto start = in.at();
  const bool minus = in.peek() == '-';
  const auto hour = in.any_of("+-") ? in.pair() : std::nullopt;
  const bool colon = hour && in.literal(':');
  auto minute = hour ? in.pair() : std::nullopt;
  if (hour && !minute && !colon && (!is_apart || stands_as_zone(in.rest()))) minute = 0;
  // Python's isoformat() + "Z".
  const bool is_utc = minute && *hour == 0 && *minute == 0;
  if (is_utc && in.peek() == 'Z' && !time_text::is_letter(in.peek(1))) in.literal('Z');
  const char next = in.peek();
  // "10:00:00-11:30:00" is a span of time.
  const bool goes_on = time_text::is_digit(next) || time_text::is_letter(next) || next == '-' ||
                       (next == ':' && time_text::is_digit(in.peek(1)));
  if (minute && *hour <= most_east_h && *minute < 60 && *minute % quarter_min == 0 && !goes_on) {
    const auto us = (*hour * 3600 + *minute * 60) * us_per_second;
    return minus ? -us : us;
  }
  in.seek(start);
  return std::nullopt;
}

}  // namespace

char read_half(time_text& in) {
  const auto start = in.at();
  if (!in.literal(' ') && !in.text("\xE2\x80\xAF")) in.text("\xC2\xA0");
  for (const std::string_view half : {"AM", "PM", "am", "pm"}) {
    if (in.peek() == half[0] && in.word(half)) return half[0];
  }
  in.seek(start);
  return '\0';
}

std::optional<std::int64_t> read_named_zone(time_text& in) {
  const auto start = in.at();
  const bool is_apart = in.literal(' ');
  const char first = in.peek();
  if (first == '+' || first == '-') {
    if (const auto offset = read_offset(in, is_apart)) return offset;
  }
  for (const auto& one : zone_names) {
    if (one.name[0] != first || !in.word(one.name)) continue;
    // "GMT+0200" is not GMT.
    const auto further = one.hours == 0 ? read_offset(in, false) : std::nullopt;
    if (one.is_word && !further && !stands_as_zone(in.rest())) break;
    return further.value_or(us_per_second * 3600 * one.hours);
  }
  in.seek(start);
  return std::nullopt;
}

std::optional<time_us> without_year(std::int64_t month, std::int64_t day, const time_of_day& clock,
                                    time_us now) {
  const auto latest = now + day_s * us_per_second;
  // Where a day from now is in another year, the latest one may be as well.
  const auto year = year_of(latest);
  for (auto one = year; one >= year - leap_years; --one) {
    const auto begin = midnight({one, month, day});
    if (begin && *begin + clock.us <= latest) return *begin + clock.us;
    if (!begin && !(month == 2 && day == 29)) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace reeve::tasks
