#pragma once
// How bad a log line is, by what it says itself. An explicit level (JSON, logfmt, syslog priority,
// a letter or a level word in the head of the line) wins over words in the text; only an answer of
// 5xx in the line of an access log is an error though the line is said to be information.

#include "domain/fields.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// Ascending, so that the larger one is the worse one. `unknown` stands below debug as a number
/// but not in rank: nothing is known about it (see severity_points in log_triage.hpp).
enum class log_severity { unknown, debug, info, notice, warning, error, fatal };

}  // namespace reeve::tasks

template <>
struct reeve::domain::enum_names<reeve::tasks::log_severity> {
  static constexpr std::array<std::string_view, 7> names{"unknown", "debug", "info", "notice",
                                                         "warning", "error", "fatal"};
};

namespace reeve::tasks {

/// What a level word means, in any case ("WARN", "crit", "dbug"); 3 to 13 letters.
std::optional<log_severity> severity_from_word(std::string_view word);

/// What a capital letter means: V, T, D, I, N, W, E, C and F.
std::optional<log_severity> severity_from_letter(char letter);
/// That of syslog's numbers: 0 to 2 are fatal, 3 error, 4 warning, 5 notice, 6 info, 7 debug. Any
/// other number is unknown.
log_severity severity_from_syslog(int number);
/// The priority that a line begins with ("<11>"), facility * 8 + severity, 0 to 191.
std::optional<log_severity> severity_of_priority(std::string_view line);

/// klog and glog: a letter, month and day, then the time of day ("E0102 03:04:05.678"); glog also
/// with the year ("E20260102 03:04:05.678").
std::optional<log_severity> klog_severity(std::string_view line);

/// The explicit level of one clean line, if it has one.
std::optional<log_severity> explicit_severity(std::string_view line);

/// Explicit, else by the status of an access log, else by words. Linear in the line's size.
log_severity severity_of(std::string_view line);
/// The same for a line without structure whose explicit level is known.
log_severity severity_of_text(std::string_view line, std::optional<log_severity> level);

/// By words alone: panics, out-of-memory kills and crashes are fatal; exceptions, stack traces and
/// failures are errors; refusals, timeouts and retries are warnings. "0 errors", "no error" and
/// pieces of names ("errors.py") count for nothing (see log_marker.hpp).
log_severity severity_of_words(std::string_view line);

}  // namespace reeve::tasks
