#pragma once
// The engine's stream of a container's output, kept at both ends while it comes in.

#include "adapters/docker/docker_http.hpp"
#include "adapters/docker/log_frames.hpp"
#include "adapters/kept_output.hpp"

namespace reeve::adapters {

class output_reader final : public body_sink {
 public:
  explicit output_reader(std::size_t bytes_each) : bytes_each_(bytes_each) {}

  void restart() override;
  bool take(std::string_view bytes) override;
  /// `internal` if the stream was not what the engine should send.
  outcome<kept_output> finish();

 private:
  void pass_on();

  const std::size_t bytes_each_;
  log_demultiplexer frames_{false, any_size};
  output_ends ends_{bytes_each_};
  static constexpr log_limits any_size{.max_bytes = SIZE_MAX, .max_line_bytes = 4 * 16'384};
};

}  // namespace reeve::adapters
