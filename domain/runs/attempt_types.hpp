#pragma once
// What an attempt is told (inputs) and what it wants done (effects). Nothing here knows
// an engine's protocol, a clock or an actor: domain/runs/attempt.hpp is the machine between them.

#include "domain/runs/job_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace reeve::domain::attempts {

/// How a question to the engine failed.
enum class failure {
  away,       // nothing was sent: there is no connection, or the breaker is open
  busy,       // nothing was sent: too many calls are under way. Back pressure, not an outage
  silent,     // it was sent and no whole answer came: it may have happened
  broken,     // the engine answered that it failed: perhaps for ever, perhaps not
  unreadable  // the engine answered something that its API does not promise
};

enum class execution_phase { created, running, ended };

/// What the engine says of the execution of an attempt. Times are the engine's own: only their
/// difference means anything here, and their being the same.
struct execution {
  std::string id;
  execution_phase phase = execution_phase::created;
  time_us started_at = 0;   // 0: never
  time_us finished_at = 0;  // 0: not yet. Can lie before the start by a fraction of a millisecond
  bool oom_killed = false;
  time_us ran_us = -1;  // so far, by the engine's own clock; -1: nobody asked
  bool operator==(const execution&) const = default;
};

// Inputs. An answer belongs to the one question that is open; `stopped` and `stop_failed` alone
// come beside it.

/// The attempt's turn has come and nothing of it is in the log.
struct begin {};
/// The log holds its intent: the process, or the actor, was another one then.
struct resume {
  std::optional<execution> recorded;  // of `attempt_started`
  std::int64_t works = 0;             // n of the last `work_attempted`
  std::int64_t rest_ms = 0;           // of its deadline
  bool taken_up = false;              // the recorded start was found, or made by a later try
  bool crashed = false;               // the actor before this one failed, or its process died
  bool cancelled = false;             // a client asked meanwhile
  bool quarantined = false;
  /// Why it was to be stopped; perhaps it was.
  std::optional<end_reason> stopping;
};
/// The allowlist and the engine have what it needs.
struct allowed {};
/// For good: before the intent, by the engine that should execute it, or while Reeve's own work
/// was done. Nothing runs.
struct refused {
  end_reason why = end_reason::engine_refused;
};
/// The engine is there: it has answered, whatever it said.
struct reached {};
/// `may_run`: its start was sent.
struct failed {
  failure why = failure::broken;
  bool may_run = false;
};
/// What was to be written is in the log.
struct written {};
/// What the intent rests on changed before it was written.
struct moved {};
/// The run's own state does not allow it any more.
struct unwritten {};
struct submitted {
  execution what;
};
/// `erased`: neither it nor the volume that was there before it, so whether it ran cannot be told.
enum class found_where { nowhere, here, foreign, other_engine, erased };
struct found {
  found_where where = found_where::nowhere;
  execution what;
};
/// What `wait` told.
struct watched {
  std::int64_t exit_code = 0;
};
/// The intent to stop is in the log.
struct stop_written {};
/// `was_running`: the stop found something to end.
struct stopped {
  bool was_running = false;
};
struct stop_failed {
  failure why = failure::broken;
};
struct collected {
  std::optional<blob_ref> log;
  bool gone = false;                            // the engine has no log of it (any more)
  std::vector<artifact_stored> artifacts = {};  // of this job
  std::optional<end_reason> told = {};          // by reeve-init: disk_limit or out_of_memory
  std::optional<log_streams> streams = {};      // of the log, if they are known
};
struct forgotten {
  bool ok = true;
};
struct timer_fired {
  std::int64_t token = 0;
};
struct engine_back {};
/// It may be tried a last time.
struct turn {};
struct cancel {};
/// What an operator decided about a quarantined attempt; it is in the log already, the end with it.
struct operator_retries {};
struct operator_discards {};

using input = std::variant<begin, resume, allowed, refused, reached, failed, written, moved,
                           unwritten, submitted, found, watched, stop_written, stopped, stop_failed,
                           collected, forgotten, timer_fired, engine_back, turn, cancel,
                           operator_retries, operator_discards>;

// Effects, to be carried out in their order. Those that write are answered by `written`, `moved` or
// `unwritten`, those that ask the engine by their answer or by `failed`.

struct ask_allowed {
  bool operator==(const ask_allowed&) const = default;
};
struct write_intent {
  bool operator==(const write_intent&) const = default;
};
/// The job fails without an attempt.
struct write_refusal {
  end_reason why = end_reason::engine_refused;
  bool operator==(const write_refusal&) const = default;
};
/// Makes the execution, in place of one of the same attempt that never started, and starts it.
struct submit {
  bool operator==(const submit&) const = default;
};
/// What is being submitted is not wanted any more: if its start has not been sent yet, it is not,
/// and the submission is answered by `refused` with this reason.
struct withhold {
  end_reason why = end_reason::cancelled;
  bool operator==(const withhold&) const = default;
};
/// Whether the engine is there at all; nothing of the attempt is asked. Answered by `reached`.
struct reach {
  bool operator==(const reach&) const = default;
};
struct find {
  bool operator==(const find&) const = default;
};
struct write_started {
  execution what;
  bool adopted = false;
  bool operator==(const write_started&) const = default;
};
struct watch {
  std::string id;
  bool operator==(const watch&) const = default;
};
/// Why it is to be stopped; answered by `stop_written`.
struct write_stop {
  end_reason why = end_reason::timed_out;
  bool operator==(const write_stop&) const = default;
};
struct stop {
  std::string id;
  bool operator==(const stop&) const = default;
};
/// Its output, stored; answered by `collected`.
struct collect {
  std::string id;
  bool operator==(const collect&) const = default;
};
struct write_end {
  end_reason why = end_reason::exited;
  std::optional<std::int64_t> exit_code;
  std::optional<blob_ref> log;
  bool oom_killed = false;
  bool log_incomplete = false;
  std::vector<artifact_stored> artifacts = {};  // before it
  std::optional<log_streams> streams = {};
  bool operator==(const write_end&) const = default;
};
/// Removes what is left on the engine.
struct forget {
  bool operator==(const forget&) const = default;
};
/// Precedes another try after a crash.
struct write_work {
  std::int64_t n = 0;
  bool operator==(const write_work&) const = default;
};
/// The next try is the last one before quarantine, and made when no other attempt makes such a try;
/// answered by `turn`, not before so much time of this process.
struct ask_turn {
  std::int64_t after_ms = 0;
  bool operator==(const ask_turn&) const = default;
};
struct write_quarantine {
  std::int64_t crashes = 0;
  bool operator==(const write_quarantine&) const = default;
};
/// The job could go on but for the engine.
struct tell_waiting {
  bool operator==(const tell_waiting&) const = default;
};
/// Answered by `timer_fired`. Timers are never cancelled: an old one has an old token.
struct set_timer {
  std::int64_t token = 0;
  std::int64_t after_ms = 0;
  bool operator==(const set_timer&) const = default;
};
/// The last one: nothing is left to do.
struct close {
  bool operator==(const close&) const = default;
};

using effect = std::variant<ask_allowed, write_intent, write_refusal, submit, withhold, reach, find,
                            write_started, watch, write_stop, stop, collect, write_end, forget,
                            write_work, ask_turn, write_quarantine, tell_waiting, set_timer, close>;

}  // namespace reeve::domain::attempts
