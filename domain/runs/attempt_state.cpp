#include "domain/runs/attempt_state.hpp"

namespace reeve::domain {

attempt_state begun(const attempt_intended& intent, const evolve_context& c) {
  attempt_state a;
  a.number = intent.attempt;
  a.intent = intent;
  a.intended_at = c.stamp.recorded_at_us;
  a.tried_epoch = intent.epoch;
  return a;
}

void evolve(attempt_state& a, const container_created& e, const evolve_context&) {
  a.container_id = e.container_id;
}

void evolve(attempt_state& a, const attempt_started& e, const evolve_context& c) {
  a.started_at = c.stamp.recorded_at_us;
  a.adopted = e.adopted;
  a.works = 0;  // what comes now is other work
  if (e.engine_started_at) a.engine_started_at = e.engine_started_at->at;
}

void evolve(attempt_state& a, const stop_intended& e, const evolve_context&) {
  a.stopping = e.reason;
}

void evolve(attempt_state& a, const attempt_ended& e, const evolve_context& c) {
  a.exit_code = e.exit_code;
  a.reason = e.reason;
  a.log = e.log;
  a.log_streams = e.log_streams;
  a.oom_killed = e.oom_killed;
  a.log_incomplete = e.log_incomplete.value_or(false);
  a.quarantined = false;
  a.finished_at = c.stamp.recorded_at_us;
}

void evolve(attempt_state& a, const work_attempted& e, const evolve_context&) {
  a.works = e.n;
  a.taken_up = a.taken_up || !a.started_at;
  a.tried_epoch = e.epoch;
}

void evolve(attempt_state& a, const work_quarantined&, const evolve_context&) {
  a.quarantined = true;
}

void evolve(attempt_state& a, const work_released&, const evolve_context&) {
  a.quarantined = false;
  a.works = 0;
}

/// Its end follows.
void evolve(attempt_state&, const work_discarded&, const evolve_context&) {}

attempt_document document_of(const attempt_state& a) {
  attempt_document d;
  d.number = a.number;
  d.container_id = a.container_id;
  d.container_name = a.intent.container_name;
  d.image = a.intent.image;
  // The simulated engine makes its digests up.
  if (a.intent.engine != "simulated") d.image_digest = a.intent.image_id;
  d.engine = a.intent.engine;
  d.engine_id = a.intent.engine_id;
  d.node = a.intent.node;
  d.oom_killed = a.oom_killed;
  d.log_incomplete = may_lack_output(a);
  d.exit_code = a.exit_code;
  d.reason = a.reason;
  d.log = a.log;
  d.started_at = shown(a.started_at);
  d.finished_at = shown(a.finished_at);
  return d;
}

/// Of what was started and given up nothing was collected.
bool may_lack_output(const attempt_state& a) {
  const bool given_up =
      a.reason == end_reason::outcome_unknown || a.reason == end_reason::quarantined;
  return a.log_incomplete || (given_up && !a.log && a.started_at);
}

}  // namespace reeve::domain
