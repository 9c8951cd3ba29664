#pragma once
// A thread that sends one statement after the other, while the journal's own thread prepares the
// next one. Inside persistence/ only.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace reeve::persistence {

class committer {
 public:
  committer() = default;
  /// Waits for what is under way.
  ~committer();
  committer(const committer&) = delete;
  committer& operator=(const committer&) = delete;

  /// Behind those that were given before. `job` must not throw.
  void start(std::function<void()> job);
  /// Until at most so many are not done yet.
  void wait(std::size_t left = 0);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;  // the first one is at work
  bool stopping_ = false;
  std::thread thread_;  // from the first job on
};

}  // namespace reeve::persistence
