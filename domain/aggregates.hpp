#pragma once
// Every aggregate there is, once. The codec of events, the fold into read models, the executors and
// the test of the golden lines walk these lists; a stream that belongs to none of them is an error
// everywhere.

#include "domain/access/access.hpp"
#include "domain/access/allowlist.hpp"
#include "domain/access/secrets.hpp"
#include "domain/log_events.hpp"
#include "domain/runs/directive.hpp"
#include "domain/runs/llm.hpp"
#include "domain/runs/llm_budget.hpp"
#include "domain/runs/run.hpp"
#include "domain/system_events.hpp"

namespace reeve::domain {

/// Those whose commands a generic executor carries out.
using executed_aggregates =
    type_list<directive_state, image_list_state, container_list_state, llm_usage_state,
              access_state, secret_list_state, llm_budget_list_state>;

/// A run has an actor of its own that carries them out.
using commanded_aggregates = joined<executed_aggregates, type_list<run_state>>;

/// Facts of the server and of the log are only written down.
using aggregates = joined<commanded_aggregates, type_list<system_state, log_state>>;

}  // namespace reeve::domain
