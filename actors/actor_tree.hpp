#pragma once
// The actor system as a whole: the supervision tree and what the other rooms may ask of it. The
// composition (cli/) makes one, after the journal is open, and stops it before it goes.

#include "actors/command_port.hpp"
#include "actors/tree/supervision_board.hpp"
#include "actors/tree_children.hpp"
#include "adapters/engine_port.hpp"
#include "adapters/work_engines_port.hpp"
#include "base/leadership.hpp"
#include "base/redact.hpp"
#include "base/text_pool.hpp"
#include "domain/runs/active_run.hpp"
#include "domain/system_events.hpp"
#include "persistence/blob_port.hpp"
#include "persistence/log_writer_port.hpp"
#include "persistence/read_port.hpp"
#include "persistence/secret_port.hpp"
#include "tasks/task_kinds.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reeve::actors {

/// What the actor_tree stands on; everything outlives it.
struct tree_surroundings {
  uuid instance;  // the log's origin
  /// What was tried under a leadership before this epoch was interrupted by the death of its
  /// process; 0: the last one ended in order.
  std::int64_t died_before_epoch = 0;
  std::shared_ptr<persistence::log_writer> journal;  // open
  /// What follows it when its actor is restarted; not open yet.
  std::function<std::shared_ptr<persistence::log_writer>()> next_journal;
  const leadership* lead = nullptr;
  persistence::read_port* reads = nullptr;
  persistence::blob_port* blobs = nullptr;
  persistence::secret_port* secret_values = nullptr;
  const tasks::task_kinds* kinds = nullptr;
  const redactor* redact = nullptr;     // of the logs of jobs
  text_pool* texts = nullptr;           // where they are worked on
  tasks::early_rooms* early = nullptr;  // for the outputs of what runs
  adapters::container_engine* engine = nullptr;
  const adapters::work_engines* engines = nullptr;
  /// Whether a tenant may mount a folder of the host, now. Any thread.
  std::function<bool(const uuid& tenant, const std::string& source)> may_mount;
  std::string llm_folder;  // as in attempt_ports, and the next two
  std::function<std::optional<std::string>(const attempt_name&)> token_of;
  std::string llm_key;
  /// Whether it is the tenant whose the host is, beside Reeve's own jobs. Any thread.
  std::function<bool(const uuid& tenant)> is_first_tenant;
  std::int64_t own_uid = -1;  // of this process: no job runs as it
  clock_port* clock = nullptr;
  id_source* ids = nullptr;
  std::function<outcome<std::vector<domain::active_run>>()> active_runs;
  std::function<void()> on_fenced;    // exit 75
  std::function<void()> on_collapse;  // the root died: exit 70
  std::function<void(bool)> on_log_available;
};

class actor_tree {
 public:
  actor_tree(tree_settings settings, tree_surroundings outside);
  /// Stops the tree, children first in reverse order, and waits for every actor.
  ~actor_tree();

  /// Whether every part of the tree is up.
  bool is_up() const;
  command_port& commands();
  void record(domain::system_event fact);
  /// A fact that is one tenant's own.
  void record(const uuid& tenant, domain::system_event fact);
  /// Before a stop, which may overtake what was recorded right before it. False: time was up.
  bool await_recorded(std::chrono::milliseconds within) const;
  /// Before a stop, while the engine may still be changed: what lies ready there goes. False: time
  /// was up.
  bool await_tidied(std::chrono::milliseconds within);
  void engine_available(bool available);
  /// With a tenant, of all runs only its own.
  std::vector<agent_row> agents(const std::optional<uuid>& tenant = {}) const;
  supervision_totals totals() const;
  bool log_available() const;
  std::size_t active_runs() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::actors
