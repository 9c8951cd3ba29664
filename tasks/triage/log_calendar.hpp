#pragma once
// Dates, times of day and zones as logs write them, put together to instants.

#include "base/time.hpp"
#include "tasks/triage/log_time_text.hpp"

#include <cstdint>
#include <optional>

namespace reeve::tasks {

struct instant {
  time_us at = 0;         // without a zone: as if it were UTC
  bool zoned = false;     // it said its zone
  time_us unsure_us = 0;  // it may be so much later
};

/// Of a month that has such a day, in the years 1970 to 9999.
struct calendar_day {
  std::int64_t year = 0;
  std::int64_t month = 0;  // from 1
  std::int64_t day = 0;    // from 1
};

struct time_of_day {
  time_us us = 0;         // since midnight, 60 seconds in the last minute included
  time_us unsure_us = 0;  // 59.999999 s where there are no seconds
  char half = '\0';       // the first letter of AM or PM, as it was written
};

enum class clock_needs { seconds, minutes };

/// "AM" or "PM", also behind a space, which may be one that does not break (U+00A0, and U+202F as
/// Java has it since 20): its first letter, or '\0'.
char read_half(time_text& in);
/// "+01:00", "+0100", "+01", "EST", "UTC+02", also behind one space; there "+01", as a name that is
/// a word as well (MET, WET, WEST, EST), is a zone only before what may follow a time.
std::optional<std::int64_t> read_named_zone(time_text& in);
/// The latest year that has such a day and in which this lies at most a day after `now`.
std::optional<time_us> without_year(std::int64_t month, std::int64_t day, const time_of_day& clock,
                                    time_us now);

// What follows is read of nearly every line, and is inline therefore.

inline constexpr std::int64_t day_s = 86'400;
inline constexpr std::int64_t half_day_s = day_s / 2;
inline constexpr time_us minute_us = 60 * us_per_second;

/// Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
inline std::int64_t days_from_civil(std::int64_t y, std::int64_t m, std::int64_t d) {
  y -= m <= 2 ? 1 : 0;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t yoe = y - era * 400;
  const std::int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146'097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719'468;
}

inline std::int64_t days_of_month(std::int64_t year, std::int64_t month) {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// "04:20:00", "4:20:00.123", "4:20:00,123 PM"; "04:20" where minutes do. With 13 hours and more,
/// and with 0, what follows is no half of a day, whatever it looks like.
inline std::optional<time_of_day> read_clock(time_text& in, clock_needs needs) {
  const auto hour = in.one_or_two();
  if (!hour || *hour > 23 || !in.literal(':')) return std::nullopt;
  const auto minute = in.pair();
  if (!minute || *minute > 59) return std::nullopt;
  time_of_day made;
  auto second_of_day = *hour * 3600 + *minute * 60;
  if (in.literal(':')) {
    const auto second = in.pair();
    if (!second || *second > 60) return std::nullopt;
    second_of_day += *second;
    if (in.any_of(".,")) made.us = in.fraction();
  } else if (needs == clock_needs::seconds || in.peek() == '.' || in.digits(1) > 0) {
    return std::nullopt;
  } else {
    made.unsure_us = minute_us - 1;
  }
  if (*hour >= 1 && *hour <= 12) {
    const char next = in.peek() == ' ' ? in.peek(1) : in.peek();
    const bool may_be = next == 'A' || next == 'P' || next == 'a' || next == 'p' ||
                        static_cast<unsigned char>(next) >= 0x80;
    if (may_be) made.half = read_half(in);
    if (made.half != '\0' && *hour == 12) second_of_day -= half_day_s;
    if (made.half == 'P' || made.half == 'p') second_of_day += half_day_s;
  }
  made.us += second_of_day * us_per_second;
  return made;
}

/// "Z" too: the microseconds to subtract, or nothing, and nothing is read.
inline std::optional<std::int64_t> read_zone(time_text& in) {
  if (in.peek() == 'Z' || in.peek() == 'z') {
    const char behind = in.peek(1);
    if (time_text::is_letter(behind) || time_text::is_digit(behind)) return std::nullopt;
    in.literal(in.peek());
    return 0;
  }
  const char next = in.peek() == ' ' ? in.peek(1) : in.peek();
  const bool may_be = next == '+' || next == '-' || (next >= 'A' && next <= 'W');
  return may_be ? read_named_zone(in) : std::nullopt;
}

/// Nothing where the calendar has no such day.
inline std::optional<time_us> midnight(const calendar_day& day) {
  if (day.year < 1970 || day.year > 9999 || day.month < 1 || day.month > 12 || day.day < 1 ||
      day.day > days_of_month(day.year, day.month)) {
    return std::nullopt;
  }
  return days_from_civil(day.year, day.month, day.day) * day_s * us_per_second;
}

/// The same, at that time of the day, and in the zone that may follow.
inline std::optional<instant> at_clock(time_text& in, const calendar_day& day,
                                       const time_of_day& clock) {
  const auto begin = midnight(day);
  if (!begin) return std::nullopt;
  const auto zone = read_zone(in);
  return instant{*begin + clock.us - zone.value_or(0), zone.has_value(), clock.unsure_us};
}

}  // namespace reeve::tasks
