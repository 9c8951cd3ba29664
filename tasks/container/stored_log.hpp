#pragma once
// What is kept of a container's output: pure.

#include "adapters/engine_port.hpp"
#include "base/redact.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// What is collected at each end beyond the half of the limit, so that a secret which the cut goes
/// through is seen whole. More than the redactor ever holds back (64 KiB of a line and the longest
/// form of a secret, 48 KiB) and another such secret.
inline constexpr std::size_t redaction_margin = 256 << 10;

/// How many bytes of each end `stored_output` needs for a limit.
constexpr std::size_t ends_of(std::size_t limit) {
  return limit / 2 + redaction_margin;
}

struct stored_text {
  std::string text;
  bool truncated = false;  // something was left out for its size, or all for its processor time
  domain::line_marks lines = {};  // one for each of its lines; empty: not known, or no text
};

/// Makes of an output what is stored of it, in steps of at most 64 KiB of text.
class output_redaction {
 public:
  /// `kept` outlives it.
  output_redaction(const adapters::kept_output& kept, const redactor& rules, std::size_t limit);

  /// False: nothing is left to do.
  bool step();
  /// Once nothing is: as `stored_output`.
  stored_text finish();
  /// When it may not go on: nothing that is not redacted is kept, a line says how much that was.
  stored_text nothing() const;

 private:
  bool is_whole() const { return left_out_ == 0 && !lacks_middle_; }
  std::uint64_t written() const;
  void end_head();
  void leave_beginning_out();
  void end_tail();
  stored_text within_limit();
  stored_text told(stored_text text) const;
  domain::line_marks marks_of(std::string_view head, std::string_view tail) const;

  const bool lacks_beginning_;
  const bool lacks_middle_;
  const std::size_t limit_;  // beside the line that says so
  std::string_view head_;    // once it is redacted, what is shown of it
  std::string_view tail_;    // too
  domain::line_marks head_lines_, tail_lines_;
  std::uint64_t left_out_;
  std::string shown_;  // what one of them is made of where lines of it are left out
  redacting_stream before_, after_;
  std::size_t head_done_ = 0, tail_done_ = 0;
  std::size_t out_margin_ = 0;  // what was let out of the head when its margin was looked at
  std::string out_head_, out_begun_, out_tail_;
};

/// Redacted, and at most `limit` bytes (at least 1024): all of it; or its beginning and its end,
/// and between them a line that says how many of the job's bytes are left out. Cuts are between
/// lines where one ends nearby, and never inside a character. Where the engine may have let go of
/// the beginning, a line in its place says so, and what follows is not shown as far as it may be
/// the rest of a secret (lost_beginning.hpp). Where it has let go of what lies between two readings
/// (joined_output.hpp), the line between them says how many bytes that is at least.
stored_text stored_output(const adapters::kept_output& kept, const redactor& redact,
                          std::size_t limit);

/// What is said of the streams of a text; nothing if its lines are not known. Its `marks` are left
/// out: they are those of the lines, and needed unless all of them are of one stream.
std::optional<domain::log_streams> streams_of(const stored_text& text);

}  // namespace reeve::tasks
