#include "tasks/triage/log_time.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace reeve::tasks {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}

  bool literal(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool any_of(std::string_view choices) {
    if (at_ >= text_.size()) return false;
    // By hand: the library calls a function to search the few characters.
    for (const char c : choices) {
      if (c != text_[at_]) continue;
      ++at_;
      return true;
    }
    return false;
  }
  /// Exactly `count` digits.
  std::optional<std::int64_t> number(std::size_t count) {
    if (at_ + count > text_.size()) return std::nullopt;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = text_[at_ + i];
      if (!is_digit(c)) return std::nullopt;
      value = value * 10 + (c - '0');
    }
    at_ += count;
    return value;
  }
  /// Two digits, as nearly all parts of a time have.
  std::optional<std::int64_t> pair() {
    if (at_ + 2 > text_.size() || !is_digit(text_[at_]) || !is_digit(text_[at_ + 1]))
      return std::nullopt;
    at_ += 2;
    return (text_[at_ - 2] - '0') * 10 + (text_[at_ - 1] - '0');
  }
  bool text(std::string_view expected) {
    if (!text_.substr(std::min(at_, text_.size())).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  /// `expected`, and no letter or digit behind it.
  bool word(std::string_view expected) {
    const auto start = at_;
    if (!text(expected)) return false;
    const char next = peek();
    if (!is_digit(next) && !(next >= 'A' && next <= 'Z') && !(next >= 'a' && next <= 'z'))
      return true;
    at_ = start;
    return false;
  }
  std::optional<int> month() {
    static constexpr std::array<std::string_view, 12> names = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (peek() < 'A' || peek() > 'S') return std::nullopt;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i][0] == peek() && text_.substr(at_).starts_with(names[i])) {
        at_ += 3;
        return static_cast<int>(i) + 1;
      }
    }
    return std::nullopt;
  }
  /// A fraction of a second in microseconds; further digits are cut.
  std::int64_t fraction() {
    std::int64_t us = 0;
    std::int64_t unit = 100'000;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_, unit /= 10) {
      us += (text_[at_] - '0') * unit;
    }
    return us;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  std::size_t at() const { return at_; }
  void seek(std::size_t at) { at_ = at; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

/// Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
std::int64_t days_from_civil(std::int64_t y, std::int64_t m, std::int64_t d) {
  y -= m <= 2 ? 1 : 0;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t yoe = y - era * 400;
  const std::int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146'097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719'468;
}

std::int64_t year_of(time_us at) {
  std::int64_t year = 1970 + at / us_per_second / 86'400 * 400 / 146'097;
  while (days_from_civil(year + 1, 1, 1) * 86'400 * us_per_second <= at) ++year;
  while (days_from_civil(year, 1, 1) * 86'400 * us_per_second > at) --year;
  return year;
}

std::optional<time_us> assemble(std::int64_t year, std::int64_t month, std::int64_t day,
                                std::int64_t second_of_day) {
  if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) {
    return std::nullopt;
  }
  return (days_from_civil(year, month, day) * 86'400 + second_of_day) * us_per_second;
}

/// Where " [" stands first. Brackets are rare and spaces are not, so those are looked for.
std::size_t find_bracket(std::string_view text) {
  auto at = text.find('[');
  while (at != text.npos && (at == 0 || text[at - 1] != ' ')) at = text.find('[', at + 1);
  return at == text.npos ? at : at - 1;
}

/// "04:20:00"
std::optional<std::int64_t> clock(reader& in) {
  const auto hour = in.pair();
  if (!hour || !in.literal(':')) return std::nullopt;
  const auto minute = in.pair();
  if (!minute || !in.literal(':')) return std::nullopt;
  const auto second = in.pair();
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return *hour * 3600 + *minute * 60 + *second;
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

/// "Z", "+01:00", "+0100", "+01", "EST", also behind one space: the microseconds to subtract, or
/// nothing, and nothing is read.
std::optional<std::int64_t> zone_us(reader& in) {
  const auto start = in.at();
  if (in.any_of("Zz")) return 0;
  in.literal(' ');
  const bool minus = in.peek() == '-';
  if (in.any_of("+-")) {
    const auto hour = in.pair();
    const bool colon = hour && in.literal(':');
    auto minute = hour ? in.pair() : std::nullopt;
    if (hour && !minute && !colon) minute = 0;
    if (minute && *hour < 24 && *minute < 60 && !is_digit(in.peek()) && in.peek() != '-') {
      const auto us = (*hour * 3600 + *minute * 60) * us_per_second;
      return minus ? -us : us;
    }
  }
  const char first = in.peek();
  for (const auto& one : zone_names) {
    if (one.name[0] != first || !in.word(one.name)) continue;
    return one.hours * 3600 * us_per_second;
  }
  in.seek(start);
  return std::nullopt;
}

struct instant {
  time_us at = 0;
  bool zoned = false;
};

/// A fraction and a zone may follow.
instant with_rest(reader& in, time_us whole) {
  if (in.any_of(".,")) whole += in.fraction();
  const auto zone = zone_us(in);
  return {whole - zone.value_or(0), zone.has_value()};
}

std::optional<instant> iso_time(reader& in) {
  const auto year = in.number(4);
  if (!year || !in.any_of("-/")) return std::nullopt;
  const auto month = in.pair();
  if (!month || !in.any_of("-/")) return std::nullopt;
  const auto day = in.pair();
  if (!day || !in.any_of("Tt ")) return std::nullopt;
  const auto clock_s = clock(in);
  if (!clock_s) return std::nullopt;
  const auto whole = assemble(*year, *month, *day, *clock_s);
  if (!whole) return std::nullopt;
  return with_rest(in, *whole);
}

/// The year in which this lies at most a day after `now`.
std::optional<time_us> without_year(std::int64_t month, std::int64_t day, std::int64_t second,
                                    time_us now) {
  const auto year = year_of(now);
  const auto this_year = assemble(year, month, day, second);
  if (this_year && *this_year > now + 86'400 * us_per_second) {
    return assemble(year - 1, month, day, second);
  }
  return this_year;
}

/// "Nov 21 04:20:00", behind a weekday with a year: "Fri Nov 21 04:20:00.123 CET 2026".
std::optional<instant> month_first(reader& in, time_us now, bool needs_year) {
  const auto month = in.month();
  if (!month || !in.literal(' ')) return std::nullopt;
  const bool padded = in.literal(' ');
  auto day = padded ? std::nullopt : in.pair();
  if (!day) day = in.number(1);
  if (!day || !in.literal(' ')) return std::nullopt;
  const auto clock_s = clock(in);
  if (!clock_s) return std::nullopt;
  std::int64_t us = in.any_of(".,") ? in.fraction() : 0;
  const auto start = in.at();
  if (needs_year) {
    const auto zone = zone_us(in);
    if (!in.literal(' ')) return std::nullopt;
    const auto year = in.number(4);
    if (!year) return std::nullopt;
    const auto whole = assemble(*year, *month, *day, *clock_s);
    if (!whole) return std::nullopt;
    return instant{*whole + us - zone.value_or(0), zone.has_value()};
  }
  in.seek(start);
  const auto whole = without_year(*month, *day, *clock_s, now);
  if (!whole) return std::nullopt;
  return instant{*whole + us, false};
}

/// "21 Nov 2026 04:20:00", "21-Nov-2026 04:20:00", "21/Nov/2026:04:20:00", and what follows.
std::optional<instant> day_first(reader& in, char between, char before_clock) {
  const auto day = in.pair();
  if (!day || !in.literal(between)) return std::nullopt;
  const auto month = in.month();
  if (!month || !in.literal(between)) return std::nullopt;
  const auto year = in.number(4);
  if (!year || !in.literal(before_clock)) return std::nullopt;
  const auto clock_s = clock(in);
  if (!clock_s) return std::nullopt;
  const auto whole = assemble(*year, *month, *day, *clock_s);
  if (!whole) return std::nullopt;
  return with_rest(in, *whole);
}

std::optional<instant> common_log_time(reader& in) {
  return day_first(in, '/', ':');
}

/// "Fri Nov 21 04:20:00 2026", "Fri, 21 Nov 2026 04:20:00 +0000".
std::optional<instant> weekday_time(reader& in, time_us now) {
  bool found = false;
  if (in.peek() < 'F' || in.peek() > 'W') return std::nullopt;
  for (const std::string_view name : {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}) {
    found = found || in.text(name);
  }
  if (!found) return std::nullopt;
  if (in.literal(',')) return in.literal(' ') ? day_first(in, ' ', ' ') : std::nullopt;
  if (!in.literal(' ')) return std::nullopt;
  return month_first(in, now, true);
}

/// klog: "E1121 04:20:00.123"; logcat: "11-21 04:20:00.123".
std::optional<instant> numbers_without_year(reader& in, time_us now) {
  const bool klog = in.any_of("IWEF");
  const auto month = in.pair();
  if (!month || (!klog && !in.literal('-'))) return std::nullopt;
  const auto day = in.pair();
  if (!day || !in.literal(' ')) return std::nullopt;
  const auto clock_s = clock(in);
  if (!clock_s || !in.literal('.')) return std::nullopt;
  const auto us = in.fraction();
  const auto whole = without_year(*month, *day, *clock_s, now);
  if (!whole) return std::nullopt;
  return instant{*whole + us, false};
}

/// redis: "1:M 21 Nov 2026 04:20:00.123"; the letter is the role.
std::optional<instant> redis_time(reader& in) {
  const auto start = in.at();
  while (is_digit(in.peek())) in.seek(in.at() + 1);
  if (in.at() == start || in.at() > start + 8) return std::nullopt;
  if (!in.literal(':') || !in.any_of("XCSM") || !in.literal(' ')) return std::nullopt;
  return day_first(in, ' ', ' ');
}

/// Of this century: 10 digits are seconds from 2001-09-09 on, 13 milliseconds, 16 microseconds, 19
/// nanoseconds.
std::optional<instant> unix_time(std::string_view line, reader& in) {
  std::size_t digits = in.at();
  while (digits < line.size() && is_digit(line[digits])) ++digits;
  const auto count = digits - in.at();
  if (count < 10 || count > 19 || count % 3 != 1 || line[in.at()] == '0' ||
      (count == 19 && line[in.at()] == '9'))
    return std::nullopt;
  const auto value = in.number(count);
  if (!value) return std::nullopt;
  const auto us = count == 10 && in.literal('.') ? in.fraction() : 0;
  const char next = in.peek();
  if (next != ' ' && next != ']' && next != ':' && next != '\0') return std::nullopt;
  if (count == 10) return instant{*value * us_per_second + us, true};
  return instant{count == 13 ? *value * 1000 : count == 16 ? *value : *value / 1000, true};
}

std::optional<instant> any_time(std::string_view line, reader& in, time_us now) {
  const auto start = in.at();
  const auto or_else = [&](std::optional<instant> found) {
    if (!found) in.seek(start);
    return found;
  };
  const char first = in.peek();
  if (!is_digit(first)) {
    if (const auto at = or_else(month_first(in, now, false))) return at;
    if (const auto at = or_else(weekday_time(in, now))) return at;
    return numbers_without_year(in, now);
  }
  if (const auto at = or_else(iso_time(in))) return at;
  if (const auto at = or_else(common_log_time(in))) return at;
  if (const auto at = or_else(day_first(in, '-', ' '))) return at;
  if (const auto at = or_else(redis_time(in))) return at;
  if (const auto at = or_else(numbers_without_year(in, now))) return at;
  return unix_time(line, in);
}

}  // namespace

std::optional<leading_time> time_of_line(std::string_view line, time_us now) {
  reader in(line);
  if (in.literal('<')) {
    while (is_digit(in.peek())) in.seek(in.at() + 1);
    if (!in.literal('>')) return std::nullopt;
    // RFC 5424 has its version between priority and time.
    const auto start = in.at();
    if (!(in.number(1) && in.literal(' '))) in.seek(start);
  }
  const bool bracket = in.literal('[');
  if (const auto found = any_time(line, in, now)) {
    if (bracket) in.literal(']');
    return leading_time{found->at, in.at(), found->zoned};
  }
  // The Common Log Format has address, identity and user before its time.
  const auto open = find_bracket(line.substr(0, 200));
  if (open == line.npos) return std::nullopt;
  in.seek(open + 2);
  const auto found = common_log_time(in);
  if (!found) return std::nullopt;
  return leading_time{found->at, 0, found->zoned};
}

}  // namespace reeve::tasks
