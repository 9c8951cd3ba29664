#pragma once
// Which of the engine's containers a task may look at: those that the tenant's allowlist names, and
// never a job of another tenant, whatever it is called. Containers that are no job's are there for
// the first tenant only.

#include "adapters/engine_port.hpp"
#include "base/ids.hpp"

#include <optional>
#include <string>
#include <vector>

namespace reeve::tasks {

/// A container that the tenant's allowlist lets a task look at.
struct allowed_container {
  std::string name;
  std::optional<std::string> id;  // the one that was listed; another one of that name is not it
};

/// Who looks at containers.
struct container_viewer {
  uuid tenant;
  uuid instance;  ///< the log's origin
  bool is_first =
      false;  ///< the first tenant of the server, for whom all that is no job's is there
};

/// Whether there is such a container for whoever looks, whatever the allowlist says.
bool is_there_for(const container_viewer& by, const std::string& name,
                  const adapters::label_map& labels);

/// Whether this container is the one that the entry lets it look at.
bool may_look_at(const allowed_container& entry, const std::string& id, const std::string& name,
                 const adapters::label_map& labels, const container_viewer& by);

}  // namespace reeve::tasks
