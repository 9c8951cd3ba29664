#include "tasks/map/map_attempt.hpp"

#include "codec/codec.hpp"
#include "tasks/map/map_drawing.hpp"
#include "tasks/map/map_reader.hpp"
#include "tasks/own/own_attempt.hpp"
#include "tasks/own/own_worker.hpp"

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

class map_attempt final : public own_attempt {
 public:
  map_attempt(attempt_host& host, const map_surroundings& around, own_worker& worker)
      : own_attempt(host), around_(around), worker_(worker) {}

 private:
  bool needs_engine() const override { return true; }
  const std::vector<std::string>* names() const override {
    const auto& named = std::get<domain::service_map_params>(host_.task().params).containers;
    return named ? &*named : nullptr;
  }
  void work(std::vector<allowed_container> may_touch, std::shared_ptr<work_stop> its,
            reply_slot<artifacts> slot) override {
    worker_.run(
        source(), std::move(its),
        [around = around_, allowed = std::move(may_touch), by = viewer()](
            const std::atomic<bool>& stops) { return make_artifacts(around, allowed, by, stops); },
        std::move(slot));
  }

  const map_surroundings around_;
  own_worker& worker_;
};

class map_kind final : public task_kind {
 public:
  explicit map_kind(const kind_surroundings& around)
      : around_{around.engine, around.processes, around.clock} {}
  std::unique_ptr<attempt_work> make_attempt(attempt_host& host) override {
    return std::make_unique<map_attempt>(host, around_, worker_);
  }

 private:
  const map_surroundings around_;
  own_worker worker_{"service-map"};
};

}  // namespace

std::unique_ptr<task_kind> open_service_map(const kind_surroundings& around) {
  return std::make_unique<map_kind>(around);
}

}  // namespace reeve::tasks
