#pragma once
// What a directive tells Reeve to do: tasks and limits. Plain data with one list of fields each,
// and the checks that need nothing but the data itself.

#include "base/outcome.hpp"
#include "domain/fields.hpp"
#include "domain/name.hpp"
#include "domain/runs/task_params.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace reeve::domain {

struct task_spec {
  task_params params;                // says the kind
  std::string name;                  // unique in the directive; default: the kind, then kind-2, …
  std::vector<std::string> needs;    // names of tasks that must have succeeded before
  std::optional<std::string> since;  // "last_success" or RFC 3339; wins over the run's
  std::optional<std::int64_t> timeout_s;  // 1..604,800; none = the directive's
  std::optional<std::int64_t> retries;    // 0..10; none = the directive's
  std::int64_t priority = 0;              // -1000..1000; higher starts first
  bool operator==(const task_spec&) const = default;
  static constexpr auto fields() {
    return std::tuple{
        kind_field("kind", &task_spec::params), maybe("name", &task_spec::name),
        maybe("needs", &task_spec::needs),      held_field("params", &task_spec::params),
        field("since", &task_spec::since),      field("timeout_s", &task_spec::timeout_s),
        field("retries", &task_spec::retries),  maybe("priority", &task_spec::priority)};
  }
};

struct directive_limits {
  std::int64_t max_parallel = 4;      // jobs of one run at a time, 1..64
  std::int64_t timeout_s = 3600;      // of an attempt, 1..604,800
  std::int64_t retries = 0;           // further attempts after a failed one, 0..10
  std::int64_t retry_base_ms = 1000;  // first backoff, 10..300,000; it doubles, at most 300,000
  std::int64_t stop_grace_s = 10;     // between SIGTERM and SIGKILL, 0..300
  bool operator==(const directive_limits&) const = default;
  static constexpr auto fields() {
    return std::tuple{maybe("max_parallel", &directive_limits::max_parallel),
                      maybe("timeout_s", &directive_limits::timeout_s),
                      maybe("retries", &directive_limits::retries),
                      maybe("retry_base_ms", &directive_limits::retry_base_ms),
                      maybe("stop_grace_s", &directive_limits::stop_grace_s)};
  }
};

using label_map = std::map<std::string, std::string>;

/// What a client writes when it makes a directive.
struct directive_spec {
  std::string name;
  std::string description;
  std::vector<task_spec> tasks;
  directive_limits limits;
  label_map labels;
  bool operator==(const directive_spec&) const = default;
  static constexpr auto fields() {
    return std::tuple{
        field("name", &directive_spec::name), maybe("description", &directive_spec::description),
        field("tasks", &directive_spec::tasks), maybe("limits", &directive_spec::limits),
        maybe("labels", &directive_spec::labels)};
  }
};

inline constexpr std::size_t max_tasks = 100;

/// Fills in default names; call before `check_directive`.
void name_tasks(std::vector<task_spec>& tasks);
/// Everything that can be refused from the text alone: names, ranges, unknown needs, cycles,
/// parameters. `at` is the pointer of the tasks ("/tasks").
outcome<done> check_tasks(const std::vector<task_spec>& tasks, const std::string& at);
outcome<done> check_limits(const directive_limits& limits, const std::string& at);
/// 0..64 entries; a key is a name (`is_name`), a value has at most 256 bytes and no NUL.
outcome<done> check_labels(const label_map& labels, const std::string& at);
outcome<done> check_directive(const directive_spec& spec, const std::string& at);

/// "last_success" or an RFC 3339 time.
outcome<done> check_since(std::string_view since, const std::string& at);

}  // namespace reeve::domain
