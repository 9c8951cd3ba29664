#pragma once
// Launches runs. A launch reads what it names and the allowlists, is shaped and decided by
// domain/runs/launch.hpp, and is appended guarded by the versions that were read; the run's own
// actor starts when the event is durable.

#include "actors/command_port.hpp"
#include "actors/executor_fronts.hpp"
#include "actors/runs/run_ports.hpp"
#include "domain/runs/active_run.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace reeve::actors {

struct launch_call {
  command_context context;
  domain::launch_run command;
  state_slot<domain::run_state> slot;
};

struct launch_message {
  std::shared_ptr<launch_call> call;
};

struct launcher_args {
  run_ports* ports = nullptr;
  executor_fronts* fronts = nullptr;
  /// Starts the run's actor; with its state if it is at hand.
  std::function<void(domain::active_run, std::shared_ptr<const domain::run_state>)> spawn;
};

caf::behavior launcher_actor(caf::event_based_actor* self, launcher_args args,
                             std::function<void()> ready);

}  // namespace reeve::actors

REEVE_LOCAL_MSG(reeve::actors::launch_message)
