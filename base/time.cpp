#include "base/time.hpp"

#include <algorithm>
#include <chrono>

namespace reeve {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::int64_t us_per_day = seconds_per_day * us_per_second;

constexpr time_us start_of(int of_year) {
  return sys_days{year{of_year} / 1 / 1}.time_since_epoch().count() * us_per_day;
}
constexpr time_us earliest = start_of(1);
constexpr time_us latest = start_of(10'000) - 1;

void put(char*& to, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  to += digits;
}

/// Reads from the front of a text; the first thing that is not there makes it bad for good.
class reader {
 public:
  explicit reader(std::string_view text) : rest_(text) {}

  bool bad() const { return bad_; }
  bool at_end() const { return rest_.empty(); }

  int number(int digits) {
    int value = 0;
    for (int i = 0; i < digits; ++i) value = value * 10 + digit();
    return value;
  }
  void expect(char c) {
    if (!accept(c)) bad_ = true;
  }
  bool accept(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool next_is_digit() const {
    return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
  }
  int digit() {
    if (!next_is_digit()) {
      bad_ = true;
      return 0;
    }
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }

 private:
  std::string_view rest_;
  bool bad_ = false;
};

/// Microseconds behind the point, 1 to 9 digits.
std::int64_t read_fraction(reader& in) {
  std::int64_t us = 0;
  int digits = 0;
  for (; digits < 9 && (digits == 0 || in.next_is_digit()); ++digits) {
    const int value = in.digit();
    if (digits < 6) us = us * 10 + value;
  }
  for (; digits < 6; ++digits) us *= 10;
  return us;
}

/// Seconds east of UTC.
std::optional<std::int64_t> read_offset(reader& in) {
  if (in.accept('Z') || in.accept('z')) return 0;
  const bool west = in.accept('-');
  if (!west) in.expect('+');
  const int hours = in.number(2);
  in.expect(':');
  const int minutes = in.number(2);
  if (in.bad() || hours > 23 || minutes > 59) return std::nullopt;
  const std::int64_t seconds = hours * 3600 + minutes * 60;
  return west ? -seconds : seconds;
}

class system_clock_port final : public clock_port {
 public:
  time_us now_us() override { return since_zero(std::chrono::system_clock::now()); }
  std::int64_t mono_us() override { return since_zero(std::chrono::steady_clock::now()); }

 private:
  template <class Point>
  static std::int64_t since_zero(Point at) {
    using std::chrono::microseconds;
    return std::chrono::duration_cast<microseconds>(at.time_since_epoch()).count();
  }
};

}  // namespace

std::string format_time(time_us at) {
  at = std::clamp(at, earliest, latest);
  std::int64_t days = at / us_per_day;
  std::int64_t rest = at % us_per_day;
  if (rest < 0) {
    rest += us_per_day;
    --days;
  }
  const std::chrono::year_month_day date{sys_days{std::chrono::days{days}}};
  const auto second = static_cast<unsigned>(rest / us_per_second);
  char text[] = "0000-00-00T00:00:00.000000Z";
  char* to = text;
  put(to, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put(++to, static_cast<unsigned>(date.month()), 2);
  put(++to, static_cast<unsigned>(date.day()), 2);
  put(++to, second / 3600, 2);
  put(++to, second / 60 % 60, 2);
  put(++to, second % 60, 2);
  put(++to, static_cast<unsigned>(rest % us_per_second), 6);
  return {text, sizeof text - 1};
}

std::optional<time_us> parse_time(std::string_view text) {
  reader in(text);
  const int years = in.number(4);
  in.expect('-');
  const int months = in.number(2);
  in.expect('-');
  const int days = in.number(2);
  if (!in.accept('T')) in.expect('t');
  const int hour = in.number(2);
  in.expect(':');
  const int minute = in.number(2);
  in.expect(':');
  const int second = in.number(2);
  const std::int64_t fraction = in.accept('.') ? read_fraction(in) : 0;
  const auto offset = read_offset(in);
  if (in.bad() || !offset || !in.at_end()) return std::nullopt;
  const std::chrono::year_month_day date{year{years},
                                         std::chrono::month{static_cast<unsigned>(months)},
                                         std::chrono::day{static_cast<unsigned>(days)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::int64_t of_day = hour * 3600 + minute * 60 + second - *offset;
  // A leap second exists at the end of a UTC day only; like POSIX, we count it as the next one.
  if (second == 60 && (of_day + seconds_per_day) % seconds_per_day != 0) return std::nullopt;
  const std::int64_t day_count = sys_days{date}.time_since_epoch().count();
  const time_us at = day_count * us_per_day + of_day * us_per_second + fraction;
  if (at < earliest || at > latest) return std::nullopt;
  return at;
}

clock_port& real_clock() {
  static system_clock_port clock;
  return clock;
}

}  // namespace reeve
