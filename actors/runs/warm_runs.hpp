#pragma once
// Runs that were looked at of late, as they were then: the next look reads only what has come
// since. Without this each look would read a run's whole stream again. Thread-safe.

#include "actors/executor.hpp"
#include "actors/rebuild.hpp"
#include "domain/runs/run.hpp"

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace reeve::actors {

class warm_runs : public std::enable_shared_from_this<warm_runs> {
 public:
  /// A run with some hundred jobs takes some hundred kilobytes.
  static constexpr std::size_t kept = 64;

  using state_ptr = std::shared_ptr<const domain::run_state>;

  /// The run as it is; version 0 if this tenant has none.
  void find(persistence::read_port& reads, const uuid& tenant, const uuid& run,
            reply_slot<state_ptr> slot) {
    const place where{tenant, run};
    const auto known = look_up(where);
    auto from = known ? std::make_shared<domain::run_state>(*known)
                      : blank_state<domain::run_state>(tenant);
    rebuild_from<domain::run_state>(
        reads, tenant, domain::stream_of<domain::run_state>(run), std::move(from), {},
        reply_slot<state_ptr>([self = shared_from_this(), where, slot](outcome<state_ptr> found) {
          if (found && (*found)->stream_version > 0) self->keep(where, *found);
          slot.answer(std::move(found));
        }));
  }

 private:
  using entry = std::pair<place, state_ptr>;

  state_ptr look_up(const place& where) {
    const std::lock_guard lock(mutex_);
    const auto it = places_.find(where);
    if (it == places_.end()) return nullptr;
    order_.splice(order_.begin(), order_, it->second);
    return it->second->second;
  }

  void keep(const place& where, const state_ptr& state) {
    const std::lock_guard lock(mutex_);
    const auto it = places_.find(where);
    if (it != places_.end()) {
      // Two looks at once may end in another order than they began.
      auto& known = it->second->second;
      if (known->stream_version < state->stream_version) known = state;
      return;
    }
    order_.emplace_front(where, state);
    places_[where] = order_.begin();
    if (order_.size() <= kept) return;
    places_.erase(order_.back().first);
    order_.pop_back();
  }

  std::mutex mutex_;
  std::list<entry> order_;  // most recently used first
  std::unordered_map<place, std::list<entry>::iterator, place_hash> places_;
};

}  // namespace reeve::actors
