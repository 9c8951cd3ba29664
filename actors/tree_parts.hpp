#pragma once
// What the tree has for its children: the ways to the journal, the executors and each other, and
// what the tree itself stands on. Everything here outlives every actor.

#include "actors/actor_tree.hpp"
#include "actors/executor_fronts.hpp"
#include "actors/runs/launcher.hpp"
#include "actors/runs/run_ports.hpp"
#include "actors/runs/run_sweep.hpp"
#include "actors/tree/actor_slot.hpp"
#include "actors/tree/supervisor.hpp"
#include "actors/tree/system_event_log.hpp"
#include "actors/tree_children.hpp"

#include <array>
#include <memory>
#include <tuple>

namespace reeve::actors {

struct tree_parts {
  const tree_settings& settings;
  const tree_surroundings& outside;
  journal_port& journal;
  system_event_log& system_log;
  executor_fronts& fronts;
  run_registry& registry;
  run_ports& ports;
  /// Where others find an actor while it is up.
  std::shared_ptr<actor_slot> runs = std::make_shared<actor_slot>();
  std::shared_ptr<actor_slot> launcher = std::make_shared<actor_slot>();
  std::shared_ptr<actor_slot> reconciler = std::make_shared<actor_slot>();
  /// All of them: nobody is found any more once the tree is gone.
  auto slots() const { return std::array{runs.get(), launcher.get(), reconciler.get()}; }

  template <class Settings>
  const Settings& own() const {
    return std::get<Settings>(settings);
  }
};

/// Adds the actor of a run, with its state if that is at hand; it reads the log if it is not.
void spawn_run(tree_parts& tree, active_run run, std::shared_ptr<const domain::run_state> state);

}  // namespace reeve::actors
