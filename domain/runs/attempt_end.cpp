#include "domain/runs/attempt_machine.hpp"

#include <algorithm>
#include <utility>

namespace reeve::domain::attempts {
namespace {

constexpr std::int64_t refused_by_init = 125;  // reeve-init found its marker
constexpr std::int64_t ended_by_init = 194;    // reeve-init ended it for what it had on disk
constexpr std::int64_t killed = 137;           // 128 + SIGKILL
constexpr std::int64_t lost = 255;             // what Docker says of one that ended without it

}  // namespace

// From the start to the end.

/// What was counted from stamps in the log goes by the clocks of servers, of which one may be hours
/// ahead; the engine's is the one that the timeout is measured with.
void machine::keep_time(const execution& what) {
  if (what.ran_us < 0 || s_.stop_intended) return;
  const auto rest = s_.config.timeout_ms - what.ran_us / 1000;
  if (rest > 0 && s_.stop_reason == end_reason::timed_out) s_.stop_reason.reset();
  if (!s_.stop_reason) s_.deadline = arm(std::max<std::int64_t>(rest, 0));
}

/// What ended before the first look ended while nobody watched: whether the engine was away then,
/// only the server before this one could have told.
void machine::first_look(const execution& what) {
  if (std::exchange(s_.unseen, false) && what.phase == execution_phase::ended) s_.log_gap = true;
}

void machine::on(const watched& input) {
  if (!is(phase::watching) || s_.waiting) return;
  s_.exit_code = input.exit_code;
  enter(phase::verifying);
}

/// `wait` has told an exit code. It counts if the execution that the log knows has ended, and no
/// other one has begun since.
void machine::verified(const found& input) {
  if (input.where != found_where::here) {
    s_.keep = input.where == found_where::foreign || input.where == found_where::other_engine;
    return end(end_reason::outcome_unknown);
  }
  const bool same = input.what.started_at == s_.seen->started_at;
  if (input.what.phase == execution_phase::created) return end(end_reason::outcome_unknown);
  if (!same) return replaced();
  if (input.what.phase == execution_phase::running) {
    // It told an end that was none.
    s_.phase = phase::watching;
    return find_failed(failure::unreadable);
  }
  if (s_.exit_code == lost && s_.unwatched) return end(end_reason::outcome_unknown);
  // Engines may tell of the end before they tell that the kernel killed it for want of memory.
  const bool unexplained = s_.exit_code == killed && !input.what.oom_killed && !s_.stop_reason;
  if (unexplained && !std::exchange(s_.looked_why, true)) return pause(failure::busy);
  s_.seen = input.what;
  s_.failures = 0;
  enter(phase::collecting);
}

/// Somebody started it once more: how the execution that the log knows ended, nobody can say. What
/// it wrote lies before the other one's output.
void machine::replaced() {
  if (s_.config.own) return end(end_reason::outcome_unknown);
  s_.verdict = end_reason::outcome_unknown;
  s_.failures = 0;
  enter(phase::collecting);
}

void machine::collect_failed(failure why) {
  const bool counts = is_answer(why) || why == failure::silent;
  if (why == failure::unreadable || (counts && ++s_.failures > s_.config.most_log_failures)) {
    s_.end.log_incomplete = !s_.config.own;  // which has no log
    return finish();
  }
  pause(why);
}

void machine::on(const collected& input) {
  if (!is(phase::collecting) || s_.waiting) return;
  s_.end.log = input.log;
  s_.end.streams = input.streams;
  s_.told = input.told;
  // What it wrote while the engine was away, the engine may have missed.
  s_.end.log_incomplete = !s_.config.own && (input.gone || s_.log_gap || s_.verdict);
  s_.end.artifacts = input.artifacts;
  finish();
}

/// The end is known but for what a stop did that is still under way.
void machine::finish() {
  s_.waiting = false;
  s_.phase = phase::holding;
  if (s_.stopping != stop_progress::sent) conclude();
}

bool machine::in_time() const {
  if (s_.seen->finished_at == 0) return false;
  const auto ran = std::max<time_us>(0, s_.seen->finished_at - s_.seen->started_at);
  return ran <= s_.config.timeout_ms * 1000;
}

void machine::conclude() {
  if (s_.verdict) return end(*s_.verdict);
  if (!s_.config.own) s_.end.exit_code = s_.exit_code;
  // An engine that hears of the end first does not tell why; reeve-init speaks of failures only.
  const bool starved = s_.exit_code != 0 && s_.told == end_reason::out_of_memory;
  s_.end.oom_killed = s_.seen->oom_killed || starved;
  const bool reached = s_.stopping == stop_progress::ended || s_.stop_unsure;
  const bool timed_out = s_.stop_reason == end_reason::timed_out;
  // Own work that was done again has had less time than its attempt.
  const bool early = timed_out && !s_.config.own && in_time();
  if (reached && !early) return end(*s_.stop_reason);
  if (s_.config.own) return end(end_reason::completed);
  if (s_.exit_code == ended_by_init && s_.told == end_reason::disk_limit)
    return end(end_reason::disk_limit);
  if (s_.exit_code == refused_by_init && s_.taken_up) return end(end_reason::second_start);
  if (s_.exit_code != 0 && s_.end.oom_killed) return end(end_reason::out_of_memory);
  end(end_reason::exited);
}

void machine::on(const forgotten& input) {
  if (!is(phase::forgetting) || s_.waiting) return;
  if (input.ok || ++s_.removals >= s_.config.most_removals) return close();
  pause(failure::busy, s_.config.forget_ms);
}

// Stopping.

void machine::on(const cancel&) {
  if (!s_.intended && !is(phase::intending)) {
    if (is(phase::allowing)) close();
    return;
  }
  want_stop(end_reason::cancelled);
}

/// A start that is recorded yet takes a timeout back, and never a client's wish: that one takes the
/// timeout's place as long as no stop says otherwise.
void machine::want_stop(end_reason why) {
  const bool is_told = s_.stop_intended || s_.stopping != stop_progress::none;
  if (s_.stop_reason && (is_told || why != end_reason::cancelled)) return;
  s_.stop_reason = why;
  if (is(phase::quarantined)) return end(why);
  // Who waits for its end need not wait for its turn.
  if (is(phase::queueing)) return try_again();
  if (is(phase::watching) && !s_.waiting) return send_stop();
  if (is(phase::submitting) && !s_.waiting) return emit(withhold{why});
  if (s_.waiting && may_end_at_once()) end_stopped();
}

/// While it waits. Of Reeve's own work nothing is lost; of other work nothing, if surely none runs.
bool machine::may_end_at_once() const {
  if (is(phase::reaching)) return s_.config.own;
  if (is(phase::submitting) || is(phase::finding)) return s_.config.own || !s_.may_run;
  const bool working = is(phase::watching) || is(phase::verifying) || is(phase::collecting);
  return s_.config.own && working;
}

/// Its intent goes first: whoever takes the attempt up after a crash has to know of it.
void machine::send_stop() {
  if (s_.stopping != stop_progress::none) return;
  if (!s_.stop_intended) {
    s_.stopping = stop_progress::intending;
    return emit(write_stop{*s_.stop_reason});
  }
  s_.stopping = stop_progress::sent;
  emit(stop{s_.seen->id});
}

void machine::on(const stop_written&) {
  if (s_.stopping != stop_progress::intending) return;
  s_.stopping = stop_progress::none;
  s_.stop_intended = true;
  if (is(phase::watching) && !s_.waiting) send_stop();
}

void machine::on(const stopped& input) {
  if (s_.stopping != stop_progress::sent) return;
  s_.stopping = input.was_running ? stop_progress::ended : stop_progress::too_late;
  if (is(phase::holding)) conclude();
}

void machine::on(const stop_failed& input) {
  if (s_.stopping != stop_progress::sent) return;
  s_.stopping = stop_progress::none;
  if (input.why != failure::away && input.why != failure::busy) s_.stop_unsure = true;
  if (is(phase::holding)) return conclude();
  s_.stop_again = arm(s_.config.retry_ms);
}

}  // namespace reeve::domain::attempts
