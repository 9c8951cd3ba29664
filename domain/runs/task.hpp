#pragma once
// What a directive tells Reeve to do: tasks, their parameters, limits. Plain data with one list of
// fields each, and the checks that need nothing but the data itself.

#include "base/outcome.hpp"
#include "domain/fields.hpp"
#include "domain/name.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace reeve::domain {

enum class task_kind { log_triage, gpu_report, service_map, container };

template <>
struct enum_names<task_kind> {
  static constexpr std::array<std::string_view, 4> names{"log_triage", "gpu_report", "service_map",
                                                         "container"};
};

/// Names and the aliases task1..task3.
std::optional<task_kind> task_kind_from(std::string_view name_or_alias);

struct mount_spec {
  std::string source;  // absolute path on the host, below a configured root
  std::string target;  // absolute path in the container
  bool read_only = true;
  bool operator==(const mount_spec&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("source", &mount_spec::source), field("target", &mount_spec::target),
                      maybe("read_only", &mount_spec::read_only)};
  }
};

/// Parameters of every kind in one struct; `check_task` refuses those that the kind does not have.
struct task_params {
  // container
  std::optional<std::string> image;
  std::optional<std::vector<std::string>> command;
  std::optional<std::map<std::string, std::string>> env;
  std::optional<std::int64_t> memory_mb;   // 6..1,048,576; default 256
  std::optional<std::int64_t> cpu_millis;  // thousandths of a CPU, 10..1,024,000; default 1000
  std::optional<std::int64_t> pids;        // 1..32,768; default 256
  std::optional<std::string> network;      // "none" (default) or "host"
  std::optional<std::string> user;         // "uid[:gid]", 0..2147483647; default 65534:65534
  std::optional<std::string> workdir;      // absolute
  std::optional<std::vector<mount_spec>> mounts;
  std::optional<bool> writable_root;  // default false
  // log_triage
  std::optional<std::vector<std::string>> containers;  // names or ids; none = all active ones
  std::optional<std::vector<std::string>> files;       // names below the log folder
  std::optional<std::int64_t> max_lines;               // 1..1,000,000; default 200,000
  bool operator==(const task_params&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("image", &task_params::image),
                      field("command", &task_params::command),
                      field("env", &task_params::env),
                      field("memory_mb", &task_params::memory_mb),
                      field("cpu_millis", &task_params::cpu_millis),
                      field("pids", &task_params::pids),
                      field("network", &task_params::network),
                      field("user", &task_params::user),
                      field("workdir", &task_params::workdir),
                      field("mounts", &task_params::mounts),
                      field("writable_root", &task_params::writable_root),
                      field("containers", &task_params::containers),
                      field("files", &task_params::files),
                      field("max_lines", &task_params::max_lines)};
  }
};

struct task_spec {
  task_kind kind = task_kind::log_triage;
  std::string name;                // unique in the directive; default: the kind, then kind-2, …
  std::vector<std::string> needs;  // names of tasks that must have succeeded before
  task_params params;
  std::optional<std::string> since;       // "last_success" or RFC 3339; wins over the run's
  std::optional<std::int64_t> timeout_s;  // 1..604,800; none = the directive's
  std::optional<std::int64_t> retries;    // 0..10; none = the directive's
  std::int64_t priority = 0;              // -1000..1000; higher starts first
  bool operator==(const task_spec&) const = default;
  static constexpr auto fields() {
    return std::tuple{
        field("kind", &task_spec::kind),       maybe("name", &task_spec::name),
        maybe("needs", &task_spec::needs),     maybe("params", &task_spec::params),
        field("since", &task_spec::since),     field("timeout_s", &task_spec::timeout_s),
        field("retries", &task_spec::retries), maybe("priority", &task_spec::priority)};
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
/// parameters that the kind does not have. `at` is the pointer of the tasks ("/tasks").
outcome<done> check_tasks(const std::vector<task_spec>& tasks, const std::string& at);
outcome<done> check_limits(const directive_limits& limits, const std::string& at);
/// 0..64 entries; a key is a name (`is_name`), a value has at most 256 bytes and no NUL.
outcome<done> check_labels(const label_map& labels, const std::string& at);
outcome<done> check_directive(const directive_spec& spec, const std::string& at);

/// "last_success" or an RFC 3339 time.
outcome<done> check_since(std::string_view since, const std::string& at);

}  // namespace reeve::domain
