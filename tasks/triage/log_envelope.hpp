#pragma once
// What collectors wrap around a line is taken off before anything is read from it: the line inside
// is what the program said, and may be JSON, logfmt, klog or a part of a stack trace.
//
//   CRI           2018-10-31T19:24:49.1Z stdout F message        (kubelet's container logs)
//   docker        {"log":"message\n","stream":"stderr","time":"…"}
//   RFC 3164      <11>Nov 20 08:00:00 host app[71]: message      (also without its priority, and
//                 with an RFC 3339 time and a process id, as rsyslog and journalctl write it)
//   RFC 5424      <11>1 2026-11-20T08:00:00Z host app 71 id [sd x="y"] message
//   journald      {"MESSAGE":"message","PRIORITY":"3",…}, and the export format of journalctl
//
// Bytes are taken as they come, and taken off only where the whole form fits.

#include "tasks/triage/log_severity.hpp"
#include "tasks/triage/log_time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// What was joined of parts, and a message of the journal, are cut here.
inline constexpr std::size_t max_opened_bytes = std::size_t{64} * 1024;

struct log_envelope {
  std::string_view body;                 // what is inside, a view into the line …
  std::optional<std::string> unescaped;  // … or this where it had to be unescaped
  std::string_view lane;  // who spoke: a stream, or a process; lines of one lane belong together
  std::string_view tag;   // the program's name, if the envelope has one
  std::optional<log_severity> level;  // that of a syslog priority
  std::optional<leading_time> time;   // its own
  bool partial = false;  // the rest of this line comes in further envelopes of the same lane
  std::string_view text() const { return unescaped ? std::string_view(*unescaped) : body; }
};

/// The outermost envelope of one line without its newline, if it is in one. `now` is for times
/// without a year (see time_of_line), whose answer for the line may be given by who has it.
std::optional<log_envelope> take_envelope(std::string_view line, time_us now,
                                          const std::optional<leading_time>* time = nullptr);

/// The level of a message in the journal: its priority, 0 to 7. What a service prints gets 6 from
/// journald, whatever it says: nobody has stated that.
std::optional<log_severity> journal_severity(std::optional<int> priority, bool from_stdout);

}  // namespace reeve::tasks
