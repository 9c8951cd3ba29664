#pragma once
// Work starts from the log: whatever run is active there and has no actor gets one, at the start of
// the tree and every few seconds after. So a launch whose commit was in doubt goes on, and so does
// every run after its actors died with a part of the tree, or when one could not be added.

#include "actors/continuation.hpp"
#include "actors/runs/run_ports.hpp"
#include "domain/runs/active_run.hpp"

#include <chrono>
#include <functional>
#include <vector>

namespace reeve::actors {

using domain::active_run;

struct run_sweep_args {
  run_registry* registry = nullptr;
  /// Those that are pending or running in the log. Blocking: the actor has a thread of its own.
  std::function<outcome<std::vector<active_run>>()> active_runs;
  std::function<void(active_run)> spawn;
  std::chrono::milliseconds every{5000};
};

/// Fails if the log cannot be read at the start.
caf::behavior run_sweep_actor(caf::event_based_actor* self, run_sweep_args args,
                              std::function<void()> ready);

}  // namespace reeve::actors
