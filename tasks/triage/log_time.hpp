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
  /// It may be so much later: 59.999999 s where the line has no seconds.
  time_us unsure_us = 0;
};

/// Zones lie between UTC-12 and UTC+14: a local time may be that much earlier or later in UTC.
inline constexpr time_us max_west_us = us_per_second * 3600 * 12;

/// Behind a bracket, a syslog "<13>" or WebLogic's "####<" too, and behind a level, words in
/// brackets and the name of a speaker (see log_time_head.hpp; the length is 0 then):
///   2026-11-21T04:20:00.123Z, 2026-11-21 04:20:00,123 +0100, 2026/11/21 04:20:00 EST, 2026.11.21
///   04:20, 2026-11-21, 04:20:00 UTC (Airflow), 20261121T042000Z, 20261121 04:20:00
///   Nov 21 04:20:00, also with a fraction; 11-21 04:20:00.123; E1121 04:20:00.123 (klog)
///     The missing year is taken so that the time lies at most a day after `now`.
///   Nov 21, 2026 4:20:00 PM (java.util.logging, WebLogic), Nov 21 2026 04:20:00
///   Fri Nov 21 04:20:00.123 2026, Fri Nov 21 04:20:00 CET 2026, Fri, 21 Nov 2026 04:20:00 +0000
///   21 Nov 2026 04:20:00,123, 21-Nov-2026 04:20:00 UTC (PHP), 21.11.2026 04:20:00,
///   1:M 21 Nov 2026 04:20:00.123 (redis)
///   11/21/2026 4:20:00 PM: the month is first only with AM or PM, in capitals; else such a date
///   may
///     be either and is none
///   21/Nov/2026:04:20:00 +0000 (Common Log Format), in brackets anywhere in the first 200 bytes
///   Unix seconds, milli-, micro- or nanoseconds of this century (10, 13, 16 or 19 digits), and
///     1.79e+09 (zap); not behind a level or brackets, but for [1795161600.123]
/// "AM" and "PM" may stand behind each time of day up to 12:59:59, and seconds may be missing where
/// the date has a year. A date that no calendar has is none. Nothing else is guessed.
std::optional<leading_time> time_of_line(std::string_view line, time_us now);

/// The same, but only what the line itself begins with (its length is not 0 then).
std::optional<leading_time> time_at_front(std::string_view line, time_us now);

}  // namespace reeve::tasks
