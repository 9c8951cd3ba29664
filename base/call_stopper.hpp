#pragma once
// Ends a call that lasts, from outside: nobody wants its answer any more.

#include <functional>
#include <mutex>
#include <utility>

namespace reeve {

/// Of one call, and shared with it. Any thread.
class call_stopper {
 public:
  /// What is under way ends soon; what has not begun ends at once.
  void stop() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    if (how_) how_();
  }
  bool is_stopped() const {
    const std::lock_guard lock(mutex_);
    return is_stopped_;
  }
  /// By who carries the call out: `how` only hands over, and is not called any more once this
  /// returns from being given nothing.
  void arm(std::function<void()> how) {
    const std::lock_guard lock(mutex_);
    how_ = std::move(how);
    if (is_stopped_ && how_) how_();
  }

 private:
  mutable std::mutex mutex_;
  bool is_stopped_ = false;
  std::function<void()> how_;
};

}  // namespace reeve
