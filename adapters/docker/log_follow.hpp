#pragma once
// A container's output as it comes, every line once and in order, or a word that some may be
// missing.
//
// The engine's own way to follow can be trusted within the first file of its log alone
// (log_place.hpp). Beyond it the output is read again and again from where it was, without
// following: some times a second while much comes, else every few seconds, so that the engine
// spends no more than a fifth of a processor on it.

#include "adapters/docker/docker_http.hpp"
#include "adapters/docker/log_frames.hpp"
#include "adapters/docker/log_place.hpp"
#include "base/slot.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace reeve::adapters {

class log_follow final : public std::enable_shared_from_this<log_follow> {
 public:
  /// What is asked of the engine, of the one container. Each answers its slot once; what is stopped
  /// answers soon, with an error.
  struct questions {
    /// From the beginning, and on as it comes.
    std::function<void(std::shared_ptr<body_sink>, reply_slot<done>)> follow;
    /// From that time on, what there is.
    std::function<void(std::int64_t since_ns, std::shared_ptr<body_sink>, reply_slot<done>)> read;
    /// Whether it runs; asked after so many milliseconds.
    std::function<void(std::int64_t after_ms, reply_slot<bool>)> runs;
  };
  /// `trusted_bytes`: of the engine's file, so much is followed.
  log_follow(std::shared_ptr<output_sink> to, questions ask, std::size_t trusted_bytes,
             reply_slot<done> slot)
      : to_(std::move(to)), ask_(std::move(ask)), trusted_(trusted_bytes), slot_(std::move(slot)) {}

  void begin();

 private:
  class part;
  void followed(part& it, const outcome<done>& how);
  void next_round(std::int64_t after_ms);
  void read_on(bool is_last);
  void was_read(part& it, const outcome<done>& how);

  const std::shared_ptr<output_sink> to_;
  const questions ask_;
  const std::size_t trusted_;
  const reply_slot<done> slot_;
  log_place place_;
};

}  // namespace reeve::adapters
