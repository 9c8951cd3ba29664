#pragma once
// The actor of one run: from its launch, or from its stream after a restart, to its end.

#include "actors/runs/run_machine.hpp"

#include <memory>

namespace reeve::actors {

struct run_call {
  command_context context;
  run_command what;
  state_slot<domain::run_state> slot;
};

struct run_call_message {
  std::shared_ptr<run_call> call;
};

struct engine_is_back {};

/// `state` is null when the stream has to be read. `crashed`: the run's former actor failed.
struct run_actor_args {
  uuid tenant;
  uuid run;
  std::shared_ptr<const domain::run_state> state;
  bool crashed = false;
};

/// `ready` is called when the state is there.
caf::behavior run_actor(caf::event_based_actor* self, run_ports* ports, run_actor_args args,
                        std::function<void()> ready);

}  // namespace reeve::actors

REEVE_LOCAL_MSG(reeve::actors::run_call_message)
REEVE_LOCAL_MSG(reeve::actors::engine_is_back)
