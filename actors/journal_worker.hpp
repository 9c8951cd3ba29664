#pragma once
// The journal's thread: the only one that waits for the database. It drains its queue without a
// timer (what arrived during the last commit is the next batch), looks at the log every 250 ms when
// nothing else does, and comes back by itself when the database was away: a state with timers, in
// which external appends are refused at once and internal ones wait.

#include "base/leadership.hpp"
#include "base/slot.hpp"
#include "persistence/log_writer_port.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace reeve::actors {

/// External commands are refused at 80 % of the queue; results of what Reeve did itself never are.
enum class lane { external, internal };

struct append_call {
  persistence::append_request request;
  actors::lane lane = actors::lane::external;
  reply_slot<persistence::append_result> slot;
};

struct journal_worker_args {
  /// Open already; or none, then `make` gives one that is still to be opened.
  std::shared_ptr<persistence::log_writer> opened;
  std::function<std::shared_ptr<persistence::log_writer>()> make;
  /// Of an earlier incarnation; its end is waited for first.
  std::shared_ptr<class journal_worker> before;
  const leadership* lead = nullptr;
  // On the worker's thread:
  std::function<void()> on_ready;          // it leads for the first time
  std::function<void()> on_fenced;         // another server writes: the process must end with 75
  std::function<void(bool)> on_available;  // the database went away or came back
  std::function<void()> on_crash;          // an exception ended the thread
};

class journal_worker {
 public:
  /// A batch is at most this, so that no caller waits behind an endless commit.
  static constexpr std::size_t batch_events = 512;
  static constexpr std::size_t batch_bytes = 1 << 20;

  explicit journal_worker(journal_worker_args args);
  /// Stops and waits.
  ~journal_worker();
  journal_worker(const journal_worker&) = delete;
  journal_worker& operator=(const journal_worker&) = delete;

  // Any thread.
  void push(std::shared_ptr<append_call> call);
  /// Returns at once. `orderly`: the leadership is resigned in the log. What still waits is
  /// dropped.
  void stop(bool orderly);
  void join();

 private:
  using call_ptr = std::shared_ptr<append_call>;
  using clock = std::chrono::steady_clock;
  /// A batch that has requests without an answer yet, and who asked.
  struct open_batch {
    std::shared_ptr<persistence::journal_batch> batch;
    std::vector<call_ptr> calls;
    clock::time_point since;
  };

  void run();
  void work();
  bool open();
  bool may_take() const { return available_ && !paused_ && !pending_.empty(); }
  /// As many wait as are under way: fewer would make the next batch small, and all after it.
  bool is_worth_a_batch() const { return may_take() && pending_.size() >= in_air_; }
  std::vector<call_ptr> take();
  void flush(std::vector<call_ptr> calls);
  void land();
  void note_flight(std::size_t requests);
  void renew();
  void deliver();
  void deliver(open_batch& open);
  void note_state();
  void fenced();
  void refuse_external();

  journal_worker_args args_;
  std::shared_ptr<persistence::log_writer> journal_;
  std::deque<open_batch> open_;  // of the thread
  clock::time_point due_{};      // of the thread: when the log is looked at next
  bool was_ready_ = false;
  std::string told_;  // why it is not open

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<call_ptr> pending_;  // guarded by mutex_, like the rest
  std::size_t in_air_ = 0;        // requests whose statement is under way
  bool available_ = true;
  bool paused_ = false;  // something has to be tried again, but not at once
  bool stopping_ = false;
  bool orderly_ = false;

  std::mutex join_mutex_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace reeve::actors
