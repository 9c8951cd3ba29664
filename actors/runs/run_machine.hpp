#pragma once
// One run, as its actor carries it out: decisions become events, events are appended, and only then
// effects follow. Everything here runs in the actor's own context.

#include "actors/runs/run_ports.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reeve::actors {

class job_attempt;

class run_machine {
 public:
  using decide_fn = std::function<outcome<domain::run_events>(const domain::run_state&, time_us)>;
  using then_fn = std::function<void(outcome<done>)>;

  struct decision {
    decide_fn decide;
    then_fn then;
    std::vector<persistence::stream_version> guard;
    /// Of a client's command; none = the run's own doing.
    std::optional<domain::event_meta> meta;
    std::optional<persistence::command_key> command;
    bool is_exclusive() const { return !guard.empty() || meta.has_value(); }
  };

  /// `over` is called once, when the run has ended and what it started is cleaned up.
  run_machine(caf::event_based_actor* self, run_ports& ports,
              std::shared_ptr<const domain::run_state> state, std::function<void()> over);
  ~run_machine();

  /// Takes up what is open in the log (after a restart), then goes on.
  void begin();
  void cancel(domain::event_meta meta, std::optional<persistence::command_key> command,
              reply_slot<executed<domain::run_state>> slot);
  void engine_back();

  // For attempts.
  void decide(decision what);
  run_ports& ports() { return ports_; }
  const domain::run_state& state() const { return *state_; }
  caf::actor handle() const;
  /// Calls `f` in this actor after the delay.
  void after(std::chrono::milliseconds delay, std::function<void()> f);
  /// Calls `f` when effects are allowed: at once, or when the journal has confirmed the lease.
  void when_allowed(std::function<void()> f);
  /// Calls `f` when the engine is back, at the latest after 5 s; says so in the log once.
  void when_engine(const uuid& job, std::function<void()> f);
  /// The attempt has nothing left to do, with cleaning up done.
  void attempt_done(const uuid& job);

 private:
  void pump();
  void append(domain::run_events events, std::vector<decision> parts);
  void appended(std::shared_ptr<domain::run_events> events,
                std::shared_ptr<std::vector<decision>> parts,
                outcome<persistence::append_result> result);
  void follow(const domain::run_plan& plan);
  void start(const uuid& job);
  void reload();
  void finish_if_over();
  domain::event_meta own_meta() const;

  caf::event_based_actor* self_;
  run_ports& ports_;
  std::shared_ptr<const domain::run_state> state_;
  std::function<void()> over_;
  std::deque<decision> queue_;
  std::map<uuid, std::shared_ptr<job_attempt>> attempts_;
  std::vector<std::function<void()>> waiting_for_engine_;
  time_us wake_at_ = 0;
  bool appending_ = false;
  bool finished_ = false;
};

}  // namespace reeve::actors
