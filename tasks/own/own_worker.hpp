#pragma once
// A thread for work that Reeve does itself and that may wait: for the engine, for programs, for
// files. One piece of work after the other, in turns by tenant, and of a tenant's by job.

#include "adapters/engine_port.hpp"
#include "base/slot.hpp"
#include "base/turn_queue.hpp"
#include "base/work_stop.hpp"
#include "tasks/produced_artifact.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::tasks {

class own_worker {
 public:
  static constexpr turn_limits most_waiting{64, 256};
  using artifacts = std::vector<produced_artifact>;
  /// Ends soon once `stops` is true; what it throws is `internal`.
  using work = std::function<outcome<artifacts>(const std::atomic<bool>& stops)>;

  /// `name` is a literal, the thread's (docs/threads.md). `gives_way`: it works on foreign text
  /// (base/named_thread.hpp).
  explicit own_worker(std::string_view name, bool gives_way = false);
  /// What waits is answered `unavailable`, and so is what is under way, soon.
  ~own_worker();
  own_worker(const own_worker&) = delete;
  own_worker& operator=(const own_worker&) = delete;

  /// `overloaded` if that much of the tenant's waits already, and for what has to give way to one
  /// who has less waiting. `its`, which no other queue has, ends it: what waits leaves at once and
  /// is answered `unavailable`, and for what is under way `stops` is true. Null: nobody ends it.
  void run(const work_source& whose, std::shared_ptr<work_stop> its, work what,
           reply_slot<artifacts> slot);

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

inline rejection server_stops() {
  return reject(errc::unavailable, "the server stops");
}

/// The answer to a call of the engine's, which has deadlines of its own; this one is for what
/// waits at its door as well. Blocks.
template <class T>
outcome<T> answer_of(const std::function<void(reply_slot<T>)>& call,
                     const std::atomic<bool>& stops) {
  constexpr auto tick = std::chrono::milliseconds(50);
  constexpr auto limit = std::chrono::seconds(60);
  auto promise = std::make_shared<std::promise<outcome<T>>>();
  auto answer = promise->get_future();
  call(reply_slot<T>([promise](outcome<T> a) { promise->set_value(std::move(a)); }));
  const auto until = std::chrono::steady_clock::now() + limit;
  while (answer.wait_for(tick) != std::future_status::ready) {
    if (stops) return server_stops();
    if (std::chrono::steady_clock::now() < until) continue;
    return reject(errc::timed_out, "the engine did not answer in time");
  }
  return answer.get();
}

}  // namespace reeve::tasks
