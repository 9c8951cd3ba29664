#include "domain/runs/task.hpp"

#include "domain/access/image_reference.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <unordered_map>

namespace reeve::domain {
namespace {

/// The engine refuses user and group numbers above it.
constexpr std::int64_t most_user = 2'147'483'647;
constexpr std::array<std::string_view, 4> reserved_targets{"/reeve", "/proc", "/sys", "/dev"};

rejection bad(std::string detail, const std::string& at) {
  return reject(errc::invalid, std::move(detail), at);
}

bool in_range(const std::optional<std::int64_t>& value, std::int64_t low, std::int64_t high) {
  return !value || (*value >= low && *value <= high);
}

std::string range_text(std::string_view name, std::int64_t low, std::int64_t high) {
  return std::string(name) + " must be " + std::to_string(low) + ".." + std::to_string(high);
}

bool is_plain_text(std::string_view text, std::size_t most) {
  return text.size() <= most && text.find('\0') == std::string_view::npos;
}

/// No part is empty, "." or "..": a path has one spelling, so comparing texts compares folders.
bool has_clean_parts(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return path.find('\0') == std::string_view::npos;
}

bool is_absolute_path(std::string_view path) {
  return path.size() > 1 && path.size() <= 1024 && path.front() == '/' &&
         path.find(':') == std::string_view::npos && has_clean_parts(path.substr(1));
}

/// Where Reeve's own volume and the kernel's trees are.
bool is_reserved_target(std::string_view path) {
  return std::any_of(reserved_targets.begin(), reserved_targets.end(), [&](std::string_view tree) {
    return path.starts_with(tree) && (path.size() == tree.size() || path[tree.size()] == '/');
  });
}

bool is_user_number(std::string_view digits) {
  std::int64_t number = -1;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number);
  return !digits.starts_with('-') && read.ec == std::errc() && read.ptr == end &&
         number <= most_user;
}

bool is_numeric_user(std::string_view user) {
  const auto colon = user.find(':');
  if (colon == std::string_view::npos) return is_user_number(user);
  return is_user_number(user.substr(0, colon)) && is_user_number(user.substr(colon + 1));
}

bool is_env_name(std::string_view name) {
  if (name.empty() || name.size() > 128) return false;
  if (std::isdigit(static_cast<unsigned char>(name.front())) != 0) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

outcome<done> check_command(const std::vector<std::string>& command, const std::string& at) {
  if (command.empty() || command.size() > 256) return bad("1..256 words are allowed", at);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    bytes += command[i].size();
    if (!is_plain_text(command[i], 16384)) {
      return bad("a word has at most 16,384 bytes and no NUL", at + "/" + std::to_string(i));
    }
  }
  if (bytes > 24576) return bad("the words have at most 24,576 bytes in all", at);
  return done{};
}

outcome<done> check_env(const std::map<std::string, std::string>& env, const std::string& at) {
  if (env.size() > 128) return bad("at most 128 variables are allowed", at);
  std::size_t bytes = 0;
  for (const auto& [name, value] : env) {
    bytes += name.size() + value.size();
    if (!is_env_name(name)) return bad("a variable's name is [A-Za-z_][A-Za-z0-9_]*", at);
    if (!is_plain_text(value, 8192)) return bad("a value has at most 8,192 bytes", at + "/" + name);
  }
  if (bytes > 16384) return bad("the variables have at most 16,384 bytes in all", at);
  return done{};
}

outcome<done> check_mounts(const std::vector<mount_spec>& mounts, const std::string& at) {
  if (mounts.size() > 16) return bad("at most 16 mounts are allowed", at);
  std::set<std::string_view> targets;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const std::string here = at + "/" + std::to_string(i);
    if (!is_absolute_path(mounts[i].source)) {
      return bad("an absolute path without . .. // : and a slash at its end is needed",
                 here + "/source");
    }
    if (!is_absolute_path(mounts[i].target) || is_reserved_target(mounts[i].target)) {
      return bad("an absolute path outside of /reeve, /proc, /sys and /dev is needed",
                 here + "/target");
    }
    if (!targets.insert(mounts[i].target).second) {
      return bad("two mounts have this target", here + "/target");
    }
  }
  return done{};
}

outcome<done> check_container(const task_params& p, const std::string& at) {
  if (!p.image) return bad("an image is needed", at + "/image");
  if (auto ref = parse_image_reference(*p.image); !ref) {
    return bad(ref.error().detail, at + "/image");
  }
  if (p.command) {
    if (auto ok = check_command(*p.command, at + "/command"); !ok) return ok;
  }
  if (p.env) {
    if (auto ok = check_env(*p.env, at + "/env"); !ok) return ok;
  }
  if (p.mounts) {
    if (auto ok = check_mounts(*p.mounts, at + "/mounts"); !ok) return ok;
  }
  if (!in_range(p.memory_mb, 6, 1048576)) {
    return bad(range_text("memory_mb", 6, 1048576), at + "/memory_mb");
  }
  if (!in_range(p.cpu_millis, 10, 1024000)) {
    return bad(range_text("cpu_millis", 10, 1024000), at + "/cpu_millis");
  }
  if (!in_range(p.pids, 1, 32768)) return bad(range_text("pids", 1, 32768), at + "/pids");
  if (p.network && *p.network != "none" && *p.network != "host") {
    return bad("network is none or host", at + "/network");
  }
  if (p.user && !is_numeric_user(*p.user)) {
    return bad("user is uid or uid:gid, numbers of at most 2147483647", at + "/user");
  }
  if (p.workdir && *p.workdir != "/" && !is_absolute_path(*p.workdir)) {
    return bad("workdir is an absolute path without . .. // and :", at + "/workdir");
  }
  return done{};
}

outcome<done> check_names(const std::vector<std::string>& names, const std::string& at) {
  if (names.empty() || names.size() > 64) return bad("1..64 names are allowed", at);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty() || !is_plain_text(names[i], 255)) {
      return bad("a name has 1..255 bytes", at + "/" + std::to_string(i));
    }
  }
  return done{};
}

outcome<done> check_triage(const task_params& p, const std::string& at) {
  if (p.containers) {
    if (auto ok = check_names(*p.containers, at + "/containers"); !ok) return ok;
  }
  if (p.files) {
    if (auto ok = check_names(*p.files, at + "/files"); !ok) return ok;
    for (std::size_t i = 0; i < p.files->size(); ++i) {
      if (has_clean_parts((*p.files)[i])) continue;
      return bad("a file's name is relative to the log folder, without . .. and //",
                 at + "/files/" + std::to_string(i));
    }
  }
  if (!in_range(p.max_lines, 1, 1000000)) {
    return bad(range_text("max_lines", 1, 1000000), at + "/max_lines");
  }
  return done{};
}

/// Names the first parameter that is set though the kind does not have it.
std::string_view foreign_param(task_kind kind, const task_params& p) {
  const bool container = kind == task_kind::container;
  const bool triage = kind == task_kind::log_triage;
  if (!container) {
    if (p.image) return "image";
    if (p.command) return "command";
    if (p.env) return "env";
    if (p.memory_mb) return "memory_mb";
    if (p.cpu_millis) return "cpu_millis";
    if (p.pids) return "pids";
    if (p.network) return "network";
    if (p.user) return "user";
    if (p.workdir) return "workdir";
    if (p.mounts) return "mounts";
    if (p.writable_root) return "writable_root";
  }
  if (!triage) {
    if (p.files) return "files";
    if (p.max_lines) return "max_lines";
    if (p.containers && kind != task_kind::service_map) return "containers";
  }
  return {};
}

outcome<done> check_params(const task_spec& task, const std::string& at) {
  if (auto name = foreign_param(task.kind, task.params); !name.empty()) {
    return bad("a task of this kind has no such parameter", at + "/" + std::string(name));
  }
  if (task.kind == task_kind::container) return check_container(task.params, at);
  if (task.kind == task_kind::log_triage) return check_triage(task.params, at);
  if (task.params.containers) return check_names(*task.params.containers, at + "/containers");
  return done{};
}

outcome<done> check_one(const task_spec& task, const std::string& at) {
  if (!is_name(task.name)) {
    return bad("a name has 1..64 letters, digits and ._- and begins with a letter or digit",
               at + "/name");
  }
  if (task.since) {
    if (auto ok = check_since(*task.since, at + "/since"); !ok) return ok;
  }
  if (!in_range(task.timeout_s, 1, 604800)) {
    return bad(range_text("timeout_s", 1, 604800), at + "/timeout_s");
  }
  if (!in_range(task.retries, 0, 10)) return bad(range_text("retries", 0, 10), at + "/retries");
  if (task.priority < -1000 || task.priority > 1000) {
    return bad(range_text("priority", -1000, 1000), at + "/priority");
  }
  if (task.needs.size() > max_tasks) return bad("too many needs", at + "/needs");
  return check_params(task, at + "/params");
}

/// Kahn's algorithm: what cannot be ordered is on a cycle.
bool has_cycle(const std::vector<task_spec>& tasks) {
  std::unordered_map<std::string_view, std::size_t> open;
  for (const auto& t : tasks) open[t.name] = t.needs.size();
  std::vector<std::string_view> ready;
  for (const auto& t : tasks) {
    if (t.needs.empty()) ready.push_back(t.name);
  }
  std::size_t ordered = 0;
  while (!ready.empty()) {
    const auto name = ready.back();
    ready.pop_back();
    ++ordered;
    for (const auto& t : tasks) {
      const auto uses = std::count(t.needs.begin(), t.needs.end(), name);
      if (uses > 0 && (open[t.name] -= static_cast<std::size_t>(uses)) == 0) {
        ready.push_back(t.name);
      }
    }
  }
  return ordered != tasks.size();
}

}  // namespace

std::optional<task_kind> task_kind_from(std::string_view name) {
  if (name == "task1") return task_kind::log_triage;
  if (name == "task2") return task_kind::gpu_report;
  if (name == "task3") return task_kind::service_map;
  task_kind kind{};
  if (from_name(name, kind)) return kind;
  return std::nullopt;
}

outcome<done> check_since(std::string_view since, const std::string& at) {
  if (since == "last_success" || parse_time(since)) return done{};
  return bad("since is \"last_success\" or an RFC 3339 time", at);
}

void name_tasks(std::vector<task_spec>& tasks) {
  std::set<std::string> taken;
  for (const auto& t : tasks) taken.insert(t.name);
  for (auto& t : tasks) {
    if (!t.name.empty()) continue;
    std::string name(name_of(t.kind));
    for (int n = 2; taken.contains(name); ++n) {
      name = std::string(name_of(t.kind)) + "-" + std::to_string(n);
    }
    taken.insert(name);
    t.name = name;
  }
}

outcome<done> check_tasks(const std::vector<task_spec>& tasks, const std::string& at) {
  if (tasks.empty()) return bad("at least one task is needed", at);
  if (tasks.size() > max_tasks) return bad("at most 100 tasks are allowed", at);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::string here = at + "/" + std::to_string(i);
    if (auto ok = check_one(tasks[i], here); !ok) return ok;
    if (!names.insert(tasks[i].name).second) {
      return bad("two tasks have this name", here + "/name");
    }
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::string here = at + "/" + std::to_string(i) + "/needs";
    std::set<std::string_view> seen;
    for (std::size_t n = 0; n < tasks[i].needs.size(); ++n) {
      const auto& need = tasks[i].needs[n];
      if (!names.contains(need))
        return bad("no task has this name", here + "/" + std::to_string(n));
      if (!seen.insert(need).second) return bad("named twice", here + "/" + std::to_string(n));
    }
  }
  if (has_cycle(tasks)) return bad("the tasks' needs form a circle", at);
  return done{};
}

outcome<done> check_limits(const directive_limits& l, const std::string& at) {
  if (!in_range(l.max_parallel, 1, 64)) {
    return bad(range_text("max_parallel", 1, 64), at + "/max_parallel");
  }
  if (!in_range(l.timeout_s, 1, 604800)) {
    return bad(range_text("timeout_s", 1, 604800), at + "/timeout_s");
  }
  if (!in_range(l.retries, 0, 10)) return bad(range_text("retries", 0, 10), at + "/retries");
  if (!in_range(l.retry_base_ms, 10, 300000)) {
    return bad(range_text("retry_base_ms", 10, 300000), at + "/retry_base_ms");
  }
  if (!in_range(l.stop_grace_s, 0, 300)) {
    return bad(range_text("stop_grace_s", 0, 300), at + "/stop_grace_s");
  }
  return done{};
}

outcome<done> check_labels(const label_map& labels, const std::string& at) {
  if (labels.size() > 64) return bad("at most 64 labels are allowed", at);
  for (const auto& [key, value] : labels) {
    if (!is_name(key)) return bad("a label's key is a name of 1..64 characters", at);
    if (!is_plain_text(value, 256)) {
      return bad("a label's value has at most 256 bytes", at + "/" + key);
    }
  }
  return done{};
}

outcome<done> check_directive(const directive_spec& spec, const std::string& at) {
  if (!is_name(spec.name)) {
    return bad("a name has 1..64 letters, digits and ._- and begins with a letter or digit",
               at + "/name");
  }
  if (!is_plain_text(spec.description, 1024)) {
    return bad("a description has at most 1,024 bytes", at + "/description");
  }
  if (auto ok = check_tasks(spec.tasks, at + "/tasks"); !ok) return ok;
  if (auto ok = check_limits(spec.limits, at + "/limits"); !ok) return ok;
  return check_labels(spec.labels, at + "/labels");
}

}  // namespace reeve::domain
