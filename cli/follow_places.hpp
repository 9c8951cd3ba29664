#pragma once
// How many outputs of jobs are followed at once, and by whom. Any thread.

#include "base/ids.hpp"
#include "base/shared_room.hpp"

#include <mutex>

namespace reeve::cli {

/// Each has a call to the engine open; those that wait for the ends of attempts take 800 of the 900
/// that there are (serve_actors.cpp). One token has a quarter of them at most
/// (docs/decisions/0044-shares-of-what-is-scarce.md).
class follow_places {
 public:
  /// False: the token has its share, or there are too many in all.
  bool take(const uuid& token) {
    const std::lock_guard lock(mutex_);
    if (room_.fits(token, 1) != turn_verdict::take) return false;
    room_.hold(token, 1);
    return true;
  }
  /// Of one that was taken.
  void let_go(const uuid& token) {
    const std::lock_guard lock(mutex_);
    room_.let_go(token, 1);
  }

 private:
  std::mutex mutex_;
  shared_room room_{{16, 64}};
};

}  // namespace reeve::cli
