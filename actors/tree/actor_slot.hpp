#pragma once
// Where others find a supervised actor: its supervisor puts each new incarnation here once it is up
// and takes it out when it is gone. Safe from any thread.

#include <caf/actor.hpp>
#include <mutex>
#include <utility>

namespace reeve::actors {

class actor_slot {
 public:
  /// The actor that is up now, or none.
  caf::actor get() const {
    const std::lock_guard lock(mutex_);
    return actor_;
  }
  void put(caf::actor actor) {
    const std::lock_guard lock(mutex_);
    actor_ = std::move(actor);
  }

 private:
  mutable std::mutex mutex_;
  caf::actor actor_;
};

}  // namespace reeve::actors
