#pragma once
// One job's attempt under way, whatever its kind. Lives in the run's actor; answers of ports hold
// it by shared pointer and find it closed when they come too late.

#include "actors/runs/run_machine.hpp"

#include <memory>
#include <optional>

namespace reeve::actors {

class job_attempt : public std::enable_shared_from_this<job_attempt> {
 public:
  job_attempt(run_machine& run, const uuid& job) : run_(run), job_(job) {}
  virtual ~job_attempt() = default;

  /// Before the intent: checks and preparations, then the intent, then the work.
  virtual void prepare() = 0;
  /// After a restart, with the intent in the log: finds out how far it came. `crashed`: the actor
  /// before this one failed, or its process died, perhaps over this attempt.
  virtual void resume(bool crashed) = 0;
  /// A client cancelled the run.
  virtual void cancel() = 0;
  virtual void engine_back() {}
  /// What an operator decided about a quarantined attempt is in the log.
  virtual void released() = 0;
  virtual void discarded() { close(); }
  /// Answers that still come are ignored; the log says what was done.
  void abandon() { closed_ = true; }

 protected:
  const domain::job_state& job() const { return *run_.state().find(job_); }
  const domain::task_spec& task() const { return run_.state().task_of(job()); }
  /// Ends the attempt in the log, with the events `before`, and closes it.
  void end(domain::end_reason reason, domain::run_events before = {});
  /// Fails the job without an attempt.
  void refuse(domain::end_reason reason);
  /// Calls `go` when this attempt alone is to be tried a last time, `after_ms` from now at the
  /// earliest. The turn is given back by `turn_.reset()`, or with the attempt.
  void ask_turn(std::int64_t after_ms, std::function<void()> go);
  /// A slot that resumes here, in the actor, unless the attempt is closed.
  template <class T, class F>
  reply_slot<T> then(F f) {
    return resume_with<T>(run_.handle(),
                          [keep = shared_from_this(), f = std::move(f)](outcome<T> r) mutable {
                            if (!keep->closed_) f(std::move(r));
                          });
  }
  /// The same for calls without an answer: timers, the engine's return.
  std::function<void()> later(std::function<void()> f) {
    return [keep = shared_from_this(), f = std::move(f)] {
      if (!keep->closed_) f();
    };
  }
  std::function<void(fencing_token)> later_with(std::function<void(fencing_token)> f) {
    return [keep = shared_from_this(), f = std::move(f)](fencing_token by) {
      if (!keep->closed_) f(by);
    };
  }
  void close();

  run_machine& run_;
  uuid job_;
  bool closed_ = false;
  last_tries::ticket turn_;
};

std::shared_ptr<job_attempt> make_triage_attempt(run_machine& run, const uuid& job);

}  // namespace reeve::actors
