#pragma once
// An attempt as a pure state machine: step(state, input) -> (state, effects). It knows no clock, no
// engine and no actor; actors/runs/attempt_runner.cpp carries the effects out, with what the task's
// kind has for them (tasks/attempt_work.hpp).
//
// What it promises:
// - Nothing is submitted before the intent is in the log, and nothing is submitted again before the
//   engine has said that the attempt never started.
// - An attempt ends once, and as what it was. Its end is what `wait` told, of the execution whose
//   start the log knows; where that cannot be said, the outcome is unknown. What is left of its
//   output is stored all the same if somebody started it once more.
// - What ended within its time is not timed out, and what ended before a stop reached it is neither
//   timed out nor cancelled. The engine's own times decide.
// - A crash is counted before the next try, and the third one puts the attempt aside. What runs
//   meanwhile is not interrupted by it, and what only waits for an engine has done no harm.
// - A refusal that repeats itself is final after a few tries; an engine that is away is waited for,
//   before the start no longer than the job's timeout, and then that is what the end says.
// - Work of Reeve's own has no effect but its end: interrupted it is done again, until its time is
//   over or the third crash puts it aside.

#include "domain/runs/attempt_types.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace reeve::domain::attempts {

struct config {
  /// Reeve does the work itself: what is not there any more was never done, and there is no exit
  /// code.
  bool own = false;
  /// Of the execution, from its recorded start. From its turn on the attempt has to start within
  /// the same time, or it never does.
  std::int64_t timeout_ms = 3'600'000;
  std::int64_t retry_ms = 500;
  std::int64_t away_ms = 5'000;  // an engine's return is told; this is for one that was missed
  std::int64_t forget_ms = 200;
  int most_failures = 5;  // that the engine answers with, in one phase
  int most_log_failures = 20;
  int most_removals = 3;  // what stays behind is found by reconciliation
};

enum class phase {
  fresh,
  allowing,     // is asked for: the allowlist, the image
  intending,    // the intent is being written
  refusing,     // the job's end without an attempt is being written
  submitting,   // the engine makes and starts it
  reaching,     // after a crash: the engine is asked whether it is there, and nothing else
  finding,      // the engine is asked how far it came
  queueing,     // for its turn to be tried a last time
  noting,       // a new try after a crash is being written
  recording,    // its start is being written
  watching,     // it runs, and `wait` is open
  verifying,    // `wait` has told: of the execution that the log knows?
  collecting,   // its output is being stored
  holding,      // a stop is still under way, and its answer says whether it ended anything
  ending,       // its end is being written
  forgetting,   // what is left on the engine is being removed
  isolating,    // its quarantine is being written
  quarantined,  // until an operator decides
  closed
};

enum class stop_progress {
  none,
  intending,  // its intent is being written
  sent,       // no answer yet
  ended,      // it ended the execution
  too_late    // there was nothing left to end
};

struct state {
  attempts::config config;
  attempts::phase phase = phase::fresh;
  bool waiting = false;  // for the wake timer or the engine; no question is open
  bool away = false;     // the engine has not answered since it was last known to be
  std::int64_t next_token = 1;
  std::int64_t deadline = 0;  // tokens of the timers that matter; 0 = none
  std::int64_t wake = 0;
  std::int64_t stop_again = 0;

  bool intended = false;
  bool may_run = false;     // it is not known that it never started
  bool start_sent = false;  // by this machine, without a clear answer
  bool taken_up = false;    // it may have started before this machine's own start
  bool recorded = false;    // its start is in the log
  bool noted = true;        // `work_attempted` for this try is in the log, or none is due
  bool keep = false;        // what is on the engine is not ours to remove
  bool look = false;        // before the next submission
  bool looked_why = false;  // who killed it was asked once more
  bool unwatched = false;   // the engine was away while it ran, or may have been
  bool log_gap = false;     // it did not answer while it ran, or nobody looked when it ended
  bool held_up = false;     // before its start, by what others need not share
  bool unseen = false;      // taken up with its start in the log, and not looked at since
  std::int64_t works = 0;
  int failures = 0;
  int removals = 0;

  std::optional<end_reason> stop_reason;  // timed_out or cancelled
  stop_progress stopping = stop_progress::none;
  bool stop_intended = false;  // in the log
  bool stop_unsure = false;    // one was sent, and nobody knows whether it reached the execution
  std::optional<execution> seen;
  std::int64_t exit_code = 0;
  std::optional<end_reason> told;     // why it ended, as reeve-init says in its output
  std::optional<end_reason> verdict;  // known before its output is stored, whatever `wait` told
  write_end end;
};

struct stepped {
  attempts::state state;
  std::vector<effect> effects;
};

stepped step(state before, const input& what);

/// Whether it is on its way to its recorded start and nothing but the engine's business or absence,
/// which are everybody's, holds it up: others wait for their turn until then.
bool is_starting(const state& s);

}  // namespace reeve::domain::attempts
