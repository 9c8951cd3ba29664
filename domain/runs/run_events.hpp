#pragma once
// Events of a run. A run executes the snapshot of a directive as jobs; each try of a job is an
// attempt. Intent comes before every effect (`attempt_intended`), its result afterwards.

#include "domain/aggregate.hpp"
#include "domain/runs/task.hpp"

#include <array>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace reeve::domain {

enum class job_status { pending, running, success, failed, cancelled };
template <>
struct enum_names<job_status> {
  static constexpr std::array<std::string_view, 5> names{"pending", "running", "success", "failed",
                                                         "cancelled"};
};

enum class run_status { pending, running, success, failed, partial, cancelled };
template <>
struct enum_names<run_status> {
  static constexpr std::array<std::string_view, 6> names{"pending", "running", "success",
                                                         "failed",  "partial", "cancelled"};
};

constexpr bool is_terminal(job_status s) {
  return s >= job_status::success;
}
constexpr bool is_terminal(run_status s) {
  return s >= run_status::success;
}

/// Why an attempt ended or a job is what it is; a closed list, never an engine's or program's text.
enum class end_reason {
  exited,             // the command ended by itself; the exit code decides
  completed,          // work inside Reeve is done
  timed_out,          // the attempt's timeout
  cancelled,          // a client asked
  need_failed,        // a job that it needs did not succeed
  outcome_unknown,    // it was started and nobody knows how it ended
  not_allowlisted,    // the allowlist changed between launch and start
  image_missing,      // the engine does not have the image
  image_changed,      // the image is not the one that was listed
  engine_refused,     // the engine refused to create or start it
  start_failed,       // created, but the command could not be executed
  out_of_memory,      // killed by the kernel's OOM killer
  second_start,       // reeve-init found the marker of a former execution
  input_missing,      // a log file or container that the task names is not there
  not_available_yet,  // the task kind is not part of this version
  quarantined,        // the third crash while working on it
  internal_error
};
template <>
struct enum_names<end_reason> {
  static constexpr std::array<std::string_view, 17> names{
      "exited",          "completed",       "timed_out",     "cancelled",     "need_failed",
      "outcome_unknown", "not_allowlisted", "image_missing", "image_changed", "engine_refused",
      "start_failed",    "out_of_memory",   "second_start",  "input_missing", "not_available_yet",
      "quarantined",     "internal_error"};
};

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

struct blob_ref {
  digest sha256{};
  std::int64_t bytes = 0;
  bool truncated = false;
  bool operator==(const blob_ref&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("sha256", &blob_ref::sha256), field("bytes", &blob_ref::bytes),
                      field("truncated", &blob_ref::truncated)};
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

struct attempt_intended {
  static constexpr std::string_view type = "attempt_intended";
  uuid job;
  std::int64_t attempt = 0;              // 1..
  std::string executor;                  // who carries it out: "engine", or "reeve" itself
  std::string engine;                    // "docker" or "simulated", for ever
  std::optional<std::string> engine_id;  // the engine's own: another one has another
  std::optional<std::string> node;       // where it was placed
  std::int64_t timeout_ms = 0;           // of its execution, and as much for its start to come
  std::int64_t waited_ms = 0;            // of the time for its start, until this event was decided
  std::int64_t epoch = 0;                // of the leadership that decided it
  std::optional<digest> spec_hash;       // of what the engine is asked for
  std::optional<std::string> container_name;
  std::optional<std::string> image;     // normalised reference
  std::optional<std::string> image_id;  // "sha256:…", checked again between create and start
  std::optional<std::string> volume;    // at /reeve; nothing: of the container's name
  bool operator==(const attempt_intended&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &attempt_intended::job),
                      field("attempt", &attempt_intended::attempt),
                      field("executor", &attempt_intended::executor),
                      field("engine", &attempt_intended::engine),
                      field("engine_id", &attempt_intended::engine_id),
                      field("node", &attempt_intended::node),
                      field("timeout_ms", &attempt_intended::timeout_ms),
                      field("waited_ms", &attempt_intended::waited_ms),
                      field("epoch", &attempt_intended::epoch),
                      field("spec_hash", &attempt_intended::spec_hash),
                      field("container_name", &attempt_intended::container_name),
                      field("image", &attempt_intended::image),
                      field("image_id", &attempt_intended::image_id),
                      field("volume", &attempt_intended::volume)};
  }
};

struct container_created {
  static constexpr std::string_view type = "container_created";
  uuid job;
  std::int64_t attempt = 0;
  std::string container_id;
  bool operator==(const container_created&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &container_created::job),
                      field("attempt", &container_created::attempt),
                      field("container_id", &container_created::container_id)};
  }
};

struct attempt_started {
  static constexpr std::string_view type = "attempt_started";
  uuid job;
  std::int64_t attempt = 0;
  bool adopted = false;  // found after an unclear answer or a restart of the server
  /// By the engine's clock: another start of the same container has another one.
  std::optional<timestamp> engine_started_at;
  bool operator==(const attempt_started&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &attempt_started::job),
                      field("attempt", &attempt_started::attempt),
                      field("adopted", &attempt_started::adopted),
                      field("engine_started_at", &attempt_started::engine_started_at)};
  }
};

/// Precedes a stop of what runs.
struct stop_intended {
  static constexpr std::string_view type = "stop_intended";
  uuid job;
  std::int64_t attempt = 0;
  end_reason reason = end_reason::timed_out;  // or cancelled
  bool operator==(const stop_intended&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &stop_intended::job), field("attempt", &stop_intended::attempt),
                      field("reason", &stop_intended::reason)};
  }
};

struct attempt_ended {
  static constexpr std::string_view type = "attempt_ended";
  uuid job;
  std::int64_t attempt = 0;
  std::optional<std::int64_t> exit_code;
  end_reason reason = end_reason::exited;
  std::optional<blob_ref> log;  // stored before this event
  bool oom_killed = false;      // the kernel killed something of it, perhaps not the command
  bool operator==(const attempt_ended&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &attempt_ended::job),
                      field("attempt", &attempt_ended::attempt),
                      field("exit_code", &attempt_ended::exit_code),
                      field("reason", &attempt_ended::reason),
                      field("log", &attempt_ended::log),
                      field("oom_killed", &attempt_ended::oom_killed)};
  }
};

struct retry_scheduled {
  static constexpr std::string_view type = "retry_scheduled";
  uuid job;
  std::int64_t next_attempt = 0;
  std::int64_t backoff_ms = 0;  // from this event on
  bool operator==(const retry_scheduled&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &retry_scheduled::job),
                      field("next_attempt", &retry_scheduled::next_attempt),
                      field("backoff_ms", &retry_scheduled::backoff_ms)};
  }
};

/// Precedes each new try of an attempt that a crash interrupted; n counts from 1, and anew once its
/// start is in the log.
struct work_attempted {
  static constexpr std::string_view type = "work_attempted";
  uuid job;
  std::int64_t attempt = 0;
  std::int64_t n = 0;
  std::int64_t epoch = 0;  // of the leadership that tries
  bool operator==(const work_attempted&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &work_attempted::job),
                      field("attempt", &work_attempted::attempt), field("n", &work_attempted::n),
                      field("epoch", &work_attempted::epoch)};
  }
};

/// The third crash while working on it: it waits for an operator.
struct work_quarantined {
  static constexpr std::string_view type = "work_quarantined";
  uuid job;
  std::int64_t attempt = 0;
  std::int64_t crashes = 0;
  bool operator==(const work_quarantined&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &work_quarantined::job),
                      field("attempt", &work_quarantined::attempt),
                      field("crashes", &work_quarantined::crashes)};
  }
};

/// An operator lets a quarantined attempt go on, with a fresh count.
struct work_released {
  static constexpr std::string_view type = "work_released";
  uuid job;
  std::int64_t attempt = 0;
  std::string reason;  // the operator's words
  bool operator==(const work_released&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &work_released::job), field("attempt", &work_released::attempt),
                      field("reason", &work_released::reason)};
  }
};

/// An operator gives a quarantined attempt up; its end follows.
struct work_discarded {
  static constexpr std::string_view type = "work_discarded";
  uuid job;
  std::int64_t attempt = 0;
  std::string reason;  // the operator's words
  bool operator==(const work_discarded&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &work_discarded::job),
                      field("attempt", &work_discarded::attempt),
                      field("reason", &work_discarded::reason)};
  }
};

/// The job could start but for the engine; written once per outage.
struct job_waiting {
  static constexpr std::string_view type = "job_waiting";
  uuid job;
  std::string reason;  // "engine_unavailable"
  bool operator==(const job_waiting&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &job_waiting::job), field("reason", &job_waiting::reason)};
  }
};

struct artifact_stored {
  static constexpr std::string_view type = "artifact_stored";
  uuid job;
  std::string name;
  std::string media_type;
  blob_ref content;
  bool operator==(const artifact_stored&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &artifact_stored::job), field("name", &artifact_stored::name),
                      field("media_type", &artifact_stored::media_type),
                      field("content", &artifact_stored::content)};
  }
};

struct job_finished {
  static constexpr std::string_view type = "job_finished";
  uuid job;
  job_status status = job_status::failed;
  end_reason reason = end_reason::internal_error;
  bool operator==(const job_finished&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &job_finished::job), field("status", &job_finished::status),
                      field("reason", &job_finished::reason)};
  }
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

using run_event =
    std::variant<run_launched, run_started, attempt_intended, container_created, attempt_started,
                 stop_intended, attempt_ended, retry_scheduled, work_attempted, work_quarantined,
                 work_released, work_discarded, job_waiting, artifact_stored, job_finished,
                 run_cancel_requested, run_finished>;

}  // namespace reeve::domain
