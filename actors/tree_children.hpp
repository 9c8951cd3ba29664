#pragma once
// What the supervision tree does its work with: a row for each actor, and the settings of those
// that an operator may set. Only what stands here is in the tree, and only what has its settings
// here has any. Without CAF: the configuration holds these settings as they are.

#include "actors/runs/reconciler.hpp"
#include "base/setting.hpp"

#include <array>
#include <cstdint>
#include <tuple>

namespace reeve::actors {

struct child_spec;
struct tree_parts;

/// Of no single actor.
struct shared_settings {
  std::int64_t threads = 2;
  std::int64_t job_log_bytes = 1 << 20;
  static constexpr auto settings() {
    using setting = number_setting<shared_settings>;
    return std::array{
        setting{"threads", &shared_settings::threads, 1, 64, "Threads of the actors."},
        setting{"job_log_bytes", &shared_settings::job_log_bytes, 1024, 64 << 20,
                "Bytes that are kept of a container's output, of its beginning and its end."}};
  }
};

/// In the order of the documentation; an actor finds its own by their type.
using tree_settings = std::tuple<shared_settings, reconciler_settings>;

/// Makes what its supervisor needs to start an actor, beside the actor itself: `name`_child.
using child_row = child_spec(tree_parts&);
child_row runs_child, launcher_child, run_sweep_child, reconciler_child;

/// In the order of their start, after the journal and the executors of the aggregates; they stop in
/// the other one. Runs before those who add to them.
inline constexpr std::array work_children{runs_child, launcher_child, run_sweep_child,
                                          reconciler_child};

}  // namespace reeve::actors
