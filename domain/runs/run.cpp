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

std::string container_name_of(const uuid& tenant, const uuid& job, std::int64_t attempt) {
  const std::string digits = to_string(tenant);
  return "reeve-" + digits.substr(digits.size() - 12) + "-" + to_string(job) + "-a" +
         std::to_string(attempt);
}

std::map<std::string, std::int64_t> jobs_by_status(const run_state& state) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& job : state.jobs) ++counts[std::string(name_of(job.status))];
  return counts;
}

std::string engine_of(const run_state& state) {
  std::string engine;
  for (const auto& job : state.jobs) {
    for (const auto& attempt : job.attempts) {
      const auto& its = attempt.intent.engine;
      if (!engine.empty() && engine != its) return "mixed";
      engine = its;
    }
  }
  return engine.empty() ? state.launch->expected_engine : engine;
}

bool is_simulated(const run_state& state) {
  const auto pretends = [](const attempt_state& a) { return a.intent.engine == "simulated"; };
  return std::any_of(state.jobs.begin(), state.jobs.end(), [&](const job_state& job) {
    return std::any_of(job.attempts.begin(), job.attempts.end(), pretends);
  });
}

namespace {

/// The job and its attempt that an event speaks of. The log is ours: one that does not fit was
/// not written by `decide_…`, and evolve leaves the state alone.
attempt_state* attempt_in(run_state& s, const uuid& job, std::int64_t number) {
  auto* j = s.find(job);
  if (j == nullptr || j->attempts.empty() || j->attempts.back().number != number) return nullptr;
  return &j->attempts.back();
}

void on_launched(run_state& s, const run_launched& e, const evolve_context& c) {
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

void on_intended(run_state& s, const attempt_intended& e, const evolve_context& c) {
  auto* job = s.find(e.job);
  if (job == nullptr) return;
  job->status = job_status::running;
  job->waiting_for_engine = false;
  if (!job->started_at) {
    job->started_at = c.stamp.recorded_at_us;
    job->started_position = c.stamp.at;
  }
  attempt_state a;
  a.number = e.attempt;
  a.intent = e;
  a.intended_at = c.stamp.recorded_at_us;
  a.tried_epoch = e.epoch;
  job->attempts.push_back(std::move(a));
}

void on_started(run_state& s, const attempt_started& e, const evolve_context& c) {
  auto* a = attempt_in(s, e.job, e.attempt);
  if (a == nullptr) return;
  a->started_at = c.stamp.recorded_at_us;
  a->adopted = e.adopted;
  a->works = 0;  // what comes now is other work
  if (e.engine_started_at) a->engine_started_at = e.engine_started_at->at;
  s.find(e.job)->waiting_for_engine = false;
}

void on_ended(run_state& s, const attempt_ended& e, const evolve_context& c) {
  auto* a = attempt_in(s, e.job, e.attempt);
  if (a == nullptr) return;
  a->exit_code = e.exit_code;
  a->reason = e.reason;
  a->log = e.log;
  a->oom_killed = e.oom_killed;
  a->quarantined = false;
  a->finished_at = c.stamp.recorded_at_us;
}

void on_finished(run_state& s, const job_finished& e, const evolve_context& c) {
  auto* job = s.find(e.job);
  if (job == nullptr) return;
  job->status = e.status;
  job->reason = e.reason;
  job->waiting_for_engine = false;
  job->finished_at = c.stamp.recorded_at_us;
  job->finished_position = c.stamp.at;
}

/// The job that an event names has been touched by it.
void note_position(run_state& s, const run_event& event, position at) {
  std::visit(
      [&](const auto& e) {
        if constexpr (requires { e.job; }) {
          if (auto* job = s.find(e.job)) job->last_position = at;
        }
      },
      event);
}

}  // namespace

void evolve(run_state& s, const run_event& event, const evolve_context& c) {
  s.stream_version = c.stamp.version_in_stream;
  s.last_position = c.stamp.at;
  note_position(s, event, c.stamp.at);
  std::visit(overloaded{[&](const run_launched& e) { on_launched(s, e, c); },
                        [&](const run_started&) {
                          s.status = run_status::running;
                          s.started_at = c.stamp.recorded_at_us;
                          s.started_position = c.stamp.at;
                        },
                        [&](const attempt_intended& e) { on_intended(s, e, c); },
                        [&](const container_created& e) {
                          if (auto* a = attempt_in(s, e.job, e.attempt))
                            a->container_id = e.container_id;
                        },
                        [&](const attempt_started& e) { on_started(s, e, c); },
                        [&](const stop_intended& e) {
                          if (auto* a = attempt_in(s, e.job, e.attempt)) a->stopping = e.reason;
                        },
                        [&](const attempt_ended& e) { on_ended(s, e, c); },
                        [&](const retry_scheduled& e) {
                          if (auto* job = s.find(e.job)) {
                            job->status = job_status::pending;
                            job->backoff_ms = e.backoff_ms;
                            job->backoff_since = c.stamp.recorded_at_us;
                          }
                        },
                        [&](const work_attempted& e) {
                          if (auto* a = attempt_in(s, e.job, e.attempt)) {
                            a->works = e.n;
                            a->taken_up = a->taken_up || !a->started_at;
                            a->tried_epoch = e.epoch;
                          }
                        },
                        [&](const work_quarantined& e) {
                          if (auto* a = attempt_in(s, e.job, e.attempt)) a->quarantined = true;
                        },
                        [&](const work_released& e) {
                          if (auto* a = attempt_in(s, e.job, e.attempt)) {
                            a->quarantined = false;
                            a->works = 0;
                          }
                        },
                        [](const work_discarded&) {},  // its end follows
                        [&](const job_waiting& e) {
                          if (auto* job = s.find(e.job)) job->waiting_for_engine = true;
                        },
                        [&](const artifact_stored& e) {
                          if (auto* job = s.find(e.job)) {
                            job->artifacts.push_back({e.name, e.media_type, e.content});
                          }
                        },
                        [&](const job_finished& e) { on_finished(s, e, c); },
                        [&](const run_cancel_requested&) { s.cancel_requested = true; },
                        [&](const run_finished& e) {
                          s.status = e.status;
                          s.finished_at = c.stamp.recorded_at_us;
                          s.finished_position = c.stamp.at;
                        }},
             event);
}

}  // namespace reeve::domain
