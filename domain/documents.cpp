#include "domain/documents.hpp"

namespace reeve::domain {
namespace {

std::optional<timestamp> at(const std::optional<time_us>& t) {
  return t ? std::optional(timestamp{*t}) : std::nullopt;
}

attempt_document attempt_of(const attempt_state& a) {
  attempt_document d;
  d.number = a.number;
  d.container_id = a.container_id;
  d.container_name = a.intent.container_name;
  d.image = a.intent.image;
  d.image_digest = a.intent.image_id;
  d.engine = a.intent.engine;
  d.engine_id = a.intent.engine_id;
  d.node = a.intent.node;
  d.oom_killed = a.oom_killed;
  d.exit_code = a.exit_code;
  d.reason = a.reason;
  d.log = a.log;
  d.started_at = at(a.started_at);
  d.finished_at = at(a.finished_at);
  return d;
}

/// The state of a job of Reeve in the words that jobs of every source have.
std::string unified_state(job_status status) {
  return status == job_status::success ? "succeeded" : std::string(name_of(status));
}

std::optional<std::string> pending_reason(const job_state& job) {
  if (job.is_quarantined()) return "quarantined";
  if (job.status != job_status::pending) return std::nullopt;
  if (job.waiting_for_engine) return "engine_unavailable";
  if (job.backoff_since > 0) return "retry_backoff";
  return "needs_or_parallelism";
}

}  // namespace

directive_document document_of(const directive_state& s) {
  directive_document d;
  d.id = s.id;
  d.name = s.spec.name;
  d.description = s.spec.description;
  d.version = s.version;
  d.is_default = s.is_default;
  d.is_archived = s.is_archived;
  d.tasks = s.spec.tasks;
  d.limits = s.spec.limits;
  d.labels = s.spec.labels;
  d.created_at = {s.created_at};
  d.updated_at = {s.updated_at};
  return d;
}

image_document document_of(const allow_entry<image_allowed>& e) {
  return {e.what.id,   e.what.reference, e.what.digest, e.what.allow_host_network,
          e.is_active, e.what.reason,    e.created_by,  {e.created_at}};
}

container_document document_of(const allow_entry<container_allowed>& e) {
  return {e.what.id,     e.what.container_id, e.what.name,   e.is_active,
          e.what.reason, e.created_by,        {e.created_at}};
}

token_document document_of(const token_state& t) {
  return {t.what.id,    t.what.name,    t.what.role,     t.is_active,
          t.created_by, {t.created_at}, at(t.revoked_at)};
}

llm_call_document document_of(const llm_call_recorded& c, time_us when) {
  return {c.id,           c.job,        c.run, c.model_name, c.prompt_tokens, c.completion_tokens,
          c.total_tokens, c.latency_ms, {when}};
}

run_document document_of(const run_state& s) {
  run_document d;
  d.id = s.id;
  d.status = s.status;
  d.directive_id = s.launch->directive.id;
  d.directive_version = s.launch->directive.version;
  d.directive_name = s.launch->directive.name;
  d.job_count = static_cast<std::int64_t>(s.jobs.size());
  d.jobs_by_status = jobs_by_status(s);
  d.engine = engine_of(s);
  d.retry_of = s.launch->retry_of;
  d.since = s.launch->since;
  d.cancel_requested = s.cancel_requested;
  d.created_at = {s.created_at};
  d.started_at = at(s.started_at);
  d.finished_at = at(s.finished_at);
  d.created_by = s.created_by;
  d.labels = s.launch->labels;
  d.at = s.last_position;
  return d;
}

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
  for (const auto& a : job.attempts) d.attempts.push_back(attempt_of(a));
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
  d.started_at = at(job.started_at);
  d.finished_at = at(job.finished_at);
  if (job.started_at) {
    d.wait_seconds = static_cast<double>(*job.started_at - s.created_at) / 1e6;
  }
  d.pending_reason = pending_reason(job);
  d.is_quarantined = job.is_quarantined();
  return d;
}

}  // namespace reeve::domain
