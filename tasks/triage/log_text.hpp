#pragma once
// The bytes of a log line made fit to be kept: valid UTF-8, no control characters, no terminal
// colours, and of limited length. Also the time at the start of a line.

#include "base/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// Escape sequences (CSI, OSC) and other control characters are dropped, a tab becomes a space
/// except at the start (indentation is kept as spaces), and bytes that are not UTF-8 become U+FFFD.
/// The result has at most `max_bytes` and never ends inside a character.
std::string clean_line(std::string_view bytes, std::size_t max_bytes);

/// At most `max_bytes`, cut between characters, with "…" if something was cut.
std::string shortened(std::string_view text, std::size_t max_bytes);

struct leading_time {
  time_us at = 0;
  /// Bytes of the line that the time takes, with brackets around it.
  std::size_t length = 0;
};

/// The time that a line begins with: RFC 3339 and its usual relatives ("2026-11-21 04:20:00,123",
/// "2026/11/21 04:20:00"; without an offset it is taken as UTC), also in brackets or behind a
/// syslog "<13>"; syslog ("Nov 21 04:20:00"), whose missing year is taken so that the time lies at
/// most a day after `now`; the Common Log Format's "[21/Nov/2026:04:20:00 +0000]" anywhere; Unix
/// seconds, milli-, micro- or nanoseconds of this century (10, 13, 16 or 19 digits). Nothing else
/// is guessed.
std::optional<leading_time> time_of_line(std::string_view line, time_us now);

}  // namespace reeve::tasks
