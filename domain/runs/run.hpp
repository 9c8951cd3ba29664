#pragma once
// The run aggregate: state, evolve, and the decisions of its life. All pure; the run actor carries
// the decisions out.

#include "base/shared_value.hpp"
#include "domain/access/allowlist.hpp"
#include "domain/runs/run_events.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace reeve::domain {

struct attempt_state {
  std::int64_t number = 0;
  std::optional<std::string> container_name;
  std::optional<std::string> container_id;
  std::optional<std::string> image;
  std::optional<std::string> image_id;
  std::optional<std::string> volume;  // nothing: of the container's name
  std::optional<std::int64_t> exit_code;
  std::optional<end_reason> reason;
  std::optional<blob_ref> log;
  time_us intended_at = 0;
  std::optional<time_us> started_at;
  std::optional<time_us> finished_at;
  time_us deadline_at = 0;
  std::int64_t works = 0;  // how often a crash made it be taken up again
  bool operator==(const attempt_state&) const = default;
  bool is_open() const { return !reason.has_value(); }
};

struct artifact_state {
  std::string name;
  std::string media_type;
  blob_ref content;
  bool operator==(const artifact_state&) const = default;
};

struct job_state {
  uuid id;
  std::size_t ordinal = 0;  // index of its task in the snapshot
  job_status status = job_status::pending;
  std::optional<end_reason> reason;
  std::vector<attempt_state> attempts;
  std::vector<artifact_state> artifacts;
  std::optional<time_us> started_at;
  std::optional<time_us> finished_at;
  std::optional<position> started_position;
  std::optional<position> finished_position;
  position last_position = 0;  // of the newest event that names the job
  time_us not_before = 0;
  bool waiting_for_engine = false;
  bool operator==(const job_state&) const = default;

  const attempt_state* open_attempt() const {
    return attempts.empty() || !attempts.back().is_open() ? nullptr : &attempts.back();
  }
};

struct run_state {
  uuid id;
  uuid tenant;
  domain::version stream_version = 0;
  position created_position = 0;
  position last_position = 0;
  std::string created_by;
  shared_value<run_launched> launch;  // what it was launched with never changes
  run_status status = run_status::pending;
  bool cancel_requested = false;
  std::vector<job_state> jobs;
  time_us created_at = 0;
  std::optional<time_us> started_at;
  std::optional<time_us> finished_at;
  std::optional<position> started_position;
  std::optional<position> finished_position;
  bool operator==(const run_state&) const = default;

  const task_spec& task_of(const job_state& job) const {
    return launch->directive.tasks[job.ordinal];
  }
  const job_state* find(const uuid& job) const;
  job_state* find(const uuid& job);
};

template <>
struct aggregate_of<run_state> {
  using event = run_event;
  static constexpr std::string_view prefix = "run";
};

void evolve(run_state& state, const run_event& event, const evolve_context& context);

using run_events = std::vector<run_event>;

struct launch_command {
  uuid run;
  std::vector<uuid> jobs;
  directive_snapshot directive;
  std::string engine;
  std::optional<std::string> since;
  std::optional<uuid> since_run;
  std::optional<time_us> since_at;
  label_map labels;
  std::optional<uuid> retry_of;
};

/// Everything that can be refused before anything starts: the directive's own rules (invalid, with
/// the field), then the allowlists (not_allowlisted, with the field). `at` is the pointer of the
/// tasks in the request ("/tasks" or "/directive/tasks").
outcome<run_events> decide_launch(const run_state& state, const launch_command& command,
                                  const image_list_state& images,
                                  const container_list_state& containers, const std::string& at);

/// The allowlist's word on one task, at launch and again right before the start.
outcome<done> check_allowed(const task_spec& task, const image_list_state& images,
                            const container_list_state& containers, const std::string& at);

/// What the run wants next: `events` to be appended at once (jobs that cannot run any more, the
/// run's end), then jobs whose attempt may be started now, best first, and when to look
/// again (0 = only after the next event).
struct run_plan {
  run_events events;
  std::vector<uuid> startable;
  time_us wake_at = 0;
};
run_plan plan(const run_state& state, time_us now);

/// The intent to start the next attempt, after `run_started` if it is the run's first one. `now`
/// gives the deadline.
outcome<run_events> decide_intend(const run_state& state, const uuid& job, time_us now,
                                  std::optional<std::string> container_name,
                                  std::optional<std::string> image,
                                  std::optional<std::string> image_id,
                                  std::optional<std::string> volume = {});

/// An attempt's end, and what follows for its job: finished, or a retry after a backoff.
/// Success is `exited` with code 0, or `completed`. Cancelled runs, refusals that another try
/// cannot mend and unknown outcomes are never tried again. In a cancelled run what did not succeed
/// is `cancelled`, but an unknown outcome stays one.
outcome<run_events> decide_end(const run_state& state, const uuid& job, end_reason reason,
                               std::optional<std::int64_t> exit_code, std::optional<blob_ref> log,
                               time_us now);

/// A job that fails before an attempt was intended (refused, image missing).
outcome<run_events> decide_refuse(const run_state& state, const uuid& job, end_reason reason);

/// The request to cancel; jobs that do not run are cancelled with it, and the run ends with it if
/// none runs. Twice gives no event; conflict when the run is over.
outcome<run_events> decide_cancel(const run_state& state);

/// "reeve-<last 12 digits of the tenant>-<job>-a<attempt>", also the volume's name.
std::string container_name_of(const uuid& tenant, const uuid& job, std::int64_t attempt);

std::map<std::string, std::int64_t> jobs_by_status(const run_state& state);

}  // namespace reeve::domain
