#pragma once
// A report on the GPUs of this machine, from reading to naming. Blocking.

#include "adapters/engine_port.hpp"
#include "adapters/gpu_port.hpp"
#include "adapters/proc_port.hpp"
#include "base/time.hpp"
#include "tasks/gpu/gpu_report.hpp"
#include "tasks/own/container_access.hpp"

#include <atomic>
#include <vector>

namespace reeve::tasks {

/// What of the machine a report is made of.
struct gpu_surroundings {
  adapters::gpu_source& gpus;
  const adapters::process_table& processes;
  adapters::container_engine& engine;
  clock_port& clock;
};

/// Processes of containers that the tenant may look at are named; of the others only what they
/// take of a GPU is told. Errors: unavailable once it `stops`.
outcome<gpu_report> read_gpu_report(const gpu_surroundings& around,
                                    const std::vector<allowed_container>& allowed,
                                    const container_viewer& by, const std::atomic<bool>& stops);

}  // namespace reeve::tasks
