#pragma once
// The lines of one stream with their envelopes (log_envelope.hpp) taken off, where one line may be
// many: parts that are joined, messages of several lines, the export format of journalctl.

#include "base/time.hpp"
#include "tasks/triage/log_envelope.hpp"
#include "tasks/triage/log_severity.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::tasks {

struct opened_message {
  std::string text;  // bytes as they came; newlines if the message has several lines
  std::string lane;
  std::string tag;
  std::optional<log_severity> level;
  std::optional<time_us> at;
  bool is_end = false;  // the line as it came ends with this text, or is it
};

/// Opens the lines of one stream, in order: parts are joined, messages of several lines come as
/// one. Envelopes in envelopes are opened too, up to three. Holds at most two unfinished lines,
/// each of max_opened_bytes, and one entry of the export format of max_entry_bytes, whose message
/// is cut at max_opened_bytes. Lines that began like such an entry and prove to be none (they have
/// no MESSAGE, a size that is none, or no end within the limits) come as the lines that they are.
class envelope_opener {
 public:
  static constexpr std::size_t max_lane_bytes = 256;  // a longer one is told apart by a number
  static constexpr std::size_t max_entry_bytes = 4 * max_opened_bytes;
  static constexpr std::size_t max_entry_lines = 4096;

  /// What this line completed; valid until the next call. `at` is the line's own time.
  std::span<const opened_message> open(std::string_view line, std::optional<time_us> at);
  /// What had not ended.
  std::span<const opened_message> finish();

 private:
  struct held_line {
    std::string text;
    std::optional<time_us> at;
  };
  struct export_entry {
    bool has_message = false;
    std::string message;
    std::string tag;
    std::string process;
    std::optional<int> priority;
    bool from_stdout = false;
    std::optional<time_us> at;
    std::vector<held_line> lines;  // as they came
    std::size_t bytes = 0;         // of these
  };
  struct part_of_line {
    std::string lane;
    std::string text;
  };
  enum class binary_line { inside, behind, impossible };

  void put(std::string_view text, opened_message from);
  void clear();
  void open_plain(std::string_view line, std::optional<time_us> at, bool is_current);
  bool open_export(std::string_view line, std::optional<time_us> at);
  bool hold(std::string_view line, std::optional<time_us> at);
  void give_back();
  void take_field(std::string_view name, std::string_view value);
  binary_line take_binary(std::string_view line);
  void end_binary();
  bool end_export(std::optional<time_us> at);
  std::string* part_of(std::string_view lane);

  std::vector<opened_message> opened_;  // the first `used_`
  std::size_t used_ = 0;
  std::string lane_;  // of the line before: one without an envelope belongs to it
  std::vector<part_of_line> parts_;
  std::optional<export_entry> entry_;
  std::string binary_name_;  // of the field whose bytes are being read, or empty
  std::string binary_;       // its size in eight bytes, and its bytes
  std::size_t binary_seen_ = 0;
};

}  // namespace reeve::tasks
