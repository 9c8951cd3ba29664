#pragma once
// What run actors need of the rest of the server.

#include "actors/executor.hpp"
#include "actors/journal_port.hpp"
#include "actors/runs/last_tries.hpp"
#include "actors/runs/ready_queue.hpp"
#include "actors/runs/spare_volumes.hpp"
#include "adapters/engine_port.hpp"
#include "base/ids.hpp"
#include "base/leadership.hpp"
#include "base/time.hpp"
#include "domain/runs/run.hpp"
#include "persistence/read_port.hpp"
#include "tasks/attempt_work.hpp"
#include "tasks/task_kinds.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace reeve::actors {

struct run_settings {
  uuid instance;                // the log's origin: whose containers are ours
  std::int64_t retry_ms = 500;  // before an ambiguous engine answer is looked into
  /// What was tried under a leadership before this epoch was interrupted by the death of its
  /// process; 0: the last one ended in order.
  std::int64_t died_before_epoch = 0;
};

/// Run actors by run, for commands and broadcasts. Thread-safe.
class run_registry {
 public:
  void enter(const uuid& tenant, const uuid& run, caf::actor handle);
  void leave(const uuid& run, const caf::actor_addr& handle);
  caf::actor find(const uuid& run) const;
  /// Nothing: there is no such run here.
  std::optional<uuid> tenant_of(const uuid& run) const;
  std::vector<caf::actor> all() const;
  std::set<uuid> ids() const;
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  struct entry {
    uuid tenant;
    caf::actor handle;
  };
  std::unordered_map<uuid, entry> runs_;
};

struct run_ports {
  journal_port& journal;
  const leadership& lead;
  persistence::read_port& reads;
  adapters::container_engine& engine;  // what is not an attempt's: orphans
  const tasks::task_kinds& kinds;
  tasks::attempt_ports attempts;
  run_registry& registry;
  clock_port& clock;
  id_source& ids;
  std::shared_ptr<spare_volumes> spares;
  ready_queue& ready;
  std::shared_ptr<last_tries> last;
  run_settings settings;
};

}  // namespace reeve::actors
