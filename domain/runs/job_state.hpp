#pragma once
// A job, which is a task of a run: its own events, what they and those of its attempts add up to,
// and what readers see of it.

#include "domain/runs/attempt_state.hpp"

#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace reeve::domain {

struct run_state;  // domain/runs/run.hpp

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

/// What a job that could start waits for (job_waiting::reason).
inline constexpr std::string_view engine_unavailable = "engine_unavailable";
inline constexpr std::string_view no_free_place = "no_free_place";

/// The job could start but for the engine, written once per outage; or but for a place there, which
/// others have.
struct job_waiting {
  static constexpr std::string_view type = "job_waiting";
  uuid job;
  std::string reason;
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

/// In the order in which a job may have them.
using job_events = type_list<retry_scheduled, job_waiting, artifact_stored, job_finished>;

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
  std::string waits_for;  // of its newest `job_waiting`; empty once it started
  bool operator==(const job_state&) const = default;

  const attempt_state* open_attempt() const {
    return attempts.empty() || !attempts.back().is_open() ? nullptr : &attempts.back();
  }
  /// The newest attempt if it has this number. The log is ours: an event that names another one was
  /// not written by `decide_…`, and evolve leaves the state alone.
  attempt_state* newest(std::int64_t number) {
    return attempts.empty() || attempts.back().number != number ? nullptr : &attempts.back();
  }
  bool is_quarantined() const { return open_attempt() != nullptr && open_attempt()->quarantined; }
};

/// What an event makes of the job that it names.
void evolve(job_state& job, const attempt_intended& e, const evolve_context& c);
void evolve(job_state& job, const attempt_started& e, const evolve_context& c);
void evolve(job_state& job, const retry_scheduled& e, const evolve_context& c);
void evolve(job_state& job, const job_waiting& e, const evolve_context& c);
void evolve(job_state& job, const artifact_stored& e, const evolve_context& c);
void evolve(job_state& job, const job_finished& e, const evolve_context& c);

/// What else happens to its attempt is the attempt's own.
template <class Event>
requires requires(const Event& e) {
  e.attempt;
}
void evolve(job_state& job, const Event& e, const evolve_context& c) {
  if (auto* attempt = job.newest(e.attempt)) evolve(*attempt, e, c);
}

struct artifact_document {
  std::string name;
  std::string media_type;
  std::int64_t bytes = 0;
  digest sha256{};
  static constexpr auto fields() {
    return std::tuple{field("name", &artifact_document::name),
                      field("media_type", &artifact_document::media_type),
                      field("bytes", &artifact_document::bytes),
                      field("sha256", &artifact_document::sha256)};
  }
};

/// A job of Reeve with the unified fields that jobs of every source have.
struct job_document {
  uuid id;
  uuid run_id;
  std::string task;  // the kind
  std::string name;
  job_status status = job_status::pending;
  std::optional<end_reason> reason;
  std::int64_t attempt = 0;  // number of the newest one, 0 = none yet
  std::string engine;        // as the run's (run.hpp), of this job's attempts
  std::vector<attempt_document> attempts;
  std::vector<artifact_document> artifacts;
  std::vector<std::string> needs;
  uuid job_id;
  std::string source = "reeve";
  std::string cluster_id = "reeve";
  std::string user;
  std::string queue = "default";
  std::string state;
  std::string job_type = "cpu";
  std::int64_t gpus = 0;
  std::int64_t cpu = 0;  // millicores
  double memory_gb = 0;
  std::int64_t priority = 0;
  timestamp submitted_at;
  std::optional<timestamp> started_at;
  std::optional<timestamp> finished_at;
  std::optional<double> wait_seconds;
  std::optional<std::string> pending_reason;
  bool is_quarantined = false;  // three crashes interrupted its work: an operator decides
  static constexpr auto fields() {
    return std::tuple_cat(
        std::tuple{field("id", &job_document::id), field("run_id", &job_document::run_id),
                   field("task", &job_document::task), field("name", &job_document::name),
                   field("status", &job_document::status), field("reason", &job_document::reason),
                   field("attempt", &job_document::attempt), field("engine", &job_document::engine),
                   field("attempts", &job_document::attempts),
                   field("artifacts", &job_document::artifacts),
                   field("needs", &job_document::needs)},
        std::tuple{field("job_id", &job_document::job_id), field("source", &job_document::source),
                   field("cluster_id", &job_document::cluster_id),
                   field("user", &job_document::user), field("queue", &job_document::queue),
                   field("state", &job_document::state), field("job_type", &job_document::job_type),
                   field("gpus", &job_document::gpus), field("cpu", &job_document::cpu),
                   field("memory_gb", &job_document::memory_gb),
                   field("priority", &job_document::priority),
                   field("submitted_at", &job_document::submitted_at),
                   field("started_at", &job_document::started_at),
                   field("finished_at", &job_document::finished_at),
                   field("wait_seconds", &job_document::wait_seconds),
                   field("pending_reason", &job_document::pending_reason),
                   field("is_quarantined", &job_document::is_quarantined)});
  }
};

job_document document_of(const run_state& run, const job_state& job);

}  // namespace reeve::domain
