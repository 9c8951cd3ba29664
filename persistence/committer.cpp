#include "persistence/committer.hpp"

#include "base/named_thread.hpp"

#include <utility>

namespace reeve::persistence {

committer::~committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void committer::start(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  if (!thread_.joinable()) thread_ = named_thread("journal-send", [this] { work(); });
  changed_.notify_all();
}

void committer::wait(std::size_t left) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, left] { return jobs_.size() <= left; });
}

void committer::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !jobs_.empty() || stopping_; });
    if (jobs_.empty()) return;
    auto& job = jobs_.front();
    lock.unlock();
    job();
    lock.lock();
    jobs_.pop_front();
    lock.unlock();
    changed_.notify_all();
    lock.lock();
  }
}

}  // namespace reeve::persistence
