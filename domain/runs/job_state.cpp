#include "domain/runs/job_state.hpp"

#include "domain/runs/run.hpp"

namespace reeve::domain {

void evolve(job_state& job, const attempt_intended& e, const evolve_context& c) {
  job.status = job_status::running;
  job.waits_for.clear();
  if (!job.started_at) {
    job.started_at = c.stamp.recorded_at_us;
    job.started_position = c.stamp.at;
  }
  job.attempts.push_back(begun(e, c));
}

void evolve(job_state& job, const attempt_started& e, const evolve_context& c) {
  auto* attempt = job.newest(e.attempt);
  if (attempt == nullptr) return;
  evolve(*attempt, e, c);
  job.waits_for.clear();
}

void evolve(job_state& job, const retry_scheduled& e, const evolve_context& c) {
  job.status = job_status::pending;
  job.backoff_ms = e.backoff_ms;
  job.backoff_since = c.stamp.recorded_at_us;
}

void evolve(job_state& job, const job_waiting& e, const evolve_context&) {
  job.waits_for = e.reason;
}

void evolve(job_state& job, const artifact_stored& e, const evolve_context&) {
  job.artifacts.push_back({e.name, e.media_type, e.content});
}

void evolve(job_state& job, const job_finished& e, const evolve_context& c) {
  job.status = e.status;
  job.reason = e.reason;
  job.waits_for.clear();
  job.finished_at = c.stamp.recorded_at_us;
  job.finished_position = c.stamp.at;
}

namespace {

/// The state of a job of Reeve in the words that jobs of every source have.
std::string unified_state(job_status status) {
  return status == job_status::success ? "succeeded" : std::string(name_of(status));
}

std::optional<std::string> pending_reason(const job_state& job) {
  if (job.is_quarantined()) return "quarantined";
  if (job.status != job_status::pending) return std::nullopt;
  if (!job.waits_for.empty()) return job.waits_for;
  if (job.backoff_since > 0) return "retry_backoff";
  return "needs_or_parallelism";
}

}  // namespace

job_document document_of(const run_state& s, const job_state& job) {
  const auto& task = s.task_of(job);
  job_document d;
  d.id = d.job_id = job.id;
  d.run_id = s.id;
  d.task = std::string(kind_of(task.params));
  d.name = task.name;
  d.status = job.status;
  d.reason = job.reason;
  d.attempt = static_cast<std::int64_t>(job.attempts.size());
  d.engine = engine_of(s, job);
  for (const auto& a : job.attempts) d.attempts.push_back(document_of(a));
  for (const auto& a : job.artifacts) {
    d.artifacts.push_back({a.name, a.media_type, a.content.bytes, a.content.sha256});
  }
  d.needs = task.needs;
  d.user = s.created_by;
  d.state = unified_state(job.status);
  const auto demands = demands_of(task.params);
  d.cpu = demands.cpu_millis;
  d.memory_gb = static_cast<double>(demands.memory_mb) / 1024.0;
  d.priority = task.priority;
  d.submitted_at = {s.created_at};
  d.started_at = shown(job.started_at);
  d.finished_at = shown(job.finished_at);
  if (job.started_at) {
    d.wait_seconds = static_cast<double>(*job.started_at - s.created_at) / 1e6;
  }
  d.pending_reason = pending_reason(job);
  d.is_quarantined = job.is_quarantined();
  return d;
}

}  // namespace reeve::domain
