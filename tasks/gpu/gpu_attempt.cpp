#include "tasks/gpu/gpu_attempt.hpp"

#include "codec/codec.hpp"
#include "tasks/gpu/gpu_reader.hpp"
#include "tasks/own/own_report.hpp"

#include <utility>

namespace reeve::tasks {
namespace {

outcome<std::vector<produced_artifact>> make_artifacts(
    const gpu_surroundings& around, const std::vector<allowed_container>& allowed,
    const container_viewer& by, const std::atomic<bool>& stops) {
  const auto report = read_gpu_report(around, allowed, by, stops);
  if (!report) return report.error();
  std::vector<produced_artifact> made;
  made.push_back({gpu_json_name, "application/json", codec::encode_document(*report)});
  made.push_back({gpu_markdown_name, "text/markdown", to_markdown(*report)});
  return made;
}

/// It only tells whose the processes are, so it needs no engine.
const std::vector<std::string>* every_container(const domain::task_spec&) {
  return nullptr;
}

}  // namespace

std::unique_ptr<task_kind> open_gpu_report(const kind_surroundings& around) {
  return std::make_unique<own_report_kind<gpu_surroundings>>(
      own_report<gpu_surroundings>{"gpu-report", false, every_container, make_artifacts},
      gpu_surroundings{around.gpus, around.processes, around.engine, around.clock});
}

}  // namespace reeve::tasks
