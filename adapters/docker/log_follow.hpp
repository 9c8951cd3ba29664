#pragma once
// A container's output as it comes, every line once and in order, or a word that some may be
// missing.
//
// An engine that is asked to follow an output which it rotates meanwhile jumps over whole files and
// tells others twice, without a word (Docker 20.10 at 10 MB/s). So it is followed in its first file
// alone. Beyond that its end is read again and again, as much of it as reaches back to where it was
// read to (log_place.hpp), and in between the engine is asked to follow only to learn that there is
// more. Who asked for the output of a container that has written more than the engine keeps is told
// at once that its beginning may be missing.
// A sink that does not need every line is told what the engine tells who follows.

#include "adapters/docker/docker_http.hpp"
#include "adapters/docker/log_place.hpp"
#include "base/slot.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace reeve::adapters {

class log_follow final : public std::enable_shared_from_this<log_follow> {
 public:
  /// What is asked of the engine, of the one container, on one thread. Each answers its slot once,
  /// also if the sink wanted no more; what is stopped answers soon, with an error.
  struct questions {
    /// What there is now: so many lines or parts of lines at its end, 0 for all. Costs the engine
    /// no more than those.
    std::function<void(int last_lines, std::shared_ptr<body_sink>, reply_slot<done>)> read;
    /// From the beginning, and on as it comes, until the container has ended.
    std::function<void(std::shared_ptr<body_sink>, reply_slot<done>)> follow;
    /// The last line, and on as it comes; begun after so many milliseconds. `timed_out` after some
    /// seconds.
    std::function<void(std::int64_t after_ms, std::shared_ptr<body_sink>, reply_slot<done>)> wait;
    /// Of all who ask the engine: so many read again and again.
    std::shared_ptr<std::atomic<int>> readers = std::make_shared<std::atomic<int>>(0);
  };
  /// `log_bytes`: what the engine keeps (container_spec).
  log_follow(std::shared_ptr<output_sink> to, questions ask, std::size_t log_bytes,
             reply_slot<done> slot);
  ~log_follow();
  log_follow(const log_follow&) = delete;
  log_follow& operator=(const log_follow&) = delete;
  void begin();

 private:
  class first_look;
  class followed_lines;
  class reading;
  class doze;
  /// Of so much in its files it may have let go of some: it does so an eighth at a time.
  std::size_t surely_kept() const { return log_bytes_ - log_bytes_ / 8; }
  void look_first();
  void follow();
  void followed(followed_lines& it, const outcome<done>& how);
  void look();
  void read(int last_lines);
  void was_read(reading& it, const outcome<done>& how);
  std::int64_t pause_ms(bool is_behind) const;
  void wait(std::int64_t after_ms);
  void tell(log_line part);
  void tell_gap();
  void hand_on();
  void end();

  const std::shared_ptr<output_sink> to_;
  const questions ask_;
  const std::size_t log_bytes_;
  const reply_slot<done> slot_;
  log_place place_;
  std::array<std::optional<log_line>, 3> open_;  // by stream: parts whose end has not come
  std::vector<log_line> ready_;                  // to be handed on
  bool is_at_gap_ = false;                       // nothing was told since
  std::optional<log_line> first_;                // of what the engine had at the beginning
  bool is_beginning_lost_ = false;
  bool is_reader_ = false;
  bool has_ended_ = false;
  std::int64_t look_ms_ = 0;  // what the engine was asked for since the last pause took so long
};

}  // namespace reeve::adapters
