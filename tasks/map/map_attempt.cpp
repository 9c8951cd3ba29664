#include "tasks/map/map_attempt.hpp"

#include "codec/codec.hpp"
#include "tasks/map/map_drawing.hpp"
#include "tasks/map/map_reader.hpp"
#include "tasks/own/own_report.hpp"

#include <utility>

namespace reeve::tasks {
namespace {

outcome<std::vector<produced_artifact>> make_artifacts(
    const map_surroundings& around, const std::vector<allowed_container>& allowed,
    const container_viewer& by, const std::atomic<bool>& stops) {
  const auto input = read_map(around, allowed, by, stops);
  if (!input) return input.error();
  const auto map = build_map(*input, redactor());
  std::vector<produced_artifact> made;
  made.push_back({map_json_name, "application/json", codec::encode_document(map)});
  made.push_back({map_mermaid_name, "text/vnd.mermaid", to_mermaid(map)});
  made.push_back({map_svg_name, "image/svg+xml", to_svg(map)});
  return made;
}

const std::vector<std::string>* named_containers(const domain::task_spec& task) {
  const auto& named = std::get<domain::service_map_params>(task.params).containers;
  return named ? &*named : nullptr;
}

}  // namespace

std::unique_ptr<task_kind> open_service_map(const kind_surroundings& around) {
  return std::make_unique<own_report_kind<map_surroundings>>(
      own_report<map_surroundings>{"service-map", true, named_containers, make_artifacts},
      map_surroundings{around.engine, around.processes, around.clock});
}

}  // namespace reeve::tasks
