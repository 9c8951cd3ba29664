#pragma once
// Which lines of a stream lie before the time from which on logs are read.

#include "base/time.hpp"
#include "tasks/triage/log_record.hpp"
#include "tasks/triage/log_triage.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// The time that a line says of itself (see time_of_record), as it comes: colours, control
/// characters and byte order marks count as little as they do for its text. `room` is for the line
/// without them; one that has none is not copied.
std::optional<leading_time> time_of_raw_line(std::string_view line, time_us now, std::string& room);

/// `undated` is kept as well: it may lie before it or not.
enum class since_verdict { kept, older, undated };

/// For the lines of one stream, in order. A line is older if its time is, in every zone that it may
/// mean, or if it has none and belongs to the record of an older line (the frames of its trace).
class since_filter {
 public:
  explicit since_filter(const triage_options& options)
      : now_(options.now),
        since_(options.since),
        local_offset_s_(options.local_offset_s),
        line_bytes_(options.line_bytes) {}

  struct decision {
    since_verdict is = since_verdict::kept;
    std::optional<time_us> at;  // in UTC, as far as the zone is known
  };
  /// `at` is the caller's knowledge, which is exact; without it the line's own time counts.
  decision look(std::string_view line, std::optional<time_us> at);

 private:
  std::optional<leading_time> time_of(std::string_view line);
  bool is_part_of_older(std::string_view line);

  time_us now_;
  std::optional<time_us> since_;
  std::function<std::int64_t(time_us)> local_offset_s_;
  std::size_t line_bytes_;
  // The line that was left out last by its time, until it is in the folder; nothing once a line was
  // kept.
  std::optional<std::string> older_;
  line_folder older_record_;
  // Of the line before, if it was the first of java.util.logging's two: the second has no time.
  std::optional<leading_time> two_lines_;
  std::string room_;
};

}  // namespace reeve::tasks
