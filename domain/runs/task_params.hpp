#pragma once
// The kinds of tasks and their parameters, as data: a variant with one struct for each kind, its
// name, its fields and its checks. How a kind is carried out is a row of tasks/task_kinds.cpp.
//
// What a kind asks of the outside is told by the names of its parameters: whichever has `image` or
// `containers` is held against the allowlists (`demands_of`), and none can forget to be.

#include "base/outcome.hpp"
#include "domain/fields.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace reeve::domain {

/// What is written in the logs of containers and files, ranked.
struct log_triage_params {
  static constexpr std::string_view kind = "log_triage";
  static constexpr std::string_view alias = "task1";
  /// Its report says what is new since the last successful run.
  static constexpr bool compares = true;
  std::optional<std::vector<std::string>> containers;  // names or ids; none = all active ones
  std::optional<std::vector<std::string>> files;       // names below the log folder
  std::optional<std::int64_t> max_lines;               // 1..10,000,000, the default
  bool operator==(const log_triage_params&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("containers", &log_triage_params::containers),
                      field("files", &log_triage_params::files),
                      field("max_lines", &log_triage_params::max_lines)};
  }
};

struct gpu_report_params {
  static constexpr std::string_view kind = "gpu_report";
  static constexpr std::string_view alias = "task2";
  static constexpr bool compares = false;
  bool operator==(const gpu_report_params&) const = default;
  static constexpr auto fields() { return std::tuple{}; }
};

struct service_map_params {
  static constexpr std::string_view kind = "service_map";
  static constexpr std::string_view alias = "task3";
  static constexpr bool compares = false;
  std::optional<std::vector<std::string>> containers;  // names or ids; none = all active ones
  bool operator==(const service_map_params&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("containers", &service_map_params::containers)};
  }
};

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

/// A value that is no secret, under a name that says one.
struct plain_value {
  std::string plain;
  bool operator==(const plain_value&) const = default;
  static constexpr auto fields() { return std::tuple{field("plain", &plain_value::plain)}; }
};
/// What a secret of the tenant holds when the attempt begins, by its name.
struct secret_ref {
  std::string secret;
  bool operator==(const secret_ref&) const = default;
  static constexpr auto fields() { return std::tuple{field("secret", &secret_ref::secret)}; }
};
/// Bare text is refused under a name that says secret, and where it says so itself
/// (base/redact.hpp, names_a_secret and holds_known_secret): whatever stands here is written in the
/// log and read by every viewer.
using env_value = std::variant<std::string, plain_value, secret_ref>;
using env_map = std::map<std::string, env_value>;

/// Any allowlisted image and command.
struct container_params {
  static constexpr std::string_view kind = "container";
  static constexpr std::string_view alias = "";
  static constexpr bool compares = false;
  std::optional<std::string> image;  // needed
  std::optional<std::vector<std::string>> command;
  std::optional<env_map> env;
  std::optional<std::int64_t> memory_mb;   // 6..1,048,576; default 256
  std::optional<std::int64_t> cpu_millis;  // thousandths of a CPU, 10..1,024,000; default 1000
  std::optional<std::int64_t> pids;        // 1..32,768; default 256
  /// What it may have on disk, in its volume, in the image's volumes and in a writable root: 1..
  /// 1,048,576; default 256. No file that it writes is larger either, wherever it lies.
  std::optional<std::int64_t> disk_mb;
  std::optional<std::string> network;  // "none" (default) or "host"
  /// "uid[:gid]", 0..2147483647; default 65534:65534, whatever the image's own USER is. User and
  /// group 0 need an entry that allows root, and write to no mount.
  std::optional<std::string> user;
  std::optional<std::string> workdir;  // absolute
  std::optional<std::vector<mount_spec>> mounts;
  std::optional<bool> writable_root;  // default false
  bool operator==(const container_params&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("image", &container_params::image),
                      field("command", &container_params::command),
                      field("env", &container_params::env),
                      field("memory_mb", &container_params::memory_mb),
                      field("cpu_millis", &container_params::cpu_millis),
                      field("pids", &container_params::pids),
                      field("disk_mb", &container_params::disk_mb),
                      field("network", &container_params::network),
                      field("user", &container_params::user),
                      field("workdir", &container_params::workdir),
                      field("mounts", &container_params::mounts),
                      field("writable_root", &container_params::writable_root)};
  }
};

using task_params =
    std::variant<log_triage_params, gpu_report_params, service_map_params, container_params>;

std::string_view kind_of(const task_params& params);
/// A kind without parameters yet, by its name or alias; nothing: there is no such kind.
std::optional<task_params> kind_named(std::string_view name_or_alias);
/// "log_triage, gpu_report, … (or task1, …)", for those who have to be told.
const std::string& kinds_in_words();

/// What can be refused from the parameters alone.
outcome<done> check_params(const task_params& params, const std::string& at);

/// Whom a command runs as.
struct user_numbers {
  std::int64_t uid = 65534;
  std::int64_t gid = 65534;
  /// The group too: what root's group may do is not a job's to have unasked.
  bool is_root() const { return uid == 0 || gid == 0; }
  bool operator==(const user_numbers&) const = default;
};
/// Of a parameter that has passed `check_params`; a bare uid is its own group.
user_numbers user_of(const std::optional<std::string>& user);

/// What a task asks of the outside, and what it takes of it, whatever its kind is. Points into the
/// parameters; null: nothing.
struct task_demands {
  const std::string* image = nullptr;
  const std::vector<std::string>* containers = nullptr;
  const std::vector<mount_spec>* mounts = nullptr;
  bool host_network = false;
  std::int64_t cpu_millis = 0;
  std::int64_t memory_mb = 0;
  std::optional<user_numbers> user;  // of a command; nothing: it has none
};
task_demands demands_of(const task_params& params);

/// Secrets of one task; each is in memory as long as it runs, and looked for in all of its output.
inline constexpr std::size_t max_task_secrets = 32;
/// Variables that hold secrets, and which.
std::map<std::string, std::string> secret_variables_of(const task_params& params);
/// The secrets that a task names, each once, in the order of their variables.
std::vector<std::string> secrets_of(const task_params& params);

/// Whether the kind compares with the last successful run of its directive by itself.
bool compares_with_last_success(const task_params& params);

}  // namespace reeve::domain
