#pragma once
// The engine's stream of a container's output, kept at both ends while it comes in.

#include "adapters/docker/docker_http.hpp"
#include "adapters/docker/log_frames.hpp"
#include "adapters/kept_output.hpp"

#include <cstdint>
#include <vector>

namespace reeve::adapters {

/// At most so many bytes does the engine's log file (json-file) have for a line: its text with what
/// JSON escapes, and about 78 around each part of 16 KiB.
std::size_t bytes_in_file(const log_line& line);

/// Of any size; a line that is longer comes in pieces, wherever it is read.
inline constexpr log_limits all_lines{.max_bytes = SIZE_MAX, .max_line_bytes = 4 * 16'384};

/// `internal` if that was not what the engine should send.
outcome<done> check_end(const log_demultiplexer& frames);

class output_reader final : public body_sink {
 public:
  explicit output_reader(std::size_t bytes_each,
                         std::size_t engine_bytes = std::size_t{default_log_bytes})
      : bytes_each_(bytes_each), engine_bytes_(engine_bytes) {}

  void restart() override;
  bool take(std::string_view bytes) override;
  /// `internal` if the stream was not what the engine should send.
  outcome<kept_output> finish();

 private:
  void pass_on(const std::vector<log_line>& lines);

  const std::size_t bytes_each_;
  const std::size_t engine_bytes_;
  std::size_t in_file_ = 0;
  log_demultiplexer frames_{false, all_lines};
  output_ends ends_{bytes_each_};
};

}  // namespace reeve::adapters
