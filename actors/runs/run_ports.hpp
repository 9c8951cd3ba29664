#pragma once
// What run actors need of the rest of the house.

#include "actors/executor.hpp"
#include "actors/journal_port.hpp"
#include "actors/runs/last_tries.hpp"
#include "actors/runs/ready_queue.hpp"
#include "actors/runs/spare_volumes.hpp"
#include "adapters/engine_port.hpp"
#include "adapters/work_engines_port.hpp"
#include "base/ids.hpp"
#include "base/leadership.hpp"
#include "base/redact.hpp"
#include "base/time.hpp"
#include "domain/runs/run.hpp"
#include "persistence/blob_port.hpp"
#include "persistence/read_port.hpp"
#include "tasks/triage/triage_port.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace reeve::actors {

struct run_settings {
  uuid instance;                    // the log's origin: whose containers are ours
  std::size_t log_bytes = 1 << 20;  // kept of a container's output
  std::int64_t retry_ms = 500;      // before an ambiguous engine answer is looked into
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
  persistence::blob_port& blobs;
  adapters::container_engine& engine;     // what is not an attempt's: orphans
  const adapters::work_engines& engines;  // of attempts
  /// Whether a folder of the host may be mounted, now: it is looked at.
  std::function<bool(const std::string&)> may_mount;
  adapters::triage_port& triage;
  const redactor& redact;  // of the logs of jobs
  run_registry& registry;
  clock_port& clock;
  id_source& ids;
  /// The executors' front: fetches the allowlists of a tenant.
  std::function<void(uuid, reply_slot<executed<domain::image_list_state>>)> image_allowlist;
  std::function<void(uuid, reply_slot<executed<domain::container_list_state>>)> container_allowlist;
  std::shared_ptr<spare_volumes> spares;
  ready_queue& ready;
  std::shared_ptr<last_tries> last;
  run_settings settings;
};

}  // namespace reeve::actors
