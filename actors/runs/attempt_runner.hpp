#pragma once
// One job's attempt under way, whatever the kind of its task: carries out what the machine of
// domain/runs/attempt.hpp decides, and tells it what came of it. What differs between kinds is
// asked of the kind's own part (tasks/attempt_work.hpp). Lives in the run's actor; answers of ports
// hold it by shared pointer and find it closed when they come too late.

#include "actors/runs/run_machine.hpp"
#include "domain/runs/attempt.hpp"
#include "tasks/attempt_work.hpp"

#include <deque>
#include <functional>
#include <memory>

namespace reeve::actors {

class attempt_runner final : public tasks::attempt_host,
                             public std::enable_shared_from_this<attempt_runner> {
 public:
  /// Null: the kind is not part of this version.
  static std::shared_ptr<attempt_runner> make(run_machine& run, const uuid& job);

  /// Before the intent: checks and preparations, then the intent, then the work.
  void prepare();
  /// After a restart, with the intent in the log: finds out how far it came. `crashed`: the actor
  /// before this one failed, or its process died, perhaps over this attempt.
  void resume(bool crashed);
  /// A client cancelled the run.
  void cancel();
  void engine_back();
  /// What an operator decided about a quarantined attempt is in the log.
  void released();
  void discarded();
  /// Answers that still come are ignored; the log says what was done.
  void abandon();

  const tasks::attempt_ports& ports() const override { return run_.ports().attempts; }
  const domain::run_state& run() const override { return run_.state(); }
  const domain::job_state& job() const override { return *run_.state().find(job_); }
  void feed(domain::attempts::input answer) override;
  void when_allowed(std::function<void(fencing_token)> f) override;
  void after(std::chrono::milliseconds time, std::function<void()> f) override;
  std::function<void(std::function<void()>)> gate() override;

 private:
  using input = domain::attempts::input;

  attempt_runner(run_machine& run, const uuid& job) : run_(run), job_(job) {}

  void happen(const domain::attempts::ask_allowed&);
  void happen(const domain::attempts::write_intent&);
  void happen(const domain::attempts::write_refusal& e);
  void happen(const domain::attempts::submit&);
  void happen(const domain::attempts::withhold& e);
  void happen(const domain::attempts::reach& e);
  void happen(const domain::attempts::find&);
  void happen(const domain::attempts::write_started& e);
  void happen(const domain::attempts::watch& e);
  void happen(const domain::attempts::write_stop& e);
  void happen(const domain::attempts::stop& e);
  void happen(const domain::attempts::collect& e);
  void happen(const domain::attempts::write_end& e);
  void happen(const domain::attempts::forget&);
  void happen(const domain::attempts::write_work& e);
  void happen(const domain::attempts::ask_turn& e);
  void happen(const domain::attempts::write_quarantine& e);
  void happen(const domain::attempts::tell_waiting&);
  void happen(const domain::attempts::set_timer& e);
  void happen(const domain::attempts::close&);

  void let_next_start();
  void intend(fencing_token by);
  /// Appends what `decide` gives; answered by `then` or `unwritten`.
  void write(run_machine::decide_fn decide, input then);
  /// The same for one event about the open attempt.
  template <class Event>
  void write_fact(Event event, input then);

  run_machine& run_;
  const uuid job_;
  std::int64_t began_us_ = 0;  // monotonic: its turn in the queue
  last_tries::ticket turn_;    // to be tried a last time
  bool starting_ = false;      // others wait for its start
  bool closed_ = false;
  std::unique_ptr<tasks::attempt_work> work_;
  domain::attempts::state machine_;
  /// One input after the other: an effect may be answered while it is carried out.
  std::deque<input> inbox_;
  bool busy_ = false;
};

}  // namespace reeve::actors
