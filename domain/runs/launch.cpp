#include "domain/runs/launch.hpp"

#include <algorithm>

namespace reeve::domain {
namespace {

directive_snapshot snapshot_of(const directive_spec& spec) {
  directive_snapshot s;
  s.name = spec.name;
  s.description = spec.description;
  s.tasks = spec.tasks;
  s.limits = spec.limits;
  s.labels = spec.labels;
  return s;
}

/// A directive that is kept, as it is now.
outcome<directive_snapshot> snapshot_of(const directive_state* directive) {
  if (directive == nullptr || directive->stream_version == 0) {
    return reject(errc::not_found, "there is no such directive", "/directive_id");
  }
  if (directive->is_archived) {
    return reject(errc::conflict, "the directive is archived", "/directive_id");
  }
  auto s = snapshot_of(directive->spec);
  s.id = directive->id;
  s.version = directive->version;
  return s;
}

outcome<launch_shape> shape_again(const run_state* before) {
  if (before == nullptr || before->stream_version == 0) {
    return reject(errc::not_found, "there is no such resource");
  }
  if (!is_terminal(before->status)) {
    return reject(errc::conflict, "the run is not over: only then it can be tried again");
  }
  const auto& launch = *before->launch;
  return launch_shape{launch.directive, launch.since, launch.labels, before->id,
                      "/directive_snapshot/tasks"};
}

outcome<launch_shape> raw_shape_of(const launch_run& c, const launch_sources& sources) {
  if (std::holds_alternative<of_run>(c.from)) return shape_again(sources.before);
  launch_shape shape;
  shape.since = c.since;
  shape.labels = c.labels;
  shape.at = "/tasks";
  if (const auto* given = std::get_if<of_spec>(&c.from)) {
    shape.at = "/directive/tasks";
    shape.directive = snapshot_of(given->spec);
    return shape;
  }
  auto snapshot = snapshot_of(sources.directive);
  if (!snapshot) return snapshot.error();
  shape.directive = std::move(*snapshot);
  const auto* of = std::get_if<of_default>(&c.from);
  if (of != nullptr && !of->tasks.empty()) shape.directive.tasks = of->tasks;
  return shape;
}

outcome<done> check_secrets(const task_spec& task, const secret_list_state* secrets,
                            const std::string& at) {
  for (const auto& [variable, secret] : secret_variables_of(task.params)) {
    if (secrets != nullptr && secrets->find_active(secret) != nullptr) continue;
    return reject(errc::invalid, "there is no such secret: keep it with PUT /api/secrets/NAME",
                  at + "/params/env/" + variable + "/secret");
  }
  return done{};
}

directive_spec spec_of(const directive_snapshot& s) {
  return {s.name, s.description, s.tasks, s.limits, s.labels};
}

}  // namespace

outcome<launch_shape> shape_of(const launch_run& command, const launch_sources& sources) {
  auto shape = raw_shape_of(command, sources);
  if (!shape) return shape;
  name_tasks(shape->directive.tasks);
  const auto around = shape->at.substr(0, shape->at.find_last_of('/'));
  if (auto ok = check_directive(spec_of(shape->directive), around); !ok) return ok.error();
  if (auto ok = check_labels(shape->labels, "/labels"); !ok) return ok.error();
  if (shape->since) {
    if (auto ok = check_since(*shape->since, "/since"); !ok) return ok.error();
  }
  return shape;
}

bool wants_last_success(const launch_shape& shape) {
  if (!shape.directive.id) return false;
  if (shape.since == "last_success") return true;
  const auto& tasks = shape.directive.tasks;
  return std::any_of(tasks.begin(), tasks.end(), [](const auto& t) {
    return compares_with_last_success(t.params) || t.since == "last_success";
  });
}

bool wants_secrets(const launch_shape& shape) {
  const auto& tasks = shape.directive.tasks;
  return std::any_of(tasks.begin(), tasks.end(),
                     [](const auto& t) { return !secret_variables_of(t.params).empty(); });
}

outcome<run_events> decide(const run_state& state, const launch_run& command,
                           const launch_shape& shape, const launch_surroundings& around) {
  if (state.stream_version != 0) return reject(errc::conflict, "the run exists already");
  const auto& tasks = shape.directive.tasks;
  if (around.jobs.size() != tasks.size()) {
    return reject(errc::internal, "a run has one job for each task");
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto at = shape.at + "/" + std::to_string(i);
    auto ok = check_allowed(tasks[i], around.images, around.containers, at);
    if (!ok) return ok.error();
    if (ok = check_secrets(tasks[i], around.secrets, at); !ok) return ok.error();
  }
  run_launched e;
  e.id = command.run;
  e.directive = shape.directive;
  e.jobs = around.jobs;
  e.expected_engine = around.engine;
  e.since = shape.since;
  if (around.last_success) {
    e.since_run = around.last_success->run;
    // A stamp ahead of the clock is that of a clock that was wrong, so nobody knows when the run
    // began: then the input is not limited by it, rather than what is new left out.
    const auto began = around.last_success->started_at_us;
    if (began <= around.now_us) e.since_at = timestamp{began};
  }
  e.labels = shape.labels;
  e.retry_of = shape.retry_of;
  return run_events{std::move(e)};
}

}  // namespace reeve::domain
