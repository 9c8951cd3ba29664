#include "tasks/triage/log_time.hpp"

#include "tasks/triage/log_calendar.hpp"
#include "tasks/triage/log_time_head.hpp"
#include "tasks/triage/log_time_text.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace reeve::tasks {
namespace {

/// Where " [" stands first. Brackets are rare and spaces are not, so those are looked for.
std::size_t find_bracket(std::string_view text) {
  auto at = text.find('[');
  while (at != text.npos && (at == 0 || text[at - 1] != ' ')) at = text.find('[', at + 1);
  return at == text.npos ? at : at - 1;
}

/// "2026-11-21T04:20:00.123Z", "2026/11/21 04:20", "2026.11.21 04:20:00", and as Airflow has it
/// "2026-11-21, 04:20:00 UTC".
std::optional<instant> iso_time(time_text& in) {
  const auto year = in.number(4);
  const char between = in.peek();
  if (!year || !in.any_of("-/.")) return std::nullopt;
  const auto month = in.pair();
  if (!month || !in.literal(between)) return std::nullopt;
  const auto day = in.pair();
  if (!day) return std::nullopt;
  if (in.literal(',') ? !in.literal(' ') : !in.any_of("Tt \t")) return std::nullopt;
  const auto clock = read_clock(in, clock_needs::minutes);
  if (!clock) return std::nullopt;
  return at_clock(in, {*year, *month, *day}, *clock);
}

/// "20261121T042000.123Z", "20261121 04:20:00".
std::optional<instant> compact_time(time_text& in) {
  const auto year = in.number(4);
  const auto month = year ? in.pair() : std::nullopt;
  const auto day = month ? in.pair() : std::nullopt;
  if (!day) return std::nullopt;
  if (in.literal(' ')) {
    const auto clock = read_clock(in, clock_needs::seconds);
    return clock ? at_clock(in, {*year, *month, *day}, *clock) : std::nullopt;
  }
  if (!in.literal('T') || in.digits(7) != 6) return std::nullopt;
  const auto hour = in.pair().value_or(0);
  const auto minute = in.pair().value_or(0);
  const auto second = in.pair().value_or(0);
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  time_of_day clock;
  clock.us = (hour * 3600 + minute * 60 + second) * us_per_second;
  if (in.any_of(".,")) clock.us += in.fraction();
  return at_clock(in, {*year, *month, *day}, clock);
}

/// "Nov 21 04:20:00", "Nov 21, 2026 4:20:00 PM", and where the year is needed, "Nov 21 04:20:00.123
/// CET 2026" too.
std::optional<instant> month_first(time_text& in, time_us now, bool needs_year) {
  const auto month = in.month();
  if (!month || !in.literal(' ')) return std::nullopt;
  in.literal(' ');
  const auto day = in.one_or_two();
  if (!day) return std::nullopt;
  const bool comma = in.literal(',');
  if (!in.literal(' ')) return std::nullopt;
  if (in.digits(5) == 4) {
    const auto year = in.number(4);
    in.literal(',');
    const auto clock = in.literal(' ') ? read_clock(in, clock_needs::minutes) : std::nullopt;
    return clock ? at_clock(in, {*year, *month, *day}, *clock) : std::nullopt;
  }
  const auto clock = comma ? std::nullopt : read_clock(in, clock_needs::seconds);
  if (!clock) return std::nullopt;
  if (needs_year) {
    const auto zone = read_zone(in);
    const auto year = in.literal(' ') ? in.number(4) : std::nullopt;
    const auto begin = year ? midnight({*year, *month, *day}) : std::nullopt;
    if (!begin) return std::nullopt;
    return instant{*begin + clock->us - zone.value_or(0), zone.has_value()};
  }
  const auto whole = without_year(*month, *day, *clock, now);
  if (!whole) return std::nullopt;
  return instant{*whole, false};
}

/// "21 Nov 2026 04:20:00", "21-NOV-2026 04:20:00", "21/Nov/2026:04:20:00", "21.11.2026 04:20".
std::optional<instant> day_first(time_text& in) {
  const auto day = in.one_or_two();
  const char between = in.peek();
  if (!day || !in.any_of(" -/.")) return std::nullopt;
  std::optional<std::int64_t> month;
  if (between == '.') {
    month = in.pair();
  } else if (const auto named = in.month(between == '-')) {
    month = *named;
  }
  if (!month || !in.literal(between)) return std::nullopt;
  const auto year = in.number(4);
  if (!year) return std::nullopt;
  if (!(between == '/' && in.literal(':'))) {
    in.literal(',');
    if (!in.literal(' ')) return std::nullopt;
  }
  const auto clock = read_clock(in, clock_needs::minutes);
  if (!clock) return std::nullopt;
  return at_clock(in, {*year, *month, *day}, *clock);
}

/// "11/21/2026 4:20:00 AM". Whether the day or the month stands first in such a date is not known
/// but for those who write AM and PM so: they put the month first.
std::optional<instant> american_time(time_text& in) {
  const auto month = in.one_or_two();
  if (!month || !in.literal('/')) return std::nullopt;
  const auto day = in.one_or_two();
  if (!day || !in.literal('/')) return std::nullopt;
  const auto year = in.number(4);
  if (!year) return std::nullopt;
  in.literal(',');
  const auto clock = in.literal(' ') ? read_clock(in, clock_needs::minutes) : std::nullopt;
  if (!clock || (clock->half != 'A' && clock->half != 'P')) return std::nullopt;
  return at_clock(in, {*year, *month, *day}, *clock);
}

/// "Fri Nov 21 04:20:00 2026", "Fri, 21 Nov 2026 04:20:00 +0000".
std::optional<instant> weekday_time(time_text& in, time_us now) {
  bool found = false;
  if (in.peek() < 'F' || in.peek() > 'W') return std::nullopt;
  for (const std::string_view name : {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}) {
    found = found || in.text(name);
  }
  if (!found) return std::nullopt;
  if (in.literal(',')) return in.literal(' ') ? day_first(in) : std::nullopt;
  if (!in.literal(' ')) return std::nullopt;
  return month_first(in, now, true);
}

/// klog: "E1121 04:20:00.123", glog also with a year: "E20261121 04:20:00.123"; logcat: "11-21
/// 04:20:00.123".
std::optional<instant> numbers_without_year(time_text& in, time_us now) {
  const bool klog = in.any_of("IWEF");
  if (klog && in.digits(9) == 8) return compact_time(in);
  const auto month = in.pair();
  if (!month || (!klog && !in.literal('-'))) return std::nullopt;
  const auto day = in.pair();
  if (!day || !in.literal(' ')) return std::nullopt;
  const auto seconds_end = in.at() + 8;
  const auto clock = read_clock(in, clock_needs::seconds);
  if (!clock || clock->half != '\0' || in.at() <= seconds_end) return std::nullopt;
  const auto whole = without_year(*month, *day, *clock, now);
  if (!whole) return std::nullopt;
  return instant{*whole, false};
}

/// redis: "1:M 21 Nov 2026 04:20:00.123"; the letter is the role.
std::optional<instant> redis_time(time_text& in) {
  const auto digits = in.digits(9);
  if (digits == 0 || digits > 8) return std::nullopt;
  in.seek(in.at() + digits);
  if (!in.literal(':') || !in.any_of("XCSM") || !in.literal(' ')) return std::nullopt;
  return day_first(in);
}

bool ends_number(char c) {
  return c == ' ' || c == '\t' || c == ']' || c == ':' || c == '\0';
}

/// Of this century: 10 digits are seconds from 2001-09-09 on, 13 milliseconds, 16 microseconds, 19
/// nanoseconds.
std::optional<instant> unix_time(time_text& in) {
  const auto count = in.digits(20);
  if (count < 10 || count > 19 || count % 3 != 1 || in.peek() == '0' ||
      (count == 19 && in.peek() == '9'))
    return std::nullopt;
  const auto value = in.number(count);
  if (!value) return std::nullopt;
  const bool broken = count == 10 && in.literal('.');
  const auto us = broken ? in.fraction() : 0;
  if (!ends_number(in.peek()) && !(broken && in.peek() == ',')) return std::nullopt;
  if (count == 10) return instant{*value * us_per_second + us, true};
  return instant{count == 13 ? *value * 1000 : count == 16 ? *value : *value / 1000, true};
}

/// Such seconds as zap writes them: "1.795161600123e+09". What is not written is zero.
std::optional<instant> unix_power(time_text& in) {
  constexpr int power = 9;
  const auto first = in.number(1);
  if (!first || *first == 0 || !in.literal('.')) return std::nullopt;
  auto us = *first;
  const auto digits = in.digits(32);
  if (digits == 0) return std::nullopt;
  const auto begin = in.at();
  for (std::size_t i = 0; i < power + 6; ++i) {
    us = us * 10 + (i < digits ? in.number(1).value_or(0) : 0);
  }
  in.seek(begin + digits);
  if (!in.any_of("eE")) return std::nullopt;
  in.literal('+');
  const auto power_said = in.one_or_two();
  if (!power_said || *power_said != power || !ends_number(in.peek())) return std::nullopt;
  return instant{us, true};
}

enum class wanted_times { all, not_numbers };

/// By the number of digits that come first, the forms that it may be.
std::optional<instant> time_from_digits(time_text& in, time_us now, wanted_times wanted) {
  const auto start = in.at();
  const auto or_else = [&](std::optional<instant> found) {
    if (!found) in.seek(start);
    return found;
  };
  const auto digits = in.digits(20);
  if (digits == 4) {
    if (const auto at = or_else(iso_time(in))) return at;
  } else if (digits <= 2) {
    const char next = in.peek(digits);
    if (next != ':') {
      if (const auto at = or_else(day_first(in))) return at;
    }
    if (next == '/') return american_time(in);
    if (next == '-') return numbers_without_year(in, now);
  } else if (digits == 8) {
    if (const auto at = or_else(compact_time(in))) return at;
  }
  if (wanted == wanted_times::not_numbers) return std::nullopt;
  if (in.peek(digits) == ':' && digits <= 8) return redis_time(in);
  return digits == 1 ? unix_power(in) : unix_time(in);
}

/// By the first character, which forms may begin with it: most lines are told by that.
constexpr std::uint8_t month_bit = 1;
constexpr std::uint8_t weekday_bit = 2;
constexpr std::uint8_t klog_bit = 4;
constexpr auto begins_time = [] {
  std::array<std::uint8_t, 256> made{};
  for (const unsigned char c : std::string_view("JFMASOND")) made[c] |= month_bit;
  for (const unsigned char c : std::string_view("MTWFS")) made[c] |= weekday_bit;
  for (const unsigned char c : std::string_view("IWEF")) made[c] |= klog_bit;
  return made;
}();

std::optional<instant> any_time(time_text& in, time_us now, wanted_times wanted) {
  if (time_text::is_digit(in.peek())) return time_from_digits(in, now, wanted);
  const auto forms = begins_time[static_cast<unsigned char>(in.peek())];
  if (forms == 0) return std::nullopt;
  const char second = in.peek(1);
  if ((forms & klog_bit) != 0 && time_text::is_digit(second)) return numbers_without_year(in, now);
  if (second < 'a' || second > 'z') return std::nullopt;
  const auto start = in.at();
  if ((forms & month_bit) != 0) {
    if (const auto at = month_first(in, now, false)) return at;
    in.seek(start);
  }
  return (forms & weekday_bit) != 0 ? weekday_time(in, now) : std::nullopt;
}

/// Behind what stands in front of the time in many forms (see log_time_head.hpp). A number there is
/// a number, unless it is in brackets and has a fraction.
std::optional<leading_time> time_behind_head(std::string_view line, std::size_t at, time_us now) {
  auto wanted = wanted_times::all;
  bool is_behind_level = false;
  for (int part = 0; part < max_head_parts; ++part) {
    const auto head = head_part_of(line.substr(at));
    // A speaker stands first, or behind a level; a further one is the cell of a table.
    if (head.size == 0 || (head.is_speaker && part > 0 && !is_behind_level)) return std::nullopt;
    at += head.size;
    if (!head.is_speaker) wanted = wanted_times::not_numbers;
    time_text in(line);
    in.seek(at);
    const bool is_bracketed = in.literal('[');
    const auto start = in.at();
    auto found = any_time(in, now, wanted);
    if (!found && is_bracketed) {
      in.seek(start);
      const bool broken = in.digits(11) == 10 && line.substr(start + 10).starts_with('.');
      if (broken) found = unix_time(in);
    }
    const bool may_be_cell = !std::exchange(is_behind_level, head.is_level) && head.is_speaker;
    if (!found) continue;
    const bool is_log = !may_be_cell || begins_with_iso_day(line.substr(start));
    if (!is_log && is_cell_behind_speaker(in.rest())) return std::nullopt;
    return leading_time{found->at, 0, found->zoned, found->unsure_us};
  }
  return std::nullopt;
}

/// Behind a syslog priority and what WebLogic begins with; false where no time may follow.
bool seek_front(time_text& in) {
  if (in.literal('<')) {
    in.seek(1 + in.digits(in.rest().size()));
    if (in.literal('>')) {
      // RFC 5424 has its version between priority and time.
      const auto start = in.at();
      if (!(in.number(1) && in.literal(' '))) in.seek(start);
    } else {
      in.seek(1);
    }
  } else if (in.peek() == '#' && in.text("####")) {
    return in.literal('<');
  }
  return true;
}

std::optional<leading_time> time_from_here(time_text& in, time_us now) {
  const bool bracket = in.literal('[');
  const auto found = any_time(in, now, wanted_times::all);
  if (!found) return std::nullopt;
  if (bracket) in.literal(']');
  return leading_time{found->at, in.at(), found->zoned, found->unsure_us};
}

}  // namespace

std::optional<leading_time> time_at_front(std::string_view line, time_us now) {
  time_text in(line);
  if (!seek_front(in)) return std::nullopt;
  return time_from_here(in, now);
}

std::optional<leading_time> time_of_line(std::string_view line, time_us now) {
  time_text in(line);
  if (!seek_front(in)) return std::nullopt;
  const auto front = in.at();
  if (const auto found = time_from_here(in, now)) return found;
  if (const auto found = time_behind_head(line, front, now)) return found;
  // The Common Log Format has address, identity and user before its time.
  const auto open = find_bracket(line.substr(0, 200));
  if (open == line.npos) return std::nullopt;
  in.seek(open + 2);
  const auto found = in.digits(2) == 2 ? day_first(in) : std::nullopt;
  if (!found || line[open + 4] != '/') return std::nullopt;
  return leading_time{found->at, 0, found->zoned, found->unsure_us};
}

}  // namespace reeve::tasks
