#pragma once
// The contract of whatever executes attempts. An attempt is known by its key, which is decided
// before anything is sent: `find` says how far it came, `submit` makes it run at most once, `watch`
// tells its end. Docker and the simulated engine are container engines (container_work.hpp).
//
// Calls return at once and answer their slot once, on a thread of the adapter. What changes
// anything carries the token of the leadership that decided it. Answers are in the words of the
// machine that decides (domain/runs/attempt.hpp); errors that say nothing about the attempt are
// `errc`s.

#include "adapters/engine_port.hpp"
#include "base/digest.hpp"
#include "domain/runs/attempt_types.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace reeve::adapters {

/// What an engine offers, and the image that was asked for as it has it.
struct engine_capabilities {
  std::string engine;       ///< "docker" or "simulated"
  std::string engine_id;    ///< another engine at the same place has another one; may be empty
  std::int64_t slots = 0;   ///< attempts at once
  bool outlives_us = true;  ///< what it holds is there when this process is started again
  std::optional<image_info> image;
};

struct work_key {
  label_map labels;                ///< of this attempt alone: what has others is not it
  std::string name;                ///< deterministic
  std::string volume;              ///< holds the marker of its execution
  bool volume_came_first = false;  ///< it was there before the intent named it
  std::string image_id;            ///< as it was listed
  std::string engine_id;           ///< of the intent; empty if it has none
  std::string execution;           ///< the engine's id of it, as far as it is known; empty else
};

struct work_spec {
  container_spec container;
  shared_bytes archive;   ///< unpacked on the volume; null: it could not be made
  bool prepared = false;  ///< the volume has it already, as far as is known
  /// Why it may not start (any more); asked again right before each step: what may be mounted can
  /// change, and whether it is wanted. Any thread.
  std::function<std::optional<domain::end_reason>()> hindrance;
};

/// It runs (or ran already); it was refused, and nothing runs; or nobody knows.
using submit_answer =
    std::variant<domain::attempts::submitted, domain::attempts::refused, domain::attempts::failed>;

class work_engine {
 public:
  virtual ~work_engine() = default;

  virtual std::string_view kind() const = 0;
  /// Attempts at once; what waits for a slot is not the engine's to know.
  virtual std::int64_t slots() const = 0;
  /// Attempts at once between their turn and their start.
  virtual std::int64_t starts() const = 0;
  /// Answers with no error if the engine is there; nothing of an attempt is asked.
  virtual void reach(reply_slot<done> slot) = 0;
  /// `not_found` or `invalid`: the image is not there, or no image at all, or none that leaves the
  /// attempt's volume alone.
  virtual void capabilities(std::string image, reply_slot<engine_capabilities> slot) = 0;
  /// Makes the volume of the key, before the intent names it. One that is there is a success.
  virtual void prepare(work_key key, fencing_token by, reply_slot<done> slot) = 0;
  virtual void find(work_key key, reply_slot<domain::attempts::found> slot) = 0;
  /// In place of one of the same key that never started. Never answers with an error.
  virtual void submit(work_key key, work_spec spec, fencing_token by,
                      reply_slot<submit_answer> slot) = 0;
  /// Answers when the execution has ended.
  virtual void watch(std::string execution, reply_slot<wait_result> slot) = 0;
  /// Politely, then by force after the grace. What is gone was not running.
  virtual void stop(std::string execution, int grace_s, fencing_token by,
                    reply_slot<stop_result> slot) = 0;
  /// At most `bytes_each` (> 0) of the beginning and of the end of its output
  /// (container_engine::output).
  virtual void collect(std::string execution, std::size_t bytes_each,
                       std::shared_ptr<call_stopper> stopper, reply_slot<kept_output> slot) = 0;
  /// Its output as it comes (container_engine::follow).
  virtual void follow(std::string execution, std::shared_ptr<output_sink> to,
                      std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) = 0;
  /// Removes what is left of it.
  virtual void forget(work_key key, fencing_token by, reply_slot<done> slot) = 0;
};

/// Of everything that a container engine would be asked for.
digest hash_of(const container_spec& spec);

/// What a failed call means to an attempt.
constexpr domain::attempts::failure failure_of(errc code) {
  using domain::attempts::failure;
  switch (code) {
    case errc::engine_unavailable:
      return failure::away;
    case errc::overloaded:
    case errc::fenced:
      return failure::busy;
    case errc::timed_out:
    case errc::unavailable:
      return failure::silent;
    case errc::engine_unreadable:
      return failure::unreadable;
    default:
      return failure::broken;
  }
}

}  // namespace reeve::adapters
