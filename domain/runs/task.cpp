#include "domain/runs/task.hpp"

#include "domain/runs/task_checks.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace reeve::domain {
namespace {

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
  return check_params(task.params, at + "/params");
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

outcome<done> check_since(std::string_view since, const std::string& at) {
  if (since == "last_success" || parse_time(since)) return done{};
  return bad("since is \"last_success\" or an RFC 3339 time", at);
}

void name_tasks(std::vector<task_spec>& tasks) {
  std::set<std::string> taken;
  for (const auto& t : tasks) taken.insert(t.name);
  for (auto& t : tasks) {
    if (!t.name.empty()) continue;
    const std::string kind(kind_of(t.params));
    std::string name = kind;
    for (int n = 2; taken.contains(name); ++n) {
      name = kind + "-" + std::to_string(n);
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
      return bad("a label's value has at most 256 bytes and no NUL", at + "/" + key);
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
    return bad("a description has at most 1,024 bytes and no NUL", at + "/description");
  }
  if (auto ok = check_tasks(spec.tasks, at + "/tasks"); !ok) return ok;
  if (auto ok = check_limits(spec.limits, at + "/limits"); !ok) return ok;
  return check_labels(spec.labels, at + "/labels");
}

}  // namespace reeve::domain
