#pragma once
// A kind of tasks whose attempt reads from ports, makes a report of it and is over: what differs
// between such kinds is a row of this.

#include "tasks/own/own_attempt.hpp"
#include "tasks/own/own_worker.hpp"
#include "tasks/task_kinds.hpp"

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::tasks {

/// `Around`: the ports that it reads from; copied, they outlive the kind.
template <class Around>
struct own_report {
  std::string_view thread;  // a literal (docs/threads.md)
  bool needs_engine = true;
  /// As `own_attempt::names`.
  const std::vector<std::string>* (*names)(const domain::task_spec&) = nullptr;
  /// On that thread; may block, and ends soon once `stops` is true.
  outcome<std::vector<produced_artifact>> (*make)(const Around& around,
                                                  const std::vector<allowed_container>& may_touch,
                                                  const container_viewer& by,
                                                  const std::atomic<bool>& stops) = nullptr;
};

template <class Around>
class own_report_attempt final : public own_attempt {
 public:
  own_report_attempt(attempt_host& host, const own_report<Around>& what, const Around& around,
                     own_worker& worker)
      : own_attempt(host), what_(what), around_(around), worker_(worker) {}

 private:
  bool needs_engine() const override { return what_.needs_engine; }
  const std::vector<std::string>* names() const override { return what_.names(host_.task()); }
  void work(std::vector<allowed_container> may_touch, std::shared_ptr<work_stop> its,
            reply_slot<artifacts> slot) override {
    worker_.run(
        source(), std::move(its),
        [make = what_.make, around = around_, allowed = std::move(may_touch), by = viewer()](
            const std::atomic<bool>& stops) { return make(around, allowed, by, stops); },
        std::move(slot));
  }

  const own_report<Around> what_;
  const Around around_;
  own_worker& worker_;
};

template <class Around>
class own_report_kind final : public task_kind {
 public:
  own_report_kind(own_report<Around> what, Around around)
      : what_(what), around_(around), worker_(what.thread) {}
  std::unique_ptr<attempt_work> make_attempt(attempt_host& host) override {
    return std::make_unique<own_report_attempt<Around>>(host, what_, around_, worker_);
  }

 private:
  const own_report<Around> what_;
  const Around around_;
  own_worker worker_;
};

}  // namespace reeve::tasks
