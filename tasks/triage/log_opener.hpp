#pragma once
// The lines of one stream with their envelopes (log_envelope.hpp) taken off, where one line may be
// many: parts that are joined, messages of several lines, the export format of journalctl.

#include "base/time.hpp"
#include "tasks/triage/log_severity.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::tasks {

struct opened_line {
  std::string text;  // bytes as they came, without a newline
  std::string lane;
  std::string tag;
  std::optional<log_severity> level;
  std::optional<time_us> at;  // of a message that took several lines to read; else the line's own
  bool joined = false;        // a further line of the message before it
  bool is_end = false;        // the line as it came ends with this text, or is it
};

/// Opens the lines of one stream, in order: parts are joined, messages of several lines come as
/// such. Envelopes in envelopes are opened too, up to three. Holds at most two unfinished lines and
/// one message of the export format, each of max_opened_bytes; what is beyond is dropped.
class envelope_opener {
 public:
  /// What this line completed; valid until the next call.
  std::span<const opened_line> open(std::string_view line);
  /// What had not ended.
  std::span<const opened_line> finish();

 private:
  struct export_entry {
    std::string message;
    std::string tag;
    std::string process;
    std::optional<int> priority;
    bool from_stdout = false;
    std::optional<time_us> at;
  };
  struct part_of_line {
    std::string lane;
    std::string text;
  };

  opened_line& put();
  void put_message(std::string_view text, const opened_line& from);
  void open_plain(std::string_view line);
  bool open_export(std::string_view line);
  void take_field(std::string_view name, std::string_view value);
  bool take_binary(std::string_view line);
  void end_export();
  std::string* part_of(std::string_view lane);

  std::vector<opened_line> lines_;
  std::size_t used_ = 0;
  std::string lane_;  // of the line before: one without an envelope belongs to it
  std::vector<part_of_line> parts_;
  std::optional<export_entry> entry_;
  std::string binary_name_;  // of the field whose bytes are being read, or empty
  std::string binary_;       // its size in eight bytes, and its bytes
  std::size_t binary_seen_ = 0;
};

}  // namespace reeve::tasks
