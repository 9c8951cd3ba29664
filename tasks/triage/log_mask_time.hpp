#pragma once
// How much of a text is a date, a time of day, or both: for masking, where only the size matters.

#include <cstddef>
#include <string_view>

namespace reeve::tasks {

/// Bytes at the start of `text` that are a time, 0 if none; a word never goes on behind it.
///   2026-11-21, 2026/11/21, 2026.11.21, 21/Nov/2026, 21-Nov-2026, 21-NOV-2026, 21 Nov 2026,
///   7/16/2026, 17/06/09, 1.11.2026 or 10.30 before a time of day, Nov 21, Nov 21, 2026, 20261121
///   before a time of day
///   04:20, 4:20:00, with a fraction, PM, an offset or the name of a zone; 15.42.50.675872 behind a
///   date; 20261121T042000.123Z
///   a day of the week before them, and a year behind them ("Fri Nov 21 04:20:00 CET 2026")
std::size_t time_size(std::string_view text);

/// Six digits for the day and six for the time ("081109 203615"), as lines of some loggers begin.
std::size_t compact_time_size(std::string_view line);

/// A day of the week in English with a capital, in three letters or whole.
bool names_a_day(std::string_view word);

}  // namespace reeve::tasks
