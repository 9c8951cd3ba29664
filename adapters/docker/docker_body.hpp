#pragma once
// What is sent to the Docker Engine API, built from typed values only: the caller's JSON is never
// forwarded, because the engine ignores unknown fields and accepts dangerous ones silently.

#include "adapters/engine_port.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reeve::adapters {

/// The body of POST /containers/create. Fixed for every container: all capabilities dropped, no
/// new privileges, not privileged, own ipc, pid, uts and cgroup namespaces, no devices, no
/// restarts, never removed by the engine, no swap beyond the memory, no core files, no health
/// check of the image, log driver json-file of bounded size. The spec has passed check_container.
std::string create_body(const container_spec& spec);

/// The body of POST /volumes/create.
std::string volume_body(std::string_view name, const label_map& labels);

/// The value of ?filters= for a list of containers, not yet percent-encoded.
std::string label_filters(const std::vector<label_filter>& filters);

/// "1700000000.000000001", as since= and until= of logs take it.
std::string log_bound(std::int64_t at_ns);

}  // namespace reeve::adapters
