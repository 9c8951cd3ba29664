#pragma once
// A container's output as it comes, every line once and in order, or a word that some may be
// missing.
//
// An engine that is asked to follow an output which it rotates meanwhile jumps over whole files and
// tells others twice, without a word (Docker 20.10 at 10 MB/s). So it is followed in its first file
// alone. Beyond that it is read from where it was, again and again, and in between the engine is
// asked to follow only to learn that there is more. Who asked for the output of a container that
// has written more than the engine keeps is told at once that its beginning may be missing.
// An engine's clock that is set back by more than five seconds while much is written may cost lines
// unsaid.

#include "adapters/docker/docker_http.hpp"
#include "adapters/docker/log_place.hpp"
#include "base/slot.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace reeve::adapters {

class log_follow final : public std::enable_shared_from_this<log_follow> {
 public:
  struct extent {
    std::int64_t since_ns = 0;  // 0: from the beginning
    int last_lines = 0;         // so many at the most; 0: all. Costs the engine no more than those
  };
  /// What is asked of the engine, of the one container, on one thread. Each answers its slot once,
  /// also if the sink wanted no more; what is stopped answers soon, with an error.
  struct questions {
    /// What there is now.
    std::function<void(extent, std::shared_ptr<body_sink>, reply_slot<done>)> read;
    /// From the beginning, and on as it comes, until the container has ended.
    std::function<void(std::shared_ptr<body_sink>, reply_slot<done>)> follow;
    /// The last line, and on as it comes; begun after so many milliseconds. `timed_out` after some
    /// seconds.
    std::function<void(std::int64_t after_ms, std::shared_ptr<body_sink>, reply_slot<done>)> wait;
  };
  /// `log_bytes`: what the engine keeps (container_spec).
  log_follow(std::shared_ptr<output_sink> to, questions ask, std::size_t log_bytes,
             reply_slot<done> slot);
  void begin();

 private:
  enum class way { followed, tail, whole, anew };
  class first_look;
  class reading;
  class doze;
  void follow();
  void followed(reading& it, const outcome<done>& how);
  void read(way how);
  void was_read(reading& it, const outcome<done>& how);
  void wait(std::int64_t after_ms);
  void lose();
  void add(log_line part, std::vector<log_line>& whole);
  void end();

  const std::shared_ptr<output_sink> to_;
  const questions ask_;
  const std::size_t log_bytes_;
  const reply_slot<done> slot_;
  log_place place_;
  std::array<std::optional<log_line>, 3> open_;  // by stream: parts whose end has not come
  std::optional<log_line> first_;                // of what the engine had at the beginning
  bool is_beginning_lost_ = false;
  bool has_ended_ = false;
};

}  // namespace reeve::adapters
