#pragma once
// From the redacted lines of one stream of one source to records: envelopes are taken off, what is
// inside is cleaned, and the lines of each speaker (a stream, a process) are folded by themselves,
// so that a stack trace stays whole though others speak in between.

#include "base/time.hpp"
#include "tasks/triage/log_opener.hpp"
#include "tasks/triage/log_record.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::tasks {

class record_reader {
 public:
  /// Speakers with an unfinished record at one time. One more, and the record of the one that has
  /// been silent for longest is finished.
  static constexpr std::size_t max_lanes = 8;
  /// Of one message that came in one line; what is beyond counts as one more.
  static constexpr std::size_t max_message_lines = 2000;

  /// A line without JSON is cut at `line_bytes`, one with JSON only at max_opened_bytes: it is read
  /// before it is cut.
  explicit record_reader(std::size_t line_bytes) : line_bytes_(line_bytes) {}

  /// One line without its newline, any bytes. Appends the records that it ended. `number` is that
  /// of the records which it begins; of one in several parts, that of the last part.
  void add(std::string_view line, std::optional<time_us> at, std::vector<log_record>& done,
           std::int64_t number = 0);
  void finish(std::vector<log_record>& done);

 private:
  struct lane {
    std::string name;
    line_folder folder;
    std::uint64_t used = 0;
  };

  void take(const opened_message& opened, std::string_view line, std::vector<log_record>& done);
  void take_line(line_folder& folder, std::string_view bytes, log_line from,
                 std::vector<log_record>& done);
  lane& lane_of(const std::string& name, std::vector<log_record>& done);

  std::size_t line_bytes_;
  envelope_opener opener_;
  std::vector<lane> lanes_;
  std::uint64_t turn_ = 0;
  std::int64_t number_ = 0;
  std::string text_;  // clean, of the line that is being read, as are the next
  std::string whole_;
  std::string tag_;
};

}  // namespace reeve::tasks
