#pragma once
// Threads for work on foreign text: what a job printed may cost much processor time, whatever the
// code does about it, and neither an actor nor whoever writes the log may pay for it. Bounded in
// threads, in what waits and in the processor time of each piece of work; the threads give way to
// all others, so that requests are answered while they work.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace reeve {

/// Set to true by who does not want the answer any more; may be set from any thread.
using text_cancellation = std::shared_ptr<std::atomic<bool>>;

/// Whether work may go on. It is to ask between pieces of at most 64 KiB.
class text_leave {
 public:
  using duration = std::chrono::milliseconds;
  text_leave(const std::atomic<bool>& stopping, text_cancellation cancelled, duration budget);

  /// Nobody waits for the answer: the pool ends, or it was cancelled.
  bool is_stopped() const;
  /// The work took its processor time; from then on always true.
  bool is_spent() const;
  bool may_go_on() const { return !is_stopped() && !is_spent(); }

 private:
  const std::atomic<bool>& stopping_;
  text_cancellation cancelled_;
  std::chrono::nanoseconds until_;  // of this thread's processor time
};

class text_pool {
 public:
  using work = std::function<void(const text_leave&)>;

  struct options {
    std::size_t threads = 0;  // 0: half of the processors, 1 to 4
    std::size_t waiting = 256;
    std::size_t waiting_bytes = 32 << 20;
    /// Of processor time for one piece of work. The worst text that is known takes 8 s for the
    /// 16 MiB that are kept of a job at most.
    std::chrono::milliseconds budget = std::chrono::seconds(30);
  };

  text_pool() : text_pool(options{}) {}
  explicit text_pool(options settings);
  /// What waits is dropped unanswered, what is under way is stopped.
  ~text_pool();
  text_pool(const text_pool&) = delete;
  text_pool& operator=(const text_pool&) = delete;

  /// In the order in which it came, `bytes` being what the work holds. False: too much waits; try
  /// later. Work that has more bytes than may wait is taken when nothing else waits. What throws
  /// is dropped.
  [[nodiscard]] bool post(std::size_t bytes, text_cancellation cancelled, work what);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve
