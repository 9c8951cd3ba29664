#pragma once
// Log triage on a thread of its own (tasks/own/own_worker.hpp): reads containers through the engine
// and files from the log folder, and makes the two artifacts.

#include "adapters/engine_port.hpp"
#include "adapters/log_files_port.hpp"
#include "base/redact.hpp"
#include "base/time.hpp"
#include "tasks/own/own_worker.hpp"
#include "tasks/triage/triage_port.hpp"

#include <functional>
#include <memory>

namespace reeve::tasks {

struct triage_worker_options {
  /// Opens a tenant's folder of log files; an error where there is none.
  std::function<outcome<std::unique_ptr<adapters::log_files>>(const uuid& tenant)> open_logs;
  redactor rules;
  /// Text read of one container at most. The engine reads its log from the beginning for each page.
  std::size_t container_bytes = std::size_t{1} << 30;
};

class triage_worker final : public triage_port {
 public:
  /// The engine and the clock outlive the worker.
  triage_worker(triage_worker_options options, adapters::container_engine& engine,
                clock_port& clock);
  /// When it goes, what waits is answered `unavailable`, and so is what is under way, soon.
  void run(triage_request request, reply_slot<std::vector<produced_artifact>> slot) override;

 private:
  const triage_worker_options options_;
  adapters::container_engine& engine_;
  clock_port& clock_;
  own_worker worker_{"log-triage", true};  // last: it uses the rest
};

}  // namespace reeve::tasks
