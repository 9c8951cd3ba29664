#pragma once
// The data of supervision: what a supervisor is told (inputs), what it wants done (effects), and
// the facts that it reports. Times are microseconds of a monotonic clock whose zero means nothing.

#include "domain/fields.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace reeve::domain {

/// Who goes down and comes up again with a child that failed: nobody else; those that were started
/// after it; everybody.
enum class restart_strategy { one_for_one, rest_for_one, all_for_one };
template <>
struct enum_names<restart_strategy> {
  static constexpr std::array<std::string_view, 3> names{"one_for_one", "rest_for_one",
                                                         "all_for_one"};
};

/// Which exits are answered with a restart: every one; abnormal ones; none.
enum class restart_kind { permanent, transient, temporary };
template <>
struct enum_names<restart_kind> {
  static constexpr std::array<std::string_view, 3> names{"permanent", "transient", "temporary"};
};

/// Why a child is gone; a closed list, so that no exception's text reaches the log. All but the
/// first two are abnormal.
enum class exit_class {
  normal,         // its work is done
  shutdown,       // it was asked to stop, and did
  failed,         // it failed: an exception, an error, or a nested supervisor that escalated
  killed,         // somebody killed it
  timeout,        // it did not stop within its grace time and was killed
  start_timeout,  // its init did not answer in time and it was killed
  unreachable     // it was killed and is still there; only the end of the process ends it
};
template <>
struct enum_names<exit_class> {
  static constexpr std::array<std::string_view, 7> names{
      "normal", "shutdown", "failed", "killed", "timeout", "start_timeout", "unreachable"};
};

constexpr bool is_abnormal(exit_class why) {
  return why > exit_class::shutdown;
}

/// `started` and `restarted` are reported when the init has answered, not when it is called.
enum class fact_kind { started, exited, restarted, escalated };
template <>
struct enum_names<fact_kind> {
  static constexpr std::array<std::string_view, 4> names{"started", "exited", "restarted",
                                                         "escalated"};
};

struct supervision_fact {
  std::string path;  // "root/work/launcher"; of the supervisor itself when it escalates
  fact_kind what = fact_kind::started;
  exit_class reason = exit_class::normal;  // of `exited` and `escalated`; else normal
  std::int64_t incarnation = 0;            // 1.. of the part that `path` names
  std::int64_t restarts = 0;       // of that child; when escalating, all that this supervisor made
  std::int64_t in_window = 0;      // restarts within the intensity's period
  std::int64_t stale_answers = 0;  // answers of older incarnations that were dropped so far
  bool operator==(const supervision_fact&) const = default;
};

/// Numbers of one supervisor's children, 1.., in start order; never used twice.
using child_id = std::int64_t;

struct child_spec {
  std::string name;  // one segment of the path
  restart_kind restart = restart_kind::permanent;
  std::int64_t start_timeout_us = 5'000'000;
  std::int64_t grace_us = 5'000'000;
};

struct supervisor_config {
  std::string path = "root";
  restart_strategy strategy = restart_strategy::one_for_one;
  std::int64_t incarnation = 1;  // of this supervisor itself
  // Intensity: at most `max_restarts` in any `period_us`; one failure more escalates. PROMISES.
  std::int64_t max_restarts = 5;
  std::int64_t period_us = 30'000'000;
  // Backoff: base, doubling, cap; the delay is drawn from [half, full]. PROMISES.
  std::int64_t backoff_base_us = 100'000;
  std::int64_t backoff_cap_us = 30'000'000;
  /// A child that was up for this long before it failed starts again at the base.
  std::int64_t healthy_us = 30'000'000;
  /// A killed actor is gone at its next message; one that is not is stuck in a call.
  std::int64_t kill_wait_us = 5'000'000;
  std::int64_t max_children = 20'000;
  std::int64_t max_added_grace_us = 10'000'000;  // what an added child gets at most
  std::uint64_t seed = 1;                        // of the jitter
};

// Inputs.

struct begin_children {};  // start the static ones; said once
struct child_ready {
  child_id child = 0;
  std::int64_t incarnation = 0;
};
struct child_exited {
  child_id child = 0;
  std::int64_t incarnation = 0;
  exit_class why = exit_class::failed;
};
/// Answers `set_timer`. Timers are never cancelled: one that no longer matters has an old token.
struct timer_fired {
  child_id child = 0;
  std::int64_t token = 0;
};
/// Adds a child to a running supervisor. It is forgotten when it ends for good.
struct add_child {
  child_spec spec;
};
/// Stops a child that was added; it is not started again.
struct remove_child {
  std::string name;
};
struct shut_down {};

using supervisor_input = std::variant<begin_children, child_ready, child_exited, timer_fired,
                                      add_child, remove_child, shut_down>;

// Effects, to be carried out in their order.

struct start_child {
  child_id child = 0;
  std::int64_t incarnation = 0;
  bool operator==(const start_child&) const = default;
};
struct stop_child {
  child_id child = 0;
  std::int64_t incarnation = 0;
  bool operator==(const stop_child&) const = default;
};
struct kill_child {
  child_id child = 0;
  std::int64_t incarnation = 0;
  bool operator==(const kill_child&) const = default;
};
/// `child` 0 is the supervisor's own timer.
struct set_timer {
  child_id child = 0;
  std::int64_t token = 0;
  std::int64_t at_us = 0;
  bool operator==(const set_timer&) const = default;
};
struct report_fact {
  child_id child = 0;  // 0 = the supervisor
  supervision_fact fact;
  bool operator==(const report_fact&) const = default;
};
/// Answers `add_child`; `child` 0 = refused.
enum class refusal { none, duplicate, full, not_running, unknown, fixed };
struct child_added {
  child_id child = 0;
  refusal why = refusal::none;
  bool operator==(const child_added&) const = default;
};
/// Answers `remove_child`.
struct child_removed {
  refusal why = refusal::none;
  bool operator==(const child_removed&) const = default;
};
/// An added child is gone for good; whatever is kept for it may go.
struct forget_child {
  child_id child = 0;
  bool operator==(const forget_child&) const = default;
};
/// Said once: every static child is up (or done), so the supervisor itself is up.
struct all_up {
  bool operator==(const all_up&) const = default;
};
/// The last effects: every child is gone (or unreachable).
struct gave_up {
  exit_class why = exit_class::failed;
  bool operator==(const gave_up&) const = default;
};
struct all_stopped {
  bool operator==(const all_stopped&) const = default;
};

using supervisor_effect =
    std::variant<start_child, stop_child, kill_child, set_timer, report_fact, child_added,
                 child_removed, forget_child, all_up, gave_up, all_stopped>;

}  // namespace reeve::domain
