#include "tasks/gpu/gpu_attempt.hpp"

#include "codec/codec.hpp"
#include "tasks/gpu/gpu_reader.hpp"
#include "tasks/own/own_attempt.hpp"
#include "tasks/own/own_worker.hpp"

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

class gpu_attempt final : public own_attempt {
 public:
  gpu_attempt(attempt_host& host, const gpu_surroundings& around, own_worker& worker)
      : own_attempt(host), around_(around), worker_(worker) {}

 private:
  /// It only tells whose the processes are.
  bool needs_engine() const override { return false; }
  const std::vector<std::string>* names() const override { return nullptr; }
  void work(std::vector<allowed_container> may_touch, std::shared_ptr<work_stop> its,
            reply_slot<artifacts> slot) override {
    worker_.run(
        source(), std::move(its),
        [around = around_, allowed = std::move(may_touch), by = viewer()](
            const std::atomic<bool>& stops) { return make_artifacts(around, allowed, by, stops); },
        std::move(slot));
  }

  const gpu_surroundings around_;
  own_worker& worker_;
};

class gpu_kind final : public task_kind {
 public:
  explicit gpu_kind(const kind_surroundings& around)
      : around_{around.gpus, around.processes, around.engine, around.clock} {}
  std::unique_ptr<attempt_work> make_attempt(attempt_host& host) override {
    return std::make_unique<gpu_attempt>(host, around_, worker_);
  }

 private:
  const gpu_surroundings around_;
  own_worker worker_{"gpu-report"};
};

}  // namespace

std::unique_ptr<task_kind> open_gpu_report(const kind_surroundings& around) {
  return std::make_unique<gpu_kind>(around);
}

}  // namespace reeve::tasks
