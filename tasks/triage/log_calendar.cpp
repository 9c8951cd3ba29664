#include "tasks/triage/log_calendar.hpp"

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

struct zone_name {
  std::string_view name;
  int hours;
};

// Those that stand for one offset the world over. CST, IST, BST, AST do not.
constexpr zone_name zone_names[] = {
    {"UTC", 0},  {"GMT", 0},  {"EST", -5},  {"EDT", -4},  {"CDT", -5},  {"MST", -7}, {"MDT", -6},
    {"PST", -8}, {"PDT", -7}, {"AKST", -9}, {"AKDT", -8}, {"HST", -10}, {"WET", 0},  {"WEST", 1},
    {"CET", 1},  {"CEST", 2}, {"MET", 1},   {"MEST", 2},  {"EET", 2},   {"EEST", 3}, {"MSK", 3},
    {"JST", 9},  {"KST", 9},  {"AEST", 10}, {"AEDT", 11}, {"NZST", 12}, {"NZDT", 13}};

/// "+01:00", "+0100", "+01" in microseconds.
std::optional<std::int64_t> read_offset(time_text& in) {
  const auto start = in.at();
  const bool minus = in.peek() == '-';
  const auto hour = in.any_of("+-") ? in.pair() : std::nullopt;
  const bool colon = hour && in.literal(':');
  auto minute = hour ? in.pair() : std::nullopt;
  if (hour && !minute && !colon) minute = 0;
  if (minute && *hour < 24 && *minute < 60 && !time_text::is_digit(in.peek()) && in.peek() != '-') {
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
  in.literal(' ');
  const char first = in.peek();
  if (first == '+' || first == '-') {
    if (const auto offset = read_offset(in)) return offset;
  }
  for (const auto& one : zone_names) {
    if (one.name[0] != first || !in.word(one.name)) continue;
    // "GMT+0200" is not GMT.
    const auto further = one.hours == 0 ? read_offset(in) : std::nullopt;
    return further.value_or(one.hours * 3600 * us_per_second);
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
