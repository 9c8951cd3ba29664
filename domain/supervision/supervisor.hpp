#pragma once
// The supervisor as a pure state machine: step(state, input, now) -> (state, effects). It knows no
// clock, no actor and no randomness but its own seed; actors/tree/supervisor.cpp carries the
// effects out.
//
// What it promises (PROMISES, "Supervision semantics"):
// - Static children start in their order, each after the one before has answered. Under
//   one_for_one a child that failed delays nobody; under the other strategies later children wait.
// - A group goes down in reverse start order, one after the other, each with its grace time, then
//   killed. Children that were added under one_for_one are independent of each other: they start at
//   once, and when the supervisor stops they are asked together, in reverse order.
// - Under rest_for_one and all_for_one the whole group waits for the backoff of the one that
//   failed. Temporary siblings that went down with a group do not come back.
// - One failure is one restart for the intensity, however many siblings it takes along.
// - A child that outlives its kill is `unreachable`: nothing is ever started beside it. That
//   escalates at once, through every level, because only the end of the process ends it.

#include "domain/supervision/supervisor_types.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::domain {

/// `waiting`: not running, to be started; `finished`: not running, and not to be.
enum class child_phase { waiting, starting, up, stopping, killing, finished };
template <>
struct enum_names<child_phase> {
  static constexpr std::array<std::string_view, 6> names{"waiting",  "starting", "up",
                                                         "stopping", "killing",  "finished"};
};

constexpr bool is_alive(child_phase p) {
  return p != child_phase::waiting && p != child_phase::finished;
}

struct child_state {
  child_spec spec;
  bool added = false;    // at run time
  bool leaving = false;  // by remove_child
  child_phase phase = child_phase::waiting;
  std::int64_t incarnation = 0;  // 0 = never started
  std::int64_t failures = 0;     // in a row; the exponent of the backoff
  std::int64_t up_since_us = 0;  // when `up`
  std::int64_t timer = 0;        // token of the one that matters; 0 = none
  bool delayed = false;          // `waiting` for that timer
  /// Why it is being killed, which the exit of a killed actor does not tell.
  std::optional<exit_class> kill_reason;

  std::int64_t restarts() const { return incarnation > 1 ? incarnation - 1 : 0; }
};

enum class supervisor_phase { fresh, running, closing, ended };

struct supervisor_state {
  supervisor_config config;
  supervisor_phase phase = supervisor_phase::fresh;
  std::map<child_id, child_state> children;
  std::map<std::string, child_id, std::less<>> ids;
  child_id last_static = 0;
  child_id next_child = 1;
  std::int64_t next_token = 1;
  std::int64_t now_us = 0;
  std::uint64_t random = 0;
  std::deque<std::int64_t> restarts_at_us;  // within the period; at most max_restarts
  std::int64_t restarts = 0;                // ever
  std::int64_t stale_answers = 0;
  /// While a group goes down: every child with a greater id.
  std::optional<child_id> sweep_after;
  std::int64_t hold_timer = 0;  // token; while it is not 0 a group waits for its backoff
  std::int64_t hold_until_us = 0;
  bool announced = false;              // all_up
  std::int64_t added_alive = 0;        // of one_for_one's added children
  std::optional<exit_class> escalate;  // how `closing` ends; nothing = stopped
};

struct supervisor_step {
  supervisor_state state;
  std::vector<supervisor_effect> effects;
};

supervisor_state make_supervisor(supervisor_config config, std::vector<child_spec> children);

/// `now_us` should not go back; if it does, the machine keeps the latest that it has seen.
supervisor_step step(supervisor_state state, const supervisor_input& input, std::int64_t now_us);

std::string child_path(const supervisor_state& state, const child_state& child);

/// How long the supervisor itself may take to stop: what its parent gives it as grace time.
std::int64_t total_grace_us(const supervisor_config& config, const std::vector<child_spec>& specs);
/// How long it may take until all static children are up, when none fails.
std::int64_t total_start_us(const std::vector<child_spec>& specs);

/// The delay before restart number `failures` + 1 in a row, without jitter.
std::int64_t full_backoff_us(const supervisor_config& config, std::int64_t failures);

}  // namespace reeve::domain
