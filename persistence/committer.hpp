#pragma once
// A thread that sends one statement at a time, while the journal's own thread prepares the next
// one. Inside persistence/ only.

#include <condition_variable>
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

  /// `job` must not throw; the one before it has been waited for.
  void start(std::function<void()> job);
  void wait();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> job_;  // empty: there is nothing to do
  bool stopping_ = false;
  std::thread thread_;  // from the first job on
};

}  // namespace reeve::persistence
