#pragma once
// Lines of which the members have names: JSON objects and logfmt. Names are compared without case
// and without "_", "-" and ".", so "LogLevel", "log_level" and "log.level" are one.

#include "tasks/triage/log_severity.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// What a structured line says about itself; empty members were not there. Texts are unescaped,
/// clean, on one line, and cut at 2,048 bytes.
struct structured_line {
  /// By the scale that its name has: words; numbers of syslog (0 to 7), bunyan and pino (10 to 60),
  /// Monolog (100 to 600), Python's levelno, OpenTelemetry's severityNumber and .NET's LogLevel;
  /// letters of MongoDB. A word wins over a number.
  std::optional<log_severity> level;
  std::string message;
  std::string error;  // the line of an exception that names it
  std::string time;   // for time_in_structured_line, empty elsewhere
  /// HTTP status of a line that also says what was asked for.
  std::optional<int> status;
};

/// A JSON object on one line: the members of its outermost level, and those of the objects in which
/// known loggers put level and message ("log", "error", "fields", "body", "record", …). An object
/// that was cut counts if its level was read before.
std::optional<structured_line> read_json_line(std::string_view line);

/// key=value pairs with a level and a message, or pairs from the first word on with a level.
std::optional<structured_line> read_logfmt_line(std::string_view line);

/// One of both.
std::optional<structured_line> read_structured_line(std::string_view line);

/// Its time alone, which costs less; empty if there is none.
std::string time_in_structured_line(std::string_view line);

/// The level of such a line: the one that it states, else what its message, its error and its HTTP
/// status mean. Other members are not looked at: a URL may hold any word.
log_severity severity_of_structured(const structured_line& line);

}  // namespace reeve::tasks
