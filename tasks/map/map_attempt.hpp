#pragma once
// A `service_map` job's attempt: what allowlisted containers are connected to, as JSON, as Mermaid
// and as an SVG.

#include "tasks/task_kinds.hpp"

#include <memory>

namespace reeve::tasks {

inline constexpr const char* map_json_name = "service_map.json";
inline constexpr const char* map_mermaid_name = "service_map.mmd";
inline constexpr const char* map_svg_name = "service_map.svg";

/// Its row.
std::unique_ptr<task_kind> open_service_map(const kind_surroundings& around);

}  // namespace reeve::tasks
