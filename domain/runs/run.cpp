#include "domain/runs/run.hpp"

#include <algorithm>

namespace reeve::domain {

const job_state* run_state::find(const uuid& job) const {
  auto it = std::find_if(jobs.begin(), jobs.end(), [&](const auto& j) { return j.id == job; });
  return it == jobs.end() ? nullptr : &*it;
}

job_state* run_state::find(const uuid& job) {
  auto it = std::find_if(jobs.begin(), jobs.end(), [&](const auto& j) { return j.id == job; });
  return it == jobs.end() ? nullptr : &*it;
}

std::map<std::string, std::int64_t> jobs_by_status(const run_state& state) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& job : state.jobs) ++counts[std::string(name_of(job.status))];
  return counts;
}

namespace {

/// Empty before the first attempt.
void add_engines(const job_state& job, std::string& engine) {
  for (const auto& attempt : job.attempts) {
    const auto& its = attempt.intent.engine;
    engine = engine.empty() || engine == its ? its : "mixed";
  }
}

}  // namespace

std::string engine_of(const run_state& state) {
  std::string engine;
  for (const auto& job : state.jobs) add_engines(job, engine);
  return engine.empty() ? state.launch->expected_engine : engine;
}

std::string engine_of(const run_state& state, const job_state& job) {
  std::string engine;
  add_engines(job, engine);
  return engine.empty() ? state.launch->expected_engine : engine;
}

bool is_simulated(const run_state& state) {
  const auto pretends = [](const attempt_state& a) { return a.intent.engine == "simulated"; };
  return std::any_of(state.jobs.begin(), state.jobs.end(), [&](const job_state& job) {
    return std::any_of(job.attempts.begin(), job.attempts.end(), pretends);
  });
}

namespace {

void happened(run_state& s, const run_launched& e, const evolve_context& c) {
  s.id = e.id;
  s.tenant = c.tenant;
  s.created_by = std::string(c.principal);
  s.created_position = c.stamp.at;
  s.created_at = c.stamp.recorded_at_us;
  s.launch = shared_value(e);
  s.jobs.resize(e.jobs.size());
  for (std::size_t i = 0; i < e.jobs.size(); ++i) {
    s.jobs[i].id = e.jobs[i];
    s.jobs[i].ordinal = i;
    s.jobs[i].last_position = c.stamp.at;
  }
}

void happened(run_state& s, const run_started&, const evolve_context& c) {
  s.status = run_status::running;
  s.started_at = c.stamp.recorded_at_us;
  s.started_position = c.stamp.at;
}

void happened(run_state& s, const run_cancel_requested&, const evolve_context&) {
  s.cancel_requested = true;
}

void happened(run_state& s, const run_finished& e, const evolve_context& c) {
  s.status = e.status;
  s.finished_at = c.stamp.recorded_at_us;
  s.finished_position = c.stamp.at;
}

/// What names a job happens to that job.
template <class Event>
requires requires(const Event& e) {
  e.job;
}
void happened(run_state& s, const Event& e, const evolve_context& c) {
  auto* job = s.find(e.job);
  if (job == nullptr) return;
  job->last_position = c.stamp.at;
  evolve(*job, e, c);
}

}  // namespace

void evolve(run_state& s, const run_event& event, const evolve_context& c) {
  s.stream_version = c.stamp.version_in_stream;
  s.last_position = c.stamp.at;
  std::visit([&](const auto& e) { happened(s, e, c); }, event);
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
  d.started_at = shown(s.started_at);
  d.finished_at = shown(s.finished_at);
  d.created_by = s.created_by;
  d.labels = s.launch->labels;
  d.at = s.last_position;
  return d;
}

}  // namespace reeve::domain
