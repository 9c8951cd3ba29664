#pragma once
// What must hold of the end that an attempt writes, given what its execution really did.

#include "domain/runs/attempt.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace attempt_world {

/// Bends what goes out of the machine, or what goes in.
struct defect {
  using state = reeve::domain::attempts::state;
  const char* name;
  std::function<void(std::vector<reeve::domain::attempts::effect>&, const state&)> effects;
  std::function<void(reeve::domain::attempts::input&, const state&)> input;
};

struct body {  // the container
  std::string id;
  std::optional<std::int64_t> started;  // ms of the engine's clock
  std::optional<std::int64_t> finished;
  std::int64_t code = 0;
  bool oom = false;
  std::vector<std::function<void(std::int64_t)>> waiters;
  bool running() const { return started && !finished; }
  reeve::domain::attempts::execution seen() const {
    using reeve::domain::attempts::execution_phase;
    reeve::domain::attempts::execution e;
    e.id = id;
    e.phase = !started   ? execution_phase::created
              : finished ? execution_phase::ended
                         : execution_phase::running;
    e.started_at = started.value_or(0) * 1000;
    e.finished_at = finished.value_or(0) * 1000;
    e.oom_killed = oom;
    return e;
  }
};

/// Whether they wait for an end and do nothing for it to come.
inline bool let_run(const std::vector<reeve::domain::attempts::effect>& effects) {
  using namespace reeve::domain::attempts;
  const auto has = [&](auto is) { return std::any_of(effects.begin(), effects.end(), is); };
  return has([](const effect& e) { return std::holds_alternative<watch>(e); }) &&
         !has([](const effect& e) {
           return std::holds_alternative<write_stop>(e) || std::holds_alternative<stop>(e);
         });
}

/// Of one execution that has ended.
struct truth {
  std::int64_t code = 0;
  std::int64_t ran = 0;  // ms of the engine's clock
  bool by_stop_of_ours = false;
};

/// Which rule the end breaks; empty if none. `its` is the truth of the execution that the log
/// knows, null if it has not ended. `unsure`: a stop was sent without a clear answer.
inline std::string broken_rule(const reeve::domain::attempts::write_end& e, const truth* its,
                               std::int64_t timeout_ms, bool unsure) {
  using reeve::domain::end_reason;
  const bool stopped = its != nullptr && (its->by_stop_of_ours || unsure);
  switch (e.why) {
    case end_reason::exited:
    case end_reason::out_of_memory:
      if (its == nullptr || e.exit_code != its->code) return "an exit code that was none";
      if (its->by_stop_of_ours && its->ran > timeout_ms) {
        return "it was stopped and says that it ended by itself";
      }
      return "";
    case end_reason::timed_out:
      if (!e.exit_code) return "";  // it never ran
      if (its == nullptr || its->ran <= timeout_ms) {
        return "it ended in time and says that it did not";
      }
      return stopped ? "" : "timed out, but no stop had reached it";
    case end_reason::engine_unavailable:
      return its == nullptr && !e.exit_code ? "" : "it started and says that it could not";
    case end_reason::cancelled:
      return !e.exit_code || stopped ? "" : "cancelled, but no stop had reached it";
    case end_reason::outcome_unknown:
      if (e.exit_code) return "an exit code of which nobody knows";
      return e.log && !e.log_incomplete ? "whole, and nobody knows how it ended" : "";
    default:
      return "";
  }
}

/// Null: it has not ended, or never began.
inline const truth* truth_of(const std::map<std::int64_t, truth>& by_start,
                             const std::optional<reeve::domain::attempts::execution>& recorded) {
  const auto its = recorded ? by_start.find(recorded->started_at / 1000) : by_start.end();
  return its == by_start.end() ? nullptr : &its->second;
}

/// What the engine has told one server of the execution that the log knows.
struct witness {
  bool unseen = false;     // nothing yet
  bool unwatched = false;  // that it had ended, at the first look
  bool replaced = false;   // that another one has begun since, at the last look
  bool collected = false;  // its output was asked for

  void saw(const std::optional<body>& what,
           const std::optional<reeve::domain::attempts::execution>& recorded) {
    if (std::exchange(unseen, false) && what && what->finished) unwatched = true;
    replaced = what && what->started && recorded && *what->started * 1000 != recorded->started_at;
  }
  std::string broken_rule(const reeve::domain::attempts::write_end& e) const {
    const bool unknown = e.why == reeve::domain::end_reason::outcome_unknown;
    if (unknown && replaced && !collected) return "its output was thrown away";
    if (unwatched && e.exit_code && !e.log_incomplete) return "whole, and nobody watched its end";
    return "";
  }
};

}  // namespace attempt_world
