#pragma once
// Reads what a service map is made of. Blocking. Whatever cannot be read of one container is told
// as its problem; the others are read all the same.

#include "adapters/engine_port.hpp"
#include "adapters/proc_port.hpp"
#include "base/time.hpp"
#include "tasks/map/service_map.hpp"
#include "tasks/own/container_access.hpp"

#include <atomic>
#include <vector>

namespace reeve::tasks {

struct map_surroundings {
  adapters::container_engine& engine;
  const adapters::process_table& processes;
  clock_port& clock;
};

/// Containers that are looked at, the first by name.
inline constexpr std::size_t max_map_containers = 200;

/// Only of `allowed`; of what else there is on the engine nothing is asked but the list. Errors:
/// those of the engine's list of containers or networks; unavailable once it `stops`.
outcome<map_input> read_map(const map_surroundings& around,
                            const std::vector<allowed_container>& allowed,
                            const container_viewer& by, const std::atomic<bool>& stops);

}  // namespace reeve::tasks
