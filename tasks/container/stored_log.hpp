#pragma once
// What is kept of a container's output.

#include "adapters/engine_port.hpp"

#include <string>
#include <vector>

namespace reeve::tasks {

/// The bytes that were written, in the order in which the engine has them: no newline is added
/// where none came. Only where the other stream goes on in the middle of a line is there one, so
/// that no line is made of two streams.
std::string stored_log(const std::vector<adapters::log_line>& lines);

}  // namespace reeve::tasks
