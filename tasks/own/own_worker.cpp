#include "tasks/own/own_worker.hpp"

#include "base/log.hpp"
#include "base/named_thread.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace reeve::tasks {

struct own_worker::impl {
  struct job {
    work what;
    reply_slot<artifacts> slot;
  };

  explicit impl(std::string_view called)
      : name(called), thread(named_thread(called, [this] { carry_out_all(); })) {}
  ~impl() {
    {
      std::lock_guard lock(mutex);
      stops = true;  // what is under way as well
    }
    changed.notify_all();
    thread.join();
  }

  void carry_out_all() {
    for (;;) {
      job next;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return stops || !waiting.empty(); });
        if (stops) return;
        next = std::move(waiting.front());
        waiting.pop_front();
      }
      next.slot.answer(carry_out(next.what));
    }
  }

  outcome<artifacts> carry_out(const work& what) {
    try {
      return what(stops);
    } catch (...) {
      log_error("own work failed with an exception", {{"thread", name}});
      return reject(errc::internal, "the work failed");
    }
  }

  const std::string name;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<job> waiting;
  std::atomic<bool> stops = false;
  std::thread thread;  // last: it uses the rest
};

own_worker::own_worker(std::string_view name) : impl_(std::make_unique<impl>(name)) {}

own_worker::~own_worker() = default;

void own_worker::run(work what, reply_slot<artifacts> slot) {
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->waiting.size() < most_waiting) {
      impl_->waiting.push_back({std::move(what), slot});
      impl_->changed.notify_one();
      return;
    }
  }
  slot.answer(reject(errc::overloaded, "too much work is waiting"));
}

}  // namespace reeve::tasks
