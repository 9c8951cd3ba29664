#include "tasks/triage/log_text.hpp"

#include "base/utf8.hpp"

#include <array>
#include <cstdint>

namespace reeve::tasks {
namespace {

using byte = unsigned char;

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::string_view ellipsis = "\xE2\x80\xA6";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Bytes of the valid UTF-8 character at the start, 0 if there is none (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<byte>(text[i]); };
  const byte lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && at(1) < 0xA0) return 0;
  if (lead == 0xED && at(1) > 0x9F) return 0;
  if (lead == 0xF0 && at(1) < 0x90) return 0;
  if (lead == 0xF4 && at(1) > 0x8F) return 0;
  return size;
}

/// Bytes of an escape sequence: ESC [ ... letter, ESC ] ... BEL, or ESC and one more.
std::size_t escape_size(std::string_view text) {
  if (text.size() < 2) return 1;
  if (text[1] == '[') {
    std::size_t i = 2;
    while (i < text.size() && i < 64 && (text[i] < '@' || text[i] > '~')) ++i;
    return i < text.size() ? i + 1 : i;
  }
  if (text[1] == ']') {
    std::size_t i = 2;
    while (i < text.size() && i < 256 && text[i] != '\x07' && text[i] != '\x1B') ++i;
    return i < text.size() ? i + 1 : i;
  }
  return 2;
}

/// Characters that change how a text is shown without being seen: bidirectional overrides and
/// zero-width ones. They would let a log line disguise what it says.
bool is_deceptive(std::string_view character) {
  if (character.size() != 3 || character[0] != '\xE2') return false;
  const auto mid = static_cast<byte>(character[1]);
  const auto last = static_cast<byte>(character[2]);
  return (mid == 0x80 && ((last >= 0x8B && last <= 0x8F) || (last >= 0xA8 && last <= 0xAE))) ||
         (mid == 0x81 && last >= 0xA0 && last <= 0xAF);
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
    if (at_ >= text_.size() || choices.find(text_[at_]) == choices.npos) return false;
    ++at_;
    return true;
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
  std::optional<int> month() {
    static constexpr std::array<std::string_view, 12> names = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (text_.substr(at_).starts_with(names[i])) {
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

/// "04:20:00"
std::optional<std::int64_t> clock(reader& in) {
  const auto hour = in.number(2);
  if (!hour || !in.literal(':')) return std::nullopt;
  const auto minute = in.number(2);
  if (!minute || !in.literal(':')) return std::nullopt;
  const auto second = in.number(2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return *hour * 3600 + *minute * 60 + *second;
}

/// "Z", "+01:00", "+0100", also behind one space; the microseconds to subtract.
std::int64_t offset_us(reader& in) {
  const auto start = in.at();
  if (in.any_of("Zz")) return 0;
  in.literal(' ');
  const bool minus = in.peek() == '-';
  if (in.any_of("+-")) {
    const auto hour = in.number(2);
    if (hour) in.literal(':');
    const auto minute = hour ? in.number(2) : std::nullopt;
    if (minute && *hour < 24 && *minute < 60 && !is_digit(in.peek())) {
      const auto us = (*hour * 3600 + *minute * 60) * us_per_second;
      return minus ? -us : us;
    }
  }
  in.seek(start);
  return 0;
}

std::optional<time_us> iso_time(reader& in) {
  const auto year = in.number(4);
  if (!year || !in.any_of("-/")) return std::nullopt;
  const auto month = in.number(2);
  if (!month || !in.any_of("-/")) return std::nullopt;
  const auto day = in.number(2);
  if (!day || !in.any_of("Tt ")) return std::nullopt;
  const auto clock_s = clock(in);
  if (!clock_s) return std::nullopt;
  const auto whole = assemble(*year, *month, *day, *clock_s);
  if (!whole) return std::nullopt;
  const auto us = in.any_of(".,") ? in.fraction() : 0;
  return *whole + us - offset_us(in);
}

std::optional<time_us> syslog_time(reader& in, time_us now) {
  const auto month = in.month();
  if (!month || !in.literal(' ')) return std::nullopt;
  const bool padded = in.literal(' ');
  const auto day = in.number(padded ? 1 : 2);
  if (!day || !in.literal(' ')) return std::nullopt;
  const auto clock_s = clock(in);
  if (!clock_s) return std::nullopt;
  const auto year = year_of(now);
  const auto this_year = assemble(year, *month, *day, *clock_s);
  if (this_year && *this_year > now + 86'400 * us_per_second) {
    return assemble(year - 1, *month, *day, *clock_s);
  }
  return this_year;
}

std::optional<time_us> common_log_time(reader& in) {
  const auto day = in.number(2);
  if (!day || !in.literal('/')) return std::nullopt;
  const auto month = in.month();
  if (!month || !in.literal('/')) return std::nullopt;
  const auto year = in.number(4);
  if (!year || !in.literal(':')) return std::nullopt;
  const auto clock_s = clock(in);
  if (!clock_s) return std::nullopt;
  const auto whole = assemble(*year, *month, *day, *clock_s);
  if (!whole) return std::nullopt;
  return *whole - offset_us(in);
}

/// Of this century: 10 digits are seconds from 2001-09-09 on, 13 milliseconds, 16 microseconds, 19
/// nanoseconds.
std::optional<time_us> unix_time(std::string_view line, reader& in) {
  std::size_t digits = in.at();
  while (digits < line.size() && is_digit(line[digits])) ++digits;
  const auto count = digits - in.at();
  if (count < 10 || count > 19 || count % 3 != 1 || line[in.at()] == '0') return std::nullopt;
  const auto value = in.number(count);
  const auto us = count == 10 && in.literal('.') ? in.fraction() : 0;
  const char next = in.peek();
  if (next != ' ' && next != ']' && next != ':' && next != '\0') return std::nullopt;
  if (count == 10) return *value * us_per_second + us;
  return count == 13 ? *value * 1000 : count == 16 ? *value : *value / 1000;
}

std::optional<time_us> any_time(std::string_view line, reader& in, time_us now) {
  const auto start = in.at();
  if (const auto at = iso_time(in)) return at;
  in.seek(start);
  if (const auto at = syslog_time(in, now)) return at;
  in.seek(start);
  if (const auto at = common_log_time(in)) return at;
  in.seek(start);
  return unix_time(line, in);
}

}  // namespace

std::string clean_line(std::string_view bytes, std::size_t max_bytes) {
  std::string out;
  bool indent = true;
  while (!bytes.empty()) {
    const auto size = character_size(bytes);
    std::string_view piece = size == 0 ? replacement : bytes.substr(0, size);
    std::size_t taken = size == 0 ? 1 : size;
    if (bytes[0] == '\x1B') {
      piece = {};
      taken = escape_size(bytes);
    } else if (bytes[0] == '\t') {
      piece = indent ? "    " : " ";
    } else if (size == 1 && (static_cast<byte>(bytes[0]) < 0x20 || bytes[0] == '\x7F')) {
      piece = {};
    } else if (size == 2 && bytes[0] == '\xC2' && static_cast<byte>(bytes[1]) < 0xA0) {
      piece = {};  // C1 control characters
    } else if (is_deceptive(piece)) {
      piece = {};
    }
    if (out.size() + piece.size() > max_bytes) break;
    if (!piece.empty() && piece[0] != ' ') indent = false;
    out.append(piece);
    bytes.remove_prefix(taken);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  const auto room = max_bytes > ellipsis.size() ? max_bytes - ellipsis.size() : 0;
  return std::string(utf8_prefix(text, room)).append(ellipsis);
}

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
  if (const auto at = any_time(line, in, now)) {
    if (bracket) in.literal(']');
    return leading_time{*at, in.at()};
  }
  // The Common Log Format has address, identity and user before its time.
  const auto open = line.substr(0, 200).find(" [");
  if (open == line.npos) return std::nullopt;
  in.seek(open + 2);
  const auto at = common_log_time(in);
  if (!at) return std::nullopt;
  return leading_time{*at, 0};
}

}  // namespace reeve::tasks
