#include "domain/runs/attempt.hpp"

#include "domain/runs/attempt_machine.hpp"
#include "domain/supervision/work_item.hpp"

#include <algorithm>
#include <utility>

namespace reeve::domain::attempts {

std::int64_t machine::arm(std::int64_t after_ms) {
  emit(set_timer{s_.next_token, after_ms});
  return s_.next_token++;
}

void machine::enter(phase next) {
  s_.phase = next;
  s_.waiting = false;
  s_.wake = 0;
  ask(next);
}

/// The one effect that a phase begins with.
void machine::ask(phase next) {
  switch (next) {
    case phase::allowing:
      return emit(ask_allowed{});
    case phase::intending:
      return emit(write_intent{});
    case phase::submitting:
      return emit(submit{});
    case phase::reaching:
      return emit(reach{});
    case phase::finding:
    case phase::verifying:
      return emit(find{});
    case phase::watching:
      return emit(watch{s_.seen->id});
    case phase::collecting:
      return emit(collect{s_.seen->id});
    case phase::ending:
      return emit(s_.end);
    case phase::forgetting:
      return emit(forget{});
    default:
      return;
  }
}

void machine::pause(failure why, std::int64_t after_ms) {
  s_.waiting = true;
  if (why == failure::away) emit(tell_waiting{});
  s_.wake = arm(after_ms);
}

/// An engine that is away or busy is so to everybody. What it does not answer, or answers badly,
/// may be this attempt's alone, and be tried for as long as its timeout.
void machine::pause(failure why) {
  if (why != failure::away && why != failure::busy) s_.held_up = true;
  pause(why, is_mute(why) ? s_.config.away_ms : s_.config.retry_ms);
}

/// After a pause: the question is asked again, but for a submission and a `wait`, before which the
/// engine is asked how far the attempt came.
void machine::go_on() {
  if (!s_.waiting) return;
  if (is(phase::watching)) return enter(phase::finding);
  if (is(phase::submitting) && std::exchange(s_.look, false)) return enter(phase::finding);
  enter(s_.phase);
}

void machine::refuse(end_reason why) {
  s_.phase = phase::refusing;
  s_.waiting = false;
  emit(write_refusal{why});
}

void machine::end(end_reason why) {
  s_.end.why = why;
  enter(phase::ending);
}

/// It was to be stopped, and surely nothing of it runs that would have to be: it never started, or
/// it is Reeve's own work.
void machine::end_stopped() {
  end(why_stopped());
}

/// Time that went by because the engine was away is not the job's fault.
end_reason machine::why_stopped() const {
  const bool timed_out = !s_.stop_reason || s_.stop_reason == end_reason::timed_out;
  if (!timed_out) return *s_.stop_reason;
  return s_.away && !s_.recorded ? end_reason::engine_unavailable : end_reason::timed_out;
}

/// Its answer ends an outage, but for what was to be stopped by then: the outage is why.
void machine::engine_answered() {
  if (!s_.stop_reason) s_.away = false;
}

void machine::close() {
  s_.phase = phase::closed;
  s_.waiting = false;
  emit(attempts::close{});
}

// Before the intent.

void machine::on(const begin&) {
  if (!is(phase::fresh)) return;
  s_.deadline = arm(s_.config.timeout_ms);
  enter(phase::allowing);
}

void machine::on(const allowed&) {
  if (!is(phase::allowing) || s_.waiting) return;
  s_.away = false;
  enter(phase::intending);
}

void machine::on(const refused& input) {
  if (s_.waiting) return;
  if (is(phase::allowing)) return refuse(input.why);
  if (is(phase::submitting) || (is(phase::watching) && s_.config.own)) end(input.why);
}

void machine::on(const moved&) {
  if (!is(phase::intending)) return;
  if (s_.stop_reason == end_reason::timed_out) return refuse(why_stopped());
  if (s_.stop_reason) return close();
  enter(phase::allowing);
}

void machine::on(const unwritten&) {
  if (!is(phase::closed)) close();
}

void machine::on(const written&) {
  switch (s_.phase) {
    case phase::intending:
      s_.intended = true;
      if (s_.stop_reason) return end(*s_.stop_reason);
      s_.failures = 0;
      return enter(phase::submitting);
    case phase::refusing:
      return close();
    case phase::noting:
      s_.noted = true;
      return enter(phase::finding);
    case phase::recording:
      return recorded();
    case phase::ending:
      return s_.keep ? close() : enter(phase::forgetting);
    case phase::isolating:
      s_.phase = phase::quarantined;
      if (s_.stop_reason) end(*s_.stop_reason);
      return;
    default:
      return;
  }
}

// From the intent to the start.

void machine::on(const resume& input) {
  if (!is(phase::fresh)) return;
  s_.intended = true;
  s_.may_run = true;
  s_.works = input.works;
  s_.noted = !input.crashed;
  s_.seen = input.recorded;
  s_.recorded = input.recorded.has_value();
  s_.unseen = s_.recorded && !s_.config.own;
  s_.taken_up = !s_.recorded || input.taken_up;
  if (input.cancelled) s_.stop_reason = end_reason::cancelled;
  s_.stop_intended = s_.stop_unsure = input.stopping.has_value();
  if (input.stopping) s_.stop_reason = input.stopping;
  s_.deadline = arm(std::clamp<std::int64_t>(input.rest_ms, 0, s_.config.timeout_ms));
  if (input.quarantined) {
    s_.phase = phase::quarantined;
    if (s_.stop_reason) end(*s_.stop_reason);
    return;
  }
  // Perhaps the very question to the engine is what it does not survive. What runs goes on, but not
  // inside a process that died.
  if (!s_.noted && (!s_.recorded || s_.config.own)) return enter(phase::reaching);
  enter(phase::finding);
}

void machine::on(const submitted& input) {
  if (is(phase::submitting)) record(input.what, false);
}

void machine::on(const failed& input) {
  if (s_.waiting) return;
  s_.away = input.why == failure::away;
  switch (s_.phase) {
    case phase::reaching:
      return reach_failed(input.why);
    case phase::allowing:
      if (is_answer(input.why) && ++s_.failures > s_.config.most_failures) {
        return refuse(end_reason::engine_refused);
      }
      return pause(input.why);
    case phase::submitting:
      return submit_failed(input);
    case phase::finding:
    case phase::watching:
    case phase::verifying:
      return find_failed(input.why);
    case phase::collecting:
      return collect_failed(input.why);
    default:
      return;
  }
}

/// Only now the attempt itself is tried again.
void machine::on(const reached&) {
  if (!is(phase::reaching) || s_.waiting) return;
  engine_answered();
  note();
}

void machine::reach_failed(failure why) {
  if (is_answer(why)) return note();
  if (s_.stop_reason && may_end_at_once()) return end_stopped();
  pause(why);
}

void machine::submit_failed(const failed& input) {
  if (input.may_run) s_.may_run = s_.start_sent = true;
  s_.look = input.why != failure::busy;
  if (!s_.may_run && s_.stop_reason) return end_stopped();
  if (is_answer(input.why) && ++s_.failures > s_.config.most_failures && !s_.may_run) {
    return end(s_.start_sent ? end_reason::start_failed : end_reason::engine_refused);
  }
  pause(input.why);
}

void machine::find_failed(failure why) {
  if (s_.recorded && why == failure::away) s_.unwatched = true;
  if (s_.recorded && is_mute(why)) s_.log_gap = true;
  if (!s_.may_run && s_.stop_reason) return end_stopped();
  if (is_answer(why) && ++s_.failures > s_.config.most_failures) {
    return end(s_.may_run ? end_reason::outcome_unknown : end_reason::engine_refused);
  }
  pause(why);
}

void machine::on(const found& input) {
  if (s_.waiting) return;
  engine_answered();
  if (is(phase::verifying)) return verified(input);
  if (!is(phase::finding)) return;
  switch (input.where) {
    case found_where::nowhere:
      return found_nowhere();
    case found_where::here:
      return found_here(input.what);
    case found_where::foreign:
      s_.keep = true;
      return end(s_.recorded ? end_reason::outcome_unknown : end_reason::engine_refused);
    case found_where::other_engine:
      s_.keep = true;
      return end(end_reason::outcome_unknown);
    case found_where::erased:
      return s_.may_run ? end(end_reason::outcome_unknown) : found_nowhere();
  }
}

void machine::found_nowhere() {
  const bool done_once = s_.recorded || s_.start_sent;
  if (done_once && !s_.config.own) return end(end_reason::outcome_unknown);
  s_.may_run = false;
  submit_again();
}

void machine::found_here(const execution& what) {
  first_look(what);
  if (what.phase == execution_phase::created) {
    // An engine that lost a start has nothing to say about its end.
    if (s_.recorded) return end(end_reason::outcome_unknown);
    s_.may_run = false;
    return submit_again();
  }
  if (s_.recorded && what.started_at != s_.seen->started_at) {
    return s_.noted ? replaced() : note();
  }
  if (!s_.noted && what.phase == execution_phase::ended) return note();
  if (!s_.recorded) {
    s_.taken_up = true;
    return record(what, true);
  }
  s_.seen = what;
  if (what.phase == execution_phase::ended) s_.unwatched = true;
  keep_time(what);
  enter(phase::watching);
  if (s_.stop_reason) send_stop();
}

/// Surely nothing of it runs.
void machine::submit_again() {
  if (s_.stop_reason) return end_stopped();
  if (s_.failures > s_.config.most_failures) {
    return end(s_.start_sent ? end_reason::start_failed : end_reason::engine_refused);
  }
  if (s_.start_sent) s_.taken_up = true;
  enter(phase::submitting);
}

void machine::note() {
  const auto verdict = take_up({work_status::open, s_.works});
  if (verdict.next == work_next::quarantine) {
    s_.phase = phase::isolating;
    return emit(write_quarantine{verdict.n});
  }
  s_.works = verdict.n;
  // Who waits for its end need not wait for its turn.
  if (!verdict.is_last_try() || s_.stop_reason) return try_again();
  s_.phase = phase::queueing;
  emit(ask_turn{last_try_after_ms});
}

void machine::try_again() {
  s_.phase = phase::noting;
  emit(write_work{s_.works});
}

void machine::record(const execution& what, bool adopted) {
  s_.seen = what;
  s_.may_run = true;
  // Own work that is done again: its start stands in the log, and its time goes on.
  if (s_.recorded) return enter(phase::watching);
  s_.phase = phase::recording;
  s_.waiting = false;
  emit(write_started{what, adopted});
}

void machine::recorded() {
  s_.recorded = true;
  s_.failures = 0;
  // What came before the start took too long; the execution has its own time.
  if (s_.stop_reason == end_reason::timed_out) s_.stop_reason.reset();
  s_.deadline = arm(s_.config.timeout_ms);
  enter(phase::watching);
  if (s_.stop_reason) send_stop();
}

// Timers, the engine, an operator.

void machine::on(const timer_fired& input) {
  if (input.token == s_.wake) return go_on();
  if (input.token == s_.stop_again) {
    if (is(phase::watching) && !s_.waiting) send_stop();
    return;
  }
  if (input.token != s_.deadline) return;
  if (is(phase::allowing)) return refuse(why_stopped());
  const bool may_stand = s_.intended || is(phase::intending);
  if (may_stand && !is(phase::quarantined)) want_stop(end_reason::timed_out);
}

void machine::on(const engine_back&) {
  if (!is(phase::forgetting)) go_on();
}

void machine::on(const turn&) {
  if (is(phase::queueing)) try_again();
}

void machine::on(const operator_retries&) {
  if (!is(phase::quarantined)) return;
  s_.works = 0;
  s_.noted = true;
  s_.deadline = arm(s_.config.timeout_ms);
  enter(phase::finding);
}

void machine::on(const operator_discards&) {
  if (is(phase::quarantined)) enter(phase::forgetting);
}

bool is_starting(const state& s) {
  return s.phase < phase::watching && !s.recorded && !s.held_up;
}

stepped step(state before, const input& what) {
  stepped result{std::move(before), {}};
  machine m(result.state, result.effects);
  std::visit([&](const auto& each) { m.on(each); }, what);
  return result;
}

}  // namespace reeve::domain::attempts
