#include "adapters/timer_thread.hpp"

#include "base/named_thread.hpp"

namespace reeve::adapters {

timer_thread::timer_thread(std::string_view name)
    : thread_(named_thread(name, [this] { run(); })) {}

timer_thread::~timer_thread() {
  stop();
}

void timer_thread::stop() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void timer_thread::post_at(steady::time_point at, std::function<void()> job) {
  {
    std::lock_guard lock{mutex_};
    jobs_.emplace(at, std::move(job));
  }
  changed_.notify_all();
}

void timer_thread::run() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    if (jobs_.empty()) {
      changed_.wait(lock);
      continue;
    }
    auto first = jobs_.begin();
    if (first->first > steady::now()) {
      changed_.wait_until(lock, steady::time_point{first->first});
      continue;
    }
    auto job = std::move(first->second);
    jobs_.erase(first);
    lock.unlock();
    job();
    // Destroyed before the lock: a slot that it holds may answer in its destructor.
    job = nullptr;
    lock.lock();
  }
}

}  // namespace reeve::adapters
