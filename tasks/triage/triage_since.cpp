#include "tasks/triage/triage_since.hpp"

#include <algorithm>
#include <variant>

namespace reeve::tasks {
namespace {

bool reads_the_same(const domain::task_spec& one, const domain::task_spec& other) {
  if (one.name != other.name) return false;
  const auto* a = std::get_if<domain::log_triage_params>(&one.params);
  const auto* b = std::get_if<domain::log_triage_params>(&other.params);
  return a != nullptr && b != nullptr && a->containers == b->containers && a->files == b->files;
}

}  // namespace

time_us since_of(const domain::run_launched& launch, const domain::task_spec& task,
                 const domain::run_state* before) {
  const auto& since = task.since ? task.since : launch.since;
  if (!since) return 0;
  if (*since != "last_success") return parse_time(*since).value_or(0);
  if (!launch.since_at || before == nullptr) return 0;
  const auto& tasks = before->launch->directive.tasks;
  const bool was_read = std::any_of(tasks.begin(), tasks.end(), [&task](const auto& other) {
    return reads_the_same(task, other);
  });
  return was_read ? launch.since_at->at : 0;
}

}  // namespace reeve::tasks
