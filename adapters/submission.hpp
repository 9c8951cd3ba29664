#pragma once
// One submission of an attempt as a container: volume, container, files, a look, start, a look.

#include "adapters/work_engine_port.hpp"

namespace reeve::adapters {

void submit_container(container_engine& engine, work_key key, work_spec spec, fencing_token by,
                      reply_slot<submit_answer> slot);

/// What a container's state says of the execution.
domain::attempts::execution execution_of(const container_info& info);

}  // namespace reeve::adapters
