#pragma once
// /livez, /readyz and /metrics.

#include "api/route.hpp"

#include <functional>
#include <string>
#include <vector>

namespace reeve::api {

/// One thing that has to be right for the server to be ready. The name and the note are shown to
/// anonymous callers: "event_log", "standby".
struct check {
  std::string name;
  bool ok = true;  // false: the server is not ready
  std::string note;
  /// Something of it is not well, and the server is ready all the same. It is listed with or
  /// without ?verbose, and there it does not read as ok.
  bool is_degraded = false;
};

/// /livez answers while the I/O thread turns. /readyz answers 200 while every check is ok, else a
/// 503 problem whose detail names those that are not; ?verbose lists them all. /metrics
/// (access::server) is what the process counts. All three are answered by a standby too. `checks`
/// runs on the I/O thread and must only look at memory.
std::vector<route> health_routes(std::function<std::vector<check>()> checks);

}  // namespace reeve::api
