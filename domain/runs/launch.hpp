#pragma once
// A launch: shaped once from what it names, checked once, decided. All pure; the launcher reads
// what stands in `launch_sources` and `launch_surroundings` and appends what is decided.

#include "domain/access/secrets.hpp"
#include "domain/runs/directive.hpp"
#include "domain/runs/run.hpp"

#include <optional>
#include <string>
#include <vector>

namespace reeve::domain {

/// What the command names, as this tenant sees it: version 0 where it is not there.
struct launch_sources {
  const directive_state* directive = nullptr;  // the one that is named, or the default one
  const run_state* before = nullptr;           // the run that is tried again
};

/// The snapshot that the run gets, and how it was asked for.
struct launch_shape {
  directive_snapshot directive;
  std::optional<std::string> since;
  label_map labels;
  std::optional<uuid> retry_of;
  std::string at;  // pointer of the tasks in the request: "/tasks"
};

/// Everything that can be said without the allowlists: not_found and conflict for what it names (an
/// archived directive, a run that is not over), invalid with the field for the rest.
outcome<launch_shape> shape_of(const launch_run& command, const launch_sources& sources);

/// Needed where the input is limited by it, and where a report compares itself with it.
bool wants_last_success(const launch_shape& shape);

/// Needed where a task names one.
bool wants_secrets(const launch_shape& shape);

/// The run that "last_success" means.
struct former_run {
  uuid run;
  time_us started_at_us = 0;
};

struct launch_surroundings {
  const image_list_state& images;
  const container_list_state& containers;
  std::vector<uuid> jobs;  // fresh ids, one for each task
  std::string engine;
  std::optional<former_run> last_success;
  time_us now_us = 0;
  const secret_list_state* secrets = nullptr;  // null: there are none
};

/// The allowlists' word (not_allowlisted, with the field) and that of the secrets (invalid, with
/// the field), then the launch.
outcome<run_events> decide(const run_state& state, const launch_run& command,
                           const launch_shape& shape, const launch_surroundings& around);

}  // namespace reeve::domain
