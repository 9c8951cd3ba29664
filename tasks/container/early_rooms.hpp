#pragma once
// How much of the outputs of jobs that run is watched and kept at once, over all attempts. Whoever
// gets none goes without: what is lost then is told at the end. Any thread.

#include "base/ids.hpp"
#include "base/shared_room.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace reeve::tasks {

class early_rooms {
 public:
  struct options {
    /// Outputs that are watched: each is a call to the engine that lasts.
    int places = 32;
    /// Of beginnings that are read and kept; half of it for one tenant.
    std::size_t bytes = 32 << 20;
  };

  /// Held until it goes. May outlive this.
  class room {
   public:
    virtual ~room() = default;
    /// It is no more than that, at least one byte.
    virtual void shrink(std::size_t bytes) = 0;
  };

  early_rooms() : early_rooms(options{}) {}
  explicit early_rooms(options most);

  /// Null: none is free. A place holds nothing but its own count.
  std::shared_ptr<void> place();
  /// Held by who waits for a place.
  std::shared_ptr<void> wait();
  /// Whether who has a place should let it go: one for each who waits.
  bool give_way();
  /// Null: so much is not there. Asked for more than all, one gets it who is alone.
  std::shared_ptr<room> keep(const uuid& tenant, std::size_t bytes);

 private:
  struct shared;
  class held_room;
  std::shared_ptr<shared> shared_;
};

}  // namespace reeve::tasks
