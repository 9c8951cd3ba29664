#pragma once
// One thread that runs what it is given, at a time or at once, in that order.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>

namespace reeve::adapters {

class timer_thread {
 public:
  using steady = std::chrono::steady_clock;

  /// `name` is the thread's, a literal.
  explicit timer_thread(std::string_view name);
  ~timer_thread();
  timer_thread(const timer_thread&) = delete;
  timer_thread& operator=(const timer_thread&) = delete;

  /// Jobs of the same time run in the order of the calls. A job may post others.
  void post(std::function<void()> job) { post_at(steady::now(), std::move(job)); }
  void post_at(steady::time_point at, std::function<void()> job);
  /// Waits for the job that runs; others are destroyed with this object, unrun. Not from a job.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<steady::time_point, std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;  // last: it starts when everything else is there
};

}  // namespace reeve::adapters
