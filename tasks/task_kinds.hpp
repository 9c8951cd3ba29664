#pragma once
// The kinds of tasks that this server carries out: one row for each alternative of
// domain::task_params, in its order. To add one: its parameters in domain/runs/task_params.hpp and
// their check in .cpp, a folder here, a row in task_kinds.cpp.

#include "adapters/engine_port.hpp"
#include "adapters/gpu_port.hpp"
#include "adapters/log_files_port.hpp"
#include "adapters/proc_port.hpp"
#include "base/time.hpp"
#include "domain/runs/task_params.hpp"
#include "tasks/attempt_work.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace reeve::tasks {

/// What a kind may keep for all of its attempts. Outlives the kinds.
struct kind_surroundings {
  adapters::container_engine& engine;
  clock_port& clock;
  /// Opens a tenant's folder of log files; an error where there is none.
  std::function<outcome<std::unique_ptr<adapters::log_files>>(const uuid& tenant)> open_logs;
  adapters::gpu_source& gpus;
  const adapters::process_table& processes;
};

/// A kind at work, as long as the server is.
class task_kind {
 public:
  virtual ~task_kind() = default;
  virtual std::unique_ptr<attempt_work> make_attempt(attempt_host& host) = 0;
};

struct task_kind_row {
  std::string_view name;
  std::string_view alias;  // empty: none
  /// Its attempts take a place on the engine, for which they queue.
  bool takes_place = false;
  /// Null: not part of this version; its jobs are refused as such.
  std::unique_ptr<task_kind> (*open)(const kind_surroundings&) = nullptr;
};

/// The table, in the order of domain::task_params.
const std::vector<task_kind_row>& task_kind_rows();

/// The kinds, opened.
class task_kinds {
 public:
  explicit task_kinds(const kind_surroundings& around);

  /// Null: not part of this version.
  std::unique_ptr<attempt_work> make_attempt(const domain::task_params& of,
                                             attempt_host& host) const;
  bool takes_place(const domain::task_params& of) const;

 private:
  std::vector<std::unique_ptr<task_kind>> open_;  // as the rows
};

}  // namespace reeve::tasks
