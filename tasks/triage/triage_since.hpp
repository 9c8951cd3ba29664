#pragma once
// From when on a task's logs are read.

#include "base/time.hpp"
#include "domain/runs/run.hpp"

namespace reeve::tasks {

/// 0: everything. The task's own word wins over the launch's. The last success (`before`; null:
/// none, or it cannot be read) limits a task only if it has read the same sources by a task of this
/// name: what a launch asked for besides, or a new version of the directive, was never read before.
time_us since_of(const domain::run_launched& launch, const domain::task_spec& task,
                 const domain::run_state* before);

}  // namespace reeve::tasks
