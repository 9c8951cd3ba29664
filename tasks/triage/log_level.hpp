#pragma once
// The level in the head of an unstructured line: what stands before the message. A word that is a
// level elsewhere ("Login failed, info: …") is prose here, and counts for nothing.

#include "tasks/triage/log_severity.hpp"

#include <optional>
#include <string_view>

namespace reeve::tasks {

/// At most the first 320 bytes are looked at, and only as far as they look like a head: times,
/// names, numbers, and what stands in brackets, but at most two words of prose. There a level word
/// counts
///   in capitals                  ERROR, [main] WARN, app.ERROR:, npm ERR!
///   in any case, boxed           [error], [ warn], <info>, |debug|, [core:error]
///   in any case, as a column     between tabs, or before two spaces, behind a time
///   in any case, before a colon  error:, gcc: warning: (with no prose before it)
/// and a letter where known loggers put one: klog, logcat, MongoDB's old text, Jupyter, redis.
/// A mild level behind worse words counts for nothing. "fatal error:" is fatal.
std::optional<log_severity> level_of_head(std::string_view line);

/// The level in a column of its own between tabs, for lines that are not clean yet.
std::optional<log_severity> level_between_tabs(std::string_view line);

}  // namespace reeve::tasks
