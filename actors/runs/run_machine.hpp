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
#include <string_view>
#include <variant>
#include <vector>

namespace reeve::actors {

class attempt_runner;

/// What clients ask of a run that goes on.
using run_command = domain::variant_of<domain::run_orders>;

/// Why what is open in the log is taken up: the run's former actor failed; this is its first actor
/// in this process, or in a part of the tree that was begun again; the run is only read again.
enum class interruption { crash, restart, none };

class run_machine {
 public:
  using decide_fn = std::function<outcome<domain::run_events>(const domain::run_state&)>;
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

  /// Takes up what is open in the log, then goes on.
  void begin(interruption by);
  void execute(run_command what, const command_context& context,
               reply_slot<executed<domain::run_state>> slot);
  void engine_back();

  // For attempts.
  void decide(decision what);
  run_ports& ports() { return ports_; }
  const domain::run_state& state() const { return *state_; }
  caf::actor handle() const;
  /// Calls `f` in this actor after the delay.
  void after(std::chrono::milliseconds delay, std::function<void()> f);
  /// Calls `f` when effects are allowed, at once or later, with the token that they carry.
  void when_allowed(std::function<void(fencing_token)> f);
  /// Says in the log, once, what the job waits for: `engine_unavailable`, `no_free_place`
  /// (domain/runs/job_state.hpp).
  void tell_waiting(const uuid& job, std::string_view what_for);
  /// A place on the engine for what is open, if its kind takes one; and none, while an operator is
  /// waited for.
  void take_place(const uuid& job);
  void give_place_back(const uuid& job);
  /// It is over the time in which its start is waited for: the next one has its turn.
  void let_next_start(const uuid& job);
  /// The attempt has nothing left to do, with cleaning up done.
  void attempt_done(const uuid& job);

 private:
  void tell_attempts(const run_command& what);
  bool is_crash(interruption by, const domain::attempt_state& open) const;
  void pump();
  void append(domain::run_events events, std::vector<decision> parts);
  void appended(std::shared_ptr<domain::run_events> events,
                std::shared_ptr<std::vector<decision>> parts,
                outcome<persistence::append_result> result);
  void follow(const domain::run_plan& plan);
  void queue_up(const uuid& job);
  void start(const uuid& job);
  void take_up(const uuid& job, interruption by);
  void tell_waiting_for_place(const uuid& job);
  bool needs_place(const uuid& job) const;
  void leave_queue(const uuid& job);
  void rest();
  void reload();
  void read_again();
  void finish_if_over();
  domain::event_meta own_meta() const;

  caf::event_based_actor* self_;
  run_ports& ports_;
  std::shared_ptr<const domain::run_state> state_;
  std::function<void()> over_;
  std::deque<decision> queue_;
  std::map<uuid, std::shared_ptr<attempt_runner>> attempts_;
  std::set<uuid> preparing_;                  // from the queue to the intent, and further
  std::set<uuid> resting_;                    // their backoff is not over
  std::map<uuid, std::size_t> rested_after_;  // the attempt that the backoff was kept for
  bool appending_ = false;
  int reloads_ = 0;  // since the last append that came through
  bool finished_ = false;
};

}  // namespace reeve::actors
