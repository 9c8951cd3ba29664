#pragma once
// Lines of HTTP servers and proxies: how bad a line is by the status of its answer.

#include "tasks/triage/log_severity.hpp"

#include <optional>
#include <string_view>

namespace reeve::tasks {

/// 5xx is an error; 401, 403 and 429 are warnings, other 4xx a notice; the rest is information.
/// Unknown for what is no status (100 to 599).
log_severity severity_of_status(int status);

/// The status in the line of an access log: '"GET / HTTP/1.1" 503 …' as web servers and their
/// relatives write it, HAProxy's (the status is behind the five times of a request), gin's, and
/// "GET /users 500 12ms" of frameworks for the web.
std::optional<log_severity> severity_of_access(std::string_view line);

}  // namespace reeve::tasks
