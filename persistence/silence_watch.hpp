#pragma once
// Who says nothing for how long, counted by the looker's own clock. The database's may be set: by
// it a leader at work could seem silent, and one that stands still to have spoken in the future.
// Inside persistence/ only.

#include "persistence/advisory_locks.hpp"

#include <cstdint>
#include <vector>

namespace reeve::persistence {

class silence_watch {
 public:
  /// One look, with a monotonic time; all that hold the lock now. Gives those that no look since so
  /// long ago has found at work or with another word behind them: never at the first.
  std::vector<lock_holder> look(const std::vector<lock_holder>& holders, std::int64_t mono_us,
                                std::int64_t silent_us);

 private:
  struct seen {
    lock_holder holder;
    std::int64_t since_us = 0;
  };
  std::vector<seen> silent_;
};

}  // namespace reeve::persistence
