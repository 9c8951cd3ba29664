#pragma once
// The attempts that crashes have interrupted twice in a row, one after the other: what happens to
// the process during a last try is then that attempt's doing. Thread-safe.

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace reeve::actors {

class last_tries : public std::enable_shared_from_this<last_tries> {
 public:
  /// Whoever holds it has the turn; the next one follows when the last copy is gone.
  using ticket = std::shared_ptr<void>;

  /// Calls `turn` once, at once or on the thread that gives the turn back: it may only hand over.
  void ask(std::function<void(ticket)> turn) {
    {
      const std::lock_guard lock(mutex_);
      if (taken_ || handing_) return waiting_.push_back(std::move(turn));
      taken_ = true;
    }
    turn(make());
  }

 private:
  ticket make() {
    return {static_cast<void*>(this), [keep = shared_from_this()](void*) { keep->next(); }};
  }
  /// One after the other, however many give the turn back at once: their actors may be no more.
  void next() {
    std::unique_lock lock(mutex_);
    taken_ = false;
    if (handing_) return;  // whoever hands over goes on with it
    handing_ = true;
    while (!taken_ && !waiting_.empty()) {
      taken_ = true;
      auto turn = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      turn(make());
      turn = nullptr;
      lock.lock();
    }
    handing_ = false;
  }

  std::mutex mutex_;
  bool taken_ = false;
  bool handing_ = false;  // `next` is at work
  std::deque<std::function<void(ticket)>> waiting_;
};

}  // namespace reeve::actors
