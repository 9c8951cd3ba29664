#pragma once
// Takes the engine's log stream apart, in pieces of any size. Without a tty it comes as frames
// [stream, 0, 0, 0, length big-endian 32] + payload, where the engine splits payloads at 16384
// bytes, a frame may span reads and a line may span frames. With a tty it is raw bytes.
// Asked with timestamps=1, every frame begins with an RFC 3339 time of nine digits and a space; in
// the raw form every line does. What the engine cannot read it tells in between, without a time: in
// a frame of stream 3, in the raw form as a line.

#include "adapters/engine_port.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::adapters {

struct log_limits {
  std::size_t max_bytes = 1 << 20;  ///< all lines with a newline each
  /// A longer line is cut into several, the last of which is ended.
  std::size_t max_line_bytes = 1 << 16;
  /// Of a long line each part comes as a line that is not ended, as soon as it is there: so they
  /// are in the order in which the engine has them, whatever the other stream says in between.
  bool in_parts = false;
};

/// Reads "2026-11-21T04:20:00.123456789Z" (any offset, 0..9 digits) at the start of `text`.
struct stamped_text {
  std::int64_t at_ns = 0;
  std::string_view rest;
};
std::optional<stamped_text> take_stamp(std::string_view text);

/// What is told of a log, in place of the engine's words.
inline constexpr const char* broken_log = "the engine's log stream is broken";
inline constexpr const char* unreadable_log = "the engine could not read all of the log";

class log_demultiplexer {
 public:
  log_demultiplexer(bool tty, log_limits limits) : tty_(tty), limits_(limits) {}

  /// False once nothing more is taken: the limit was reached or the stream is not what it should
  /// be (see `broken`).
  bool feed(std::string_view bytes);
  /// The lines that have ended since it was asked last.
  std::vector<log_line> take() { return std::exchange(lines_, {}); }
  /// Ends the stream: a last line without its newline counts, and says so. To be called once.
  std::vector<log_line> finish();

  bool truncated() const { return truncated_; }
  /// A frame header that no engine sends (stream above 3, bytes that are not zero), or an end
  /// within a frame.
  bool broken() const { return broken_; }
  /// More of a frame is to come.
  bool is_inside() const { return header_size_ != 0; }
  /// Whether the engine said that it could not read some of it. Its words quote paths of the host.
  bool has_problem() const { return has_problem_; }

 private:
  struct pending_line {
    std::string text;
    std::int64_t at_ns = 0;
    bool open = false;
  };

  bool start_frame();
  void end_frame();
  void add_text(log_stream stream, std::string_view text, std::int64_t at_ns);
  void add_raw(std::string_view bytes);
  void emit(log_stream stream, bool is_ended);

  bool tty_;
  log_limits limits_;
  std::array<unsigned char, 8> header_{};
  std::size_t header_size_ = 0;
  std::size_t missing_ = 0;  // bytes of the frame that have not come yet
  std::string frame_;
  std::array<pending_line, 3> pending_;  // by stream; 0 is never used
  std::vector<log_line> lines_;
  std::size_t taken_ = 0;
  bool truncated_ = false;
  bool broken_ = false;
  bool has_problem_ = false;
};

}  // namespace reeve::adapters
