#pragma once
// A run that is driven by its own decisions, as its actor does.

#include "domain/runs/launch.hpp"
#include "tests/unit/domain/aggregate_steps.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace steps {

inline const std::string box = "localhost:1/box:1";

inline reeve::domain::task_spec container_task(const std::string& name,
                                               std::vector<std::string> needs = {}) {
  reeve::domain::task_spec t;
  t.params = reeve::domain::container_params{};
  t.name = name;
  t.needs = std::move(needs);
  as<reeve::domain::container_params>(t).image = box;
  return t;
}

inline reeve::domain::image_list_state listing(const std::string& reference,
                                               bool host_network = false) {
  reeve::domain::image_list_state list;
  take(list, decide(list, reeve::domain::allow_image{reeve::domain::image_allowed{
                              id_of(900), reference, {}, host_network, ""}}));
  return list;
}

inline reeve::domain::attempt_intended intent_on(std::string engine = "docker") {
  reeve::domain::attempt_intended e;
  e.executor = "engine";
  e.engine = std::move(engine);
  e.container_name = "c";
  e.image = box;
  e.image_id = "sha256:x";
  return e;
}

/// A launch with what is read for it.
struct launch_case {
  reeve::domain::launch_run command;
  reeve::domain::directive_state directive;  // the one that is named, or the default one
  reeve::domain::run_state before;           // the one that is tried again
  std::vector<reeve::uuid> jobs;
  std::optional<reeve::domain::former_run> last_success;
  reeve::time_us now_us = 1'000'000'000;
  const reeve::domain::secret_list_state* secrets = nullptr;

  reeve::outcome<reeve::domain::run_events> decided(
      const reeve::domain::run_state& state = {},
      const reeve::domain::image_list_state& images = listing(box)) const {
    auto shape = shape_of(command, {&directive, &before});
    if (!shape) return shape.error();
    const reeve::domain::container_list_state none;
    return decide(state, command, *shape,
                  {images, none, jobs, "docker", last_success, now_us, secrets});
  }
};

/// With the directive inside. Job i of the run is `id_of(i)`, the run itself `id_of(500)`.
inline launch_case launch_of(std::vector<reeve::domain::task_spec> tasks,
                             reeve::domain::directive_limits limits = {}) {
  launch_case c;
  c.command.run = id_of(500);
  for (std::size_t i = 0; i < tasks.size(); ++i) c.jobs.push_back(id_of(static_cast<int>(i)));
  reeve::domain::directive_spec spec;
  spec.name = "d";
  spec.tasks = std::move(tasks);
  spec.limits = limits;
  c.command.from = reeve::domain::of_spec{std::move(spec)};
  return c;
}

class driven_run {
 public:
  explicit driven_run(std::vector<reeve::domain::task_spec> tasks,
                      reeve::domain::directive_limits limits = {},
                      const reeve::domain::image_list_state& images = listing(box)) {
    take(launch_of(std::move(tasks), limits).decided(state, images));
  }

  void take(const reeve::outcome<reeve::domain::run_events>& events) {
    ASSERT_TRUE(events) << events.error().detail << " " << events.error().field;
    for (const auto& e : *events) {
      const auto n = state.stream_version + 1;
      evolve(state, e, {{n, n, now}, tenant, writer});
      history.push_back(e);
    }
  }
  /// Writes what the plan wants written, and says what it wants then.
  reeve::domain::run_plan next() {
    take(plan(state, resting()).events);
    return plan(state, resting());
  }
  reeve::time_us rests_until(const reeve::domain::job_state& j) const {
    return j.backoff_since + j.backoff_ms * 1000;
  }
  /// Jobs whose backoff is not over, as the run's actor keeps them.
  std::set<reeve::uuid> resting() const {
    std::set<reeve::uuid> found;
    for (const auto& j : state.jobs) {
      if (now < rests_until(j)) found.insert(j.id);
    }
    return found;
  }
  /// When the first of them may go on; 0 if there is none.
  reeve::time_us wake_at() const {
    reeve::time_us first = 0;
    for (const auto& j : state.jobs) {
      const bool rests = j.status == reeve::domain::job_status::pending && now < rests_until(j);
      if (rests && (first == 0 || rests_until(j) < first)) first = rests_until(j);
    }
    return first;
  }
  std::vector<reeve::uuid> startable() { return next().startable; }
  void start(int job) { take(decide_intend(state, id_of(job), intent_on())); }
  void end(int job, reeve::domain::end_reason why, std::optional<std::int64_t> exit_code = {}) {
    take(decide_end(state, id_of(job), {why, exit_code}));
  }
  void succeed(int job) { end(job, reeve::domain::end_reason::exited, 0); }
  void fail(int job) { end(job, reeve::domain::end_reason::exited, 1); }
  void cancel() { take(decide(state, reeve::domain::cancel_run{state.id})); }

  const reeve::domain::job_state& job(int n) const { return *state.find(id_of(n)); }
  reeve::domain::job_status status(int n) const { return job(n).status; }

  reeve::domain::run_state state;
  reeve::domain::run_events history;
  reeve::time_us now = 1'000'000'000;
};

}  // namespace steps
