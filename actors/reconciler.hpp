#pragma once
// Compares what the engine has with what the log says, at the start, whenever the engine is back,
// and on a timer. A container that carries our label but belongs to no active run is first kept
// aside, and removed after two passes and 60 s. Containers of others are never touched.

#include "actors/fact_log.hpp"
#include "actors/run_ports.hpp"

#include <functional>

namespace reeve::actors {

struct reconcile_now {};

caf::behavior reconciler_actor(caf::event_based_actor* self, run_ports* ports, fact_log* facts,
                               std::int64_t every_ms, std::function<void()> ready);

}  // namespace reeve::actors

REEVE_LOCAL_MSG(reeve::actors::reconcile_now)
