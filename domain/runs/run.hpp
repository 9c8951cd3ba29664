#pragma once
// The run aggregate: state, evolve, and the decisions of its life. All pure; the run actor carries
// the decisions out.

#include "base/shared_value.hpp"
#include "domain/access/allowlist.hpp"
#include "domain/runs/run_commands.hpp"
#include "domain/runs/run_events.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reeve::domain {

struct attempt_state {
  std::int64_t number = 0;
  attempt_intended intent;
  std::optional<std::string> container_id;
  std::optional<std::int64_t> exit_code;
  std::optional<end_reason> reason;
  std::optional<blob_ref> log;
  bool oom_killed = false;
  time_us intended_at = 0;
  std::optional<time_us> started_at;
  std::optional<time_us> engine_started_at;
  std::optional<time_us> finished_at;
  bool adopted = false;
  std::optional<end_reason> stopping;  // why it was to be stopped
  std::int64_t works = 0;        // n of its last `work_attempted`, since its start if it has one
  bool taken_up = false;         // a crash made its start be tried again
  std::int64_t tried_epoch = 0;  // of the leadership that tried it last
  bool quarantined = false;
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
  /// Of the newest retry: its backoff and when it was scheduled, by the journal's stamps.
  std::int64_t backoff_ms = 0;
  time_us backoff_since = 0;
  bool waiting_for_engine = false;
  bool operator==(const job_state&) const = default;

  const attempt_state* open_attempt() const {
    return attempts.empty() || !attempts.back().is_open() ? nullptr : &attempts.back();
  }
  bool is_quarantined() const { return open_attempt() != nullptr && open_attempt()->quarantined; }
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
  using command = std::variant<launch_run, cancel_run, retry_work, discard_work>;
  static constexpr std::string_view prefix = "run";
};

void evolve(run_state& state, const run_event& event, const evolve_context& context);

using run_events = std::vector<run_event>;

/// The allowlist's word on one task, at launch and again right before the start.
outcome<done> check_allowed(const task_spec& task, const image_list_state& images,
                            const container_list_state& containers, const std::string& at);

/// What the run wants next: `events` to be appended at once (jobs that cannot run any more, the
/// run's end), then jobs whose attempt may be started now, best first. `resting` are those whose
/// backoff is not over: who runs the run keeps the time.
struct run_plan {
  run_events events;
  std::vector<uuid> startable;
};
run_plan plan(const run_state& state, const std::set<uuid>& resting = {});

/// How long one try of the job may take.
std::int64_t timeout_ms_of(const run_state& state, const job_state& job);

/// What is left at `now` of a span that began with an event at `since`. Stamps can lie ahead of the
/// clock or far behind it, so it is never more than the whole and never less than nothing.
constexpr std::int64_t rest_ms(time_us since, std::int64_t span_ms, time_us now) {
  const auto left = (since - now) / 1000 + span_ms;
  return left < 0 ? 0 : left > span_ms ? span_ms : left;
}

/// What is left of an open attempt's time: of its execution's once that has started, else of the
/// same time for what lies before.
std::int64_t rest_ms_of(const attempt_state& open, time_us now);

/// The intent to start the next attempt, after `run_started` if it is the run's first one. Job,
/// number and timeout of `intent` are filled in.
outcome<run_events> decide_intend(const run_state& state, const uuid& job, attempt_intended intent);

/// How an attempt ended.
struct attempt_end {
  end_reason reason = end_reason::exited;
  std::optional<std::int64_t> exit_code = {};
  std::optional<blob_ref> log = {};
  bool oom_killed = false;
};

/// An attempt's end, and what follows for its job: finished, or a retry after a backoff.
/// Success is `exited` with code 0, or `completed`. Cancelled runs, refusals that another try
/// cannot mend and unknown outcomes are never tried again. A cancelled run changes no reason: what
/// ended before a stop reached it is what it was.
outcome<run_events> decide_end(const run_state& state, const uuid& job, attempt_end how);

/// A job that fails before an attempt was intended (refused, image missing).
outcome<run_events> decide_refuse(const run_state& state, const uuid& job, end_reason reason);

/// The request to cancel; jobs that do not run are cancelled with it, and the run ends with it if
/// none runs.
outcome<run_events> decide(const run_state& state, const cancel_run& command);

/// What becomes of a quarantined attempt: it goes on, or its job fails as quarantined.
outcome<run_events> decide(const run_state& state, const retry_work& command);
outcome<run_events> decide(const run_state& state, const discard_work& command);

/// "reeve-<last 12 digits of the tenant>-<job>-a<attempt>", also the volume's name.
std::string container_name_of(const uuid& tenant, const uuid& job, std::int64_t attempt);

std::map<std::string, std::int64_t> jobs_by_status(const run_state& state);

/// The engine of its attempts, "mixed" if there are several, before the first one what was expected
/// at the launch.
std::string engine_of(const run_state& state);
/// Whether any attempt only pretended to run: such a run is never a last success.
bool is_simulated(const run_state& state);

}  // namespace reeve::domain
