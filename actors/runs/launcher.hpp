#pragma once
// Launches runs. A launch reads the directive and
// the allowlists, decides, and appends guarded by the versions that it read; the run's own actor
// starts when the event is durable.

#include "actors/command_port.hpp"
#include "actors/runs/run_ports.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace reeve::actors {

struct launch_call {
  command_context context;
  launch_request request;
  commands::slot<domain::run_state> slot;
};

struct launch_message {
  std::shared_ptr<launch_call> call;
};

struct active_run {
  uuid tenant;
  uuid run;
};

struct launcher_args {
  run_ports* ports = nullptr;
  std::function<void(uuid, reply_slot<executed<domain::access_state>>)> access;
  std::function<void(uuid tenant, uuid id, reply_slot<executed<domain::directive_state>>)>
      directives;
  /// Starts the run's actor; with its state if it is at hand.
  std::function<void(active_run, std::shared_ptr<const domain::run_state>)> spawn;
};

caf::behavior launcher_actor(caf::event_based_actor* self, launcher_args args,
                             std::function<void()> ready);

}  // namespace reeve::actors

REEVE_LOCAL_MSG(reeve::actors::launch_message)
