#pragma once
// Which output of jobs is stored, page by page. Inside persistence/ only.

#include "base/outcome.hpp"
#include "persistence/read_pool.hpp"
#include "persistence/read_port.hpp"

namespace reeve::persistence {

/// Heavy unless it is of one run or job.
read_turn turn_of(const stored_log_query& query);
outcome<stored_log_page> read_stored_logs(read_session& session, const stored_log_query& query);

}  // namespace reeve::persistence
