#pragma once
// The port to log triage: work that Reeve does itself, off the actors' threads.

#include "base/ids.hpp"
#include "base/slot.hpp"
#include "base/time.hpp"
#include "base/work_stop.hpp"
#include "tasks/own/container_access.hpp"
#include "tasks/produced_artifact.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace reeve::tasks {

struct triage_request {
  container_viewer by;  // who asks
  /// The allowlist was asked. Of an entry for one container another one that has its name now is
  /// not read.
  std::vector<allowed_container> containers;
  std::vector<std::string> files;  // below the tenant's log folder
  time_us since_us = 0;            // 0 = everything
  std::int64_t max_lines = 10'000'000;
  /// The JSON artifact of the last successful run of the same task; empty = none.
  std::string baseline_json;
  std::string baseline_run;
  uuid job;  // tenants take turns, and the jobs of each
  /// Ends it, wherever it is; null: nobody does.
  std::shared_ptr<work_stop> its_end = {};
};

/// Errors: engine_unavailable (wait and try again), not_found (an input that was named is not
/// there), overloaded (too many of the tenant's wait: tasks/own/own_worker.hpp), others fail the
/// attempt.
class triage_port {
 public:
  virtual ~triage_port() = default;
  virtual void run(triage_request request, reply_slot<std::vector<produced_artifact>> slot) = 0;
};

inline constexpr const char* triage_json_name = "log_triage.json";
inline constexpr const char* triage_markdown_name = "log_triage.md";

}  // namespace reeve::tasks
