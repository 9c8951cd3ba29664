#pragma once
// The run aggregate: a run executes the snapshot of a directive as jobs, and tries each of them in
// attempts. Its own events, its state and what readers see of it, and the decisions of its life.
// All pure; the run actor carries the decisions out.

#include "base/shared_value.hpp"
#include "domain/access/allowlist.hpp"
#include "domain/runs/job_state.hpp"
#include "domain/runs/run_commands.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace reeve::domain {

/// The full copy of the directive as it was at launch; a later change of the directive changes
/// nothing here. `id` is none for an inline directive.
struct directive_snapshot {
  std::optional<uuid> id;
  std::int64_t version = 0;
  std::string name;
  std::string description;
  std::vector<task_spec> tasks;
  directive_limits limits;
  label_map labels;
  bool operator==(const directive_snapshot&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("id", &directive_snapshot::id),
                      field("version", &directive_snapshot::version),
                      field("name", &directive_snapshot::name),
                      field("description", &directive_snapshot::description),
                      field("tasks", &directive_snapshot::tasks),
                      field("limits", &directive_snapshot::limits),
                      field("labels", &directive_snapshot::labels)};
  }
};

struct run_launched {
  static constexpr std::string_view type = "run_launched";
  uuid id;
  directive_snapshot directive;
  std::vector<uuid> jobs;  // one id per task of the snapshot, in its order
  /// Where its attempts would have run then; each says for itself where it did.
  std::string expected_engine;
  std::optional<std::string> since;
  /// What "last_success" meant at launch: that run's id and the time it was launched.
  std::optional<uuid> since_run;
  std::optional<timestamp> since_at;
  label_map labels;
  std::optional<uuid> retry_of;
  bool operator==(const run_launched&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("id", &run_launched::id),
                      field("directive_snapshot", &run_launched::directive),
                      field("jobs", &run_launched::jobs),
                      field("expected_engine", &run_launched::expected_engine),
                      field("since", &run_launched::since),
                      field("since_run", &run_launched::since_run),
                      field("since_at", &run_launched::since_at),
                      field("labels", &run_launched::labels),
                      field("retry_of", &run_launched::retry_of)};
  }
};

struct run_started {
  static constexpr std::string_view type = "run_started";
  bool operator==(const run_started&) const = default;
  static constexpr auto fields() { return std::tuple{}; }
};

struct run_cancel_requested {
  static constexpr std::string_view type = "run_cancel_requested";
  bool operator==(const run_cancel_requested&) const = default;
  static constexpr auto fields() { return std::tuple{}; }
};

struct run_finished {
  static constexpr std::string_view type = "run_finished";
  run_status status = run_status::failed;
  bool operator==(const run_finished&) const = default;
  static constexpr auto fields() { return std::tuple{field("status", &run_finished::status)}; }
};

/// What happens to its jobs and attempts stands between its beginning and its end.
using run_event = variant_of<joined<type_list<run_launched, run_started>, attempt_events,
                                    job_events, type_list<run_cancel_requested, run_finished>>>;

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
  using command = variant_of<joined<type_list<launch_run>, run_orders>>;
  static constexpr std::string_view prefix = "run";
};

void evolve(run_state& state, const run_event& event, const evolve_context& context);

using run_events = std::vector<run_event>;

struct run_document {
  uuid id;
  run_status status = run_status::pending;
  std::optional<uuid> directive_id;
  std::int64_t directive_version = 0;
  std::string directive_name;
  std::int64_t job_count = 0;
  std::map<std::string, std::int64_t> jobs_by_status;
  std::string engine;
  std::optional<uuid> retry_of;
  std::optional<std::string> since;
  bool cancel_requested = false;
  timestamp created_at;
  std::optional<timestamp> started_at;
  std::optional<timestamp> finished_at;
  std::string created_by;
  label_map labels;
  position at = 0;
  static constexpr auto fields() {
    return std::tuple{field("id", &run_document::id),
                      field("status", &run_document::status),
                      field("directive_id", &run_document::directive_id),
                      field("directive_version", &run_document::directive_version),
                      field("directive_name", &run_document::directive_name),
                      field("job_count", &run_document::job_count),
                      field("jobs_by_status", &run_document::jobs_by_status),
                      field("engine", &run_document::engine),
                      field("retry_of", &run_document::retry_of),
                      field("since", &run_document::since),
                      field("cancel_requested", &run_document::cancel_requested),
                      field("created_at", &run_document::created_at),
                      field("started_at", &run_document::started_at),
                      field("finished_at", &run_document::finished_at),
                      field("created_by", &run_document::created_by),
                      field("labels", &run_document::labels),
                      field("position", &run_document::at)};
  }
};

run_document document_of(const run_state& state);

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
  bool log_incomplete = false;
  std::optional<log_streams> streams = {};
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

std::map<std::string, std::int64_t> jobs_by_status(const run_state& state);

/// The engine of its attempts, "mixed" if there are several, before the first one what was expected
/// at the launch.
std::string engine_of(const run_state& state);
/// The same of one of its jobs.
std::string engine_of(const run_state& state, const job_state& job);
/// Whether any attempt only pretended to run: such a run is never a last success.
bool is_simulated(const run_state& state);

}  // namespace reeve::domain
