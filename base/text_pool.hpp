#pragma once
// Threads for work on foreign text: what a job printed may cost much processor time, whatever the
// code does about it, and neither an actor nor whoever writes the log may pay for it. Bounded in
// threads, in the bytes that are held and in the processor time of each piece of work; the threads
// give way to all others, so that requests are answered while they work.
//
// Room comes first: who has a text to work on asks for room before he reads it, and waits for it in
// turns with others, so that nothing is read that nobody has room for, and nothing is read twice.
// The work is done in steps, and tenants take turns with them, and so do the jobs of each: a large
// or costly text holds up another one by a step at most.

#include "base/slot.hpp"
#include "base/turn_queue.hpp"
#include "base/work_stop.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace reeve {

/// Whether work may go on. A step that takes longer than 64 KiB of text do is to ask in between.
class text_leave {
 public:
  using duration = std::chrono::nanoseconds;
  text_leave(const std::atomic<bool>& stopping, const work_stop* stop, duration budget);

  /// Nobody waits for the answer: the pool ends, or it was stopped.
  bool is_stopped() const;
  /// The work took its processor time; from then on always true.
  bool is_spent() const;
  bool may_go_on() const { return !is_stopped() && !is_spent(); }

 private:
  const std::atomic<bool>& stopping_;
  const work_stop* stop_;
  duration until_;  // of this thread's processor time
};

/// Room for a text, held until it goes. May outlive the pool.
class text_room {
 public:
  virtual ~text_room() = default;
  /// It is no more than that, at least 1 KiB; what it held besides is free at once.
  virtual void shrink(std::size_t bytes) = 0;
};

class text_pool {
 public:
  using room = std::shared_ptr<text_room>;
  /// One step. True: there is more to do, in another turn; one that was begun without leave has
  /// been the last. What throws is dropped.
  using work = std::function<bool(const text_leave&)>;
  using stop = std::shared_ptr<work_stop>;  // null: it is never stopped

  struct options {
    std::size_t threads = 0;         // 0: half of the processors, 1 to 4
    std::size_t bytes = 32 << 20;    // of texts that are read, wait or are worked on
    std::size_t one_percent = 50;    // of that for one tenant
    turn_limits asking{1024, 4096};  // more than attempts and readers there are at once
    /// Of processor time for all steps of one piece of work. The worst text that is known takes 8 s
    /// for 16 MiB.
    std::chrono::nanoseconds budget = std::chrono::seconds(30);
  };

  text_pool() : text_pool(options{}) {}
  explicit text_pool(options settings);
  /// What waits is dropped unanswered, what is under way is stopped.
  ~text_pool();
  text_pool(const text_pool&) = delete;
  text_pool& operator=(const text_pool&) = delete;

  /// Answered with room for so many bytes, at once or later; what is larger than all of the room
  /// gets it when nothing else is held. Errors: overloaded (too many ask already), unavailable (it
  /// was stopped, or the pool ends). `its` stops what is asked for and what is then posted; no
  /// other queue has it.
  void ask(const work_source& whose, std::size_t bytes, stop its, reply_slot<room> slot);
  /// Behind what the same job has waiting. The room goes with the work, which is dropped when it is
  /// stopped.
  void post(const work_source& whose, room held, stop its, work what);

  struct impl;

 private:
  std::shared_ptr<impl> impl_;
};

}  // namespace reeve
