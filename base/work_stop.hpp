#pragma once
// Ends one piece of work from outside: nobody wants it any more. What waits for its turn leaves its
// queue at once, and what is under way sees it soon.

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

namespace reeve {

/// Of one piece of work, or of several that wait in one queue. Any thread.
class work_stop {
 public:
  void stop() {
    std::function<void()> how;
    {
      const std::lock_guard lock(mutex_);
      stops_ = true;
      how = how_;
    }
    // Without the lock: what leaves a queue may answer somebody.
    if (how) how();
  }
  bool is_stopped() const { return stops_; }
  /// For who looks often.
  const std::atomic<bool>& flag() const { return stops_; }

  /// By the queue, once the work is in it: `leave` takes the work out, wherever it stands there. It
  /// may be called on any thread, also when the queue is gone; at once if the work was stopped.
  void on_stop(std::function<void()> leave) {
    {
      const std::lock_guard lock(mutex_);
      how_ = leave;
      if (!stops_) return;
    }
    leave();
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> stops_ = false;
  std::function<void()> how_;
};

}  // namespace reeve
