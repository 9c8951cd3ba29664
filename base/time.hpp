#pragma once
// Time as Reeve keeps it: microseconds since the Unix epoch, UTC, in a signed 64-bit integer.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve {

using time_us = std::int64_t;

inline constexpr time_us us_per_second = 1'000'000;

/// RFC 3339 in UTC with six digits: "2026-11-21T04:20:00.000123Z". Years 0001..9999; what lies
/// outside is clamped.
std::string format_time(time_us at);
/// RFC 3339 with any offset and 0..9 fraction digits (beyond six they are cut). Nothing else.
std::optional<time_us> parse_time(std::string_view text);

class clock_port {
 public:
  virtual ~clock_port() = default;
  /// Wall clock; may jump.
  virtual time_us now_us() = 0;
  /// Monotonic clock, for timeouts; its zero means nothing.
  virtual std::int64_t mono_us() = 0;
};

clock_port& real_clock();

}  // namespace reeve
