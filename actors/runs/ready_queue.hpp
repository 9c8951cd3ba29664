#pragma once
// The one queue in front of the engine, over all runs. The next free place is for the tenant that
// has the fewest, and there for who has waited longest among those of the highest priority; of
// tenants with as many, for the older one. No tenant has all the places, so that another one's work
// begins at once. An attempt keeps its place until nothing of it is left on the engine. In memory:
// after a restart each run asks again for what it had asked for, with the age that the log gives
// it. Thread-safe.

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

  explicit ready_queue(std::int64_t places) : places_(places), share_(places - places / 8) {}

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
  /// A place for an attempt that the log says is open, whether one is free or not.
  void take(owner by, const uuid& tenant, const uuid& job);
  /// The job needs no place any more, or does not wait for one.
  void give_back(owner by, const uuid& job);
  void leave(owner by);

  std::size_t waiting() const;

 private:
  using key = std::tuple<std::int64_t, time_us, std::int64_t>;  // -priority, since, number
  using holder = std::pair<owner, uuid>;
  using places = std::map<holder, uuid>;  // whose place it is
  using line = std::map<key, request>;    // of one tenant, never empty

  // All with the lock held.
  bool is_full() const { return static_cast<std::int64_t>(held_.size()) >= places_; }
  std::int64_t held_of(const uuid& tenant) const;
  void hold(owner by, const uuid& tenant, const uuid& job);
  places::iterator drop(places::iterator place);
  template <class Which>
  void drop_waiting(const Which& which);
  std::map<uuid, line>::iterator next_line();
  std::vector<std::function<void()>> advance();

  const std::int64_t places_;
  const std::int64_t share_;  // of one tenant at most: an eighth is always left to others
  mutable std::mutex mutex_;
  std::int64_t next_ = 0;
  places held_;
  std::map<uuid, std::int64_t> held_by_tenant_;
  std::map<uuid, line> waiting_;
};

}  // namespace reeve::actors
