#pragma once
// Compares what the engine has with what the log says, at the start, whenever the engine is back,
// and on a timer. A container or volume that carries our label but belongs to no active run is
// first kept aside, and removed after two passes and 60 s. What is others' is never touched.

#include "actors/runs/run_ports.hpp"
#include "actors/tree/system_event_log.hpp"

#include <functional>

namespace reeve::actors {

struct reconcile_now {};

struct reconcile_times {
  std::int64_t every_ms = 30'000;
  std::int64_t orphan_ms = 60'000;  // from the first sight to the removal, at least
};

caf::behavior reconciler_actor(caf::event_based_actor* self, run_ports* ports,
                               system_event_log* system_log, reconcile_times times,
                               std::function<void()> ready);

}  // namespace reeve::actors

REEVE_LOCAL_MSG(reeve::actors::reconcile_now)
