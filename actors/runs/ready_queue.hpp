#pragma once
// The one queue in front of the engine, over all runs: who has waited longest among those of the
// highest priority gets the next free place. An attempt keeps its place until nothing of it is left
// on the engine. In memory: after a restart each run asks again for what it had asked for, with the
// age that the log gives it. Thread-safe.

#include "base/ids.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace reeve::actors {

class ready_queue {
 public:
  /// Whoever asks; all of its places go with it.
  using owner = const void*;

  explicit ready_queue(std::int64_t places) : places_(places) {}

  struct request {
    owner by = nullptr;
    uuid job;
    std::int64_t priority = 0;  // the greater, the sooner
    time_us since = 0;          // of those with the same priority the older first
    /// Called once when its turn comes, on any thread and not within `ask`: it may only hand over.
    std::function<void()> turn;
  };
  /// Whether its turn is now; else it waits.
  bool ask(request what);
  /// A place for an attempt that the log says is open, whether one is free or not.
  void take(owner by, const uuid& job);
  /// The job needs no place any more, or does not wait for one.
  void give_back(owner by, const uuid& job);
  void leave(owner by);

  std::size_t waiting() const;

 private:
  using key = std::tuple<std::int64_t, time_us, std::int64_t>;  // -priority, since, number
  using holder = std::pair<owner, uuid>;
  std::vector<std::function<void()>> advance();

  const std::int64_t places_;
  mutable std::mutex mutex_;
  std::int64_t next_ = 0;
  std::set<holder> held_;
  std::map<key, request> waiting_;
};

}  // namespace reeve::actors
