#pragma once
// The one queue in front of the engine, over all runs. The next free place is for the tenant that
// has the fewest, and there for who has waited longest among those of the highest priority; of
// tenants with as many, for the older one. No tenant has all the places, so that another one's work
// begins at once. An attempt keeps its place until nothing of it is left on the engine.
//
// Behind the turn stands a narrower door: the time for the start runs from the turn, and what has
// its turn together is made together, so that with many nobody's start comes before everybody's
// creation. No more than `starts` are between their turn and their start, and of one tenant not all
// of them. In memory: after a restart each run asks again for what it had asked for, with the age
// that the log gives it. Thread-safe.

#include "base/ids.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

namespace reeve::actors {

class ready_queue {
 public:
  /// Whoever asks; all of its places go with it.
  using owner = const void*;

  /// `starts`: turns at once of which nothing has started yet.
  ready_queue(std::int64_t places, std::int64_t starts) : places_(places), starts_(starts) {}
  explicit ready_queue(std::int64_t places) : ready_queue(places, places) {}

  struct request {
    owner by = nullptr;
    uuid tenant;
    uuid job;
    std::int64_t priority = 0;  // the greater, the sooner; among those of one tenant
    time_us since = 0;          // of those with the same priority the older first
    /// Called once when its turn comes, on any thread and not within `ask`: it may only hand over.
    std::function<void()> turn;
  };
  /// Whether its turn is now; else it waits.
  bool ask(request what);
  /// Its start is in the log, or nobody has to wait for it any more: it keeps its place, and the
  /// next one has its turn.
  void started(owner by, const uuid& job);
  /// A place for an attempt that the log says is open, whether one is free or not. It had its turn.
  void take(owner by, const uuid& tenant, const uuid& job);
  /// The job needs no place any more, or does not wait for one.
  void give_back(owner by, const uuid& job);
  void leave(owner by);

  std::size_t waiting() const;

 private:
  using key = std::tuple<std::int64_t, time_us, std::int64_t>;  // -priority, since, number
  using holder = std::pair<owner, uuid>;
  struct spot {
    uuid tenant;
    bool starting = false;
  };
  struct sums {
    std::int64_t held = 0;
    std::int64_t starting = 0;
  };
  using places = std::map<holder, spot>;
  using line = std::map<key, request>;  // of one tenant, never empty

  // All with the lock held.
  bool is_full() const {
    return static_cast<std::int64_t>(held_.size()) >= places_ || starting_ >= starts_;
  }
  sums of(const uuid& tenant) const;
  /// Whether the tenant has its share of the places, or of the starts.
  bool has_share(const uuid& tenant) const;
  void hold(owner by, const uuid& tenant, const uuid& job, bool starting);
  void set_started(spot& its);
  places::iterator drop(places::iterator place);
  template <class Which>
  void drop_waiting(const Which& which);
  std::map<uuid, line>::iterator next_line();
  std::vector<std::function<void()>> advance();

  const std::int64_t places_;
  const std::int64_t starts_;
  mutable std::mutex mutex_;
  std::int64_t next_ = 0;
  places held_;
  std::int64_t starting_ = 0;
  std::map<uuid, sums> by_tenant_;
  std::map<uuid, line> waiting_;
};

}  // namespace reeve::actors
