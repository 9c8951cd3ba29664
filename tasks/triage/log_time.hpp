#pragma once
// The time that a log line begins with. Many lines do not say in which zone it is: such a time is
// told apart, so that nobody takes it for UTC.

#include "base/time.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace reeve::tasks {

struct leading_time {
  /// Without a zone: what would be meant if the zone were UTC (see `zoned`).
  time_us at = 0;
  /// Bytes of the line that the time takes, with brackets around it.
  std::size_t length = 0;
  /// The line says in which zone: an offset, "Z", an abbreviation that has one meaning ("UTC",
  /// "EST", "CEST"; not "CST" or "IST"), or seconds since 1970.
  bool zoned = false;
};

/// Zones lie between UTC-12 and UTC+14: a local time may be that much earlier or later in UTC.
inline constexpr time_us max_west_us = 12 * 3600 * us_per_second;

/// Behind a bracket or a syslog "<13>" too:
///   2026-11-21T04:20:00.123Z, 2026-11-21 04:20:00,123 +0100, 2026/11/21 04:20:00 EST
///   Nov 21 04:20:00, also with a fraction; 11-21 04:20:00.123; E1121 04:20:00.123 (klog)
///     The missing year is taken so that the time lies at most a day after `now`.
///   Fri Nov 21 04:20:00.123 2026, Fri Nov 21 04:20:00 CET 2026, Fri, 21 Nov 2026 04:20:00 +0000
///   21-Nov-2026 04:20:00 UTC (PHP), 1:M 21 Nov 2026 04:20:00.123 (redis)
///   21/Nov/2026:04:20:00 +0000 (Common Log Format), in brackets anywhere in the first 200 bytes
///   Unix seconds, milli-, micro- or nanoseconds of this century (10, 13, 16 or 19 digits)
/// Nothing else is guessed.
std::optional<leading_time> time_of_line(std::string_view line, time_us now);

}  // namespace reeve::tasks
