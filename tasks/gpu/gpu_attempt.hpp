#pragma once
// A `gpu_report` job's attempt: one reading of this machine's GPUs, as JSON and as Markdown.

#include "tasks/task_kinds.hpp"

#include <memory>

namespace reeve::tasks {

inline constexpr const char* gpu_json_name = "gpu_report.json";
inline constexpr const char* gpu_markdown_name = "gpu_report.md";

/// Its row.
std::unique_ptr<task_kind> open_gpu_report(const kind_surroundings& around);

}  // namespace reeve::tasks
