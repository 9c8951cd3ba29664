#pragma once
// Commands of clients on their way to whoever carries them out.

#include "actors/command_keys.hpp"
#include "actors/executor_fronts.hpp"
#include "actors/runs/launcher.hpp"
#include "actors/runs/run_actor.hpp"
#include "actors/runs/warm_runs.hpp"

#include <functional>
#include <memory>

namespace reeve::actors {

/// Every command: its key first, then what must hold, then what is to be read outside (an image's
/// id), then the executor of its aggregate, the launcher or the run's actor.
class command_dispatcher final : public every_command<command_dispatcher> {
 public:
  command_dispatcher(executor_fronts& fronts, run_ports& ports,
                     std::shared_ptr<actor_slot> launcher);

  /// Before what it refers to goes: answers that come later are dropped.
  void close() { door_->close(); }

  template <class State>
  void carry_out(command_context c, domain::command_of<State> what, state_slot<State> slot);
  template <class State>
  void find(uuid tenant, uuid id, state_slot<State> slot);

 private:
  /// Goes on with `go` if the key is new.
  template <class State>
  void if_new(command_context c, state_slot<State> slot,
              std::function<void(command_context, state_slot<State>)> go);
  template <class State>
  void submit_any(command_context c, const domain::command_of<State>& what, state_slot<State> slot);
  /// Asks `before` of the stream as it is and lets the command be decided on exactly that; whoever
  /// moves it in between lets both be asked again.
  template <class State>
  void when_it_holds(command_context c, domain::command_of<State> what, state_slot<State> slot,
                     int tries);
  /// To the executor of the aggregate, or to the run's actor.
  template <class State, class Command>
  void submit(command_context c, Command what, state_slot<State> slot);
  /// With the engine's id of it, if the engine has it; engine_unavailable if it does not say.
  void submit(command_context c, domain::allow_image what,
              state_slot<domain::image_list_state> slot);
  void submit(command_context c, domain::resolve_image what,
              state_slot<domain::image_list_state> slot);
  bool has_images() const;
  void submit(command_context c, domain::allow_container what,
              state_slot<domain::container_list_state> slot);
  void submit(command_context c, domain::launch_run what, state_slot<domain::run_state> slot);
  template <class Command>
  void to_run(command_context c, Command what, state_slot<domain::run_state> slot);
  void hand_over(const uuid& run, run_call call);

  executor_fronts& fronts_;
  run_ports& ports_;
  std::shared_ptr<actor_slot> launcher_;
  std::shared_ptr<command_keys> keys_ = std::make_shared<command_keys>();
  std::shared_ptr<recent_answers> recent_ = std::make_shared<recent_answers>();
  std::shared_ptr<warm_runs> runs_ = std::make_shared<warm_runs>();
  std::shared_ptr<door> door_ = std::make_shared<door>();
};

}  // namespace reeve::actors
