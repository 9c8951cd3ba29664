#pragma once
// Which of the engine's containers a task may look at: those that the tenant's allowlist names, and
// never a job of another tenant, whatever it is called.

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

/// Whether this container is one of them.
bool may_look_at(const allowed_container& entry, const std::string& id, const std::string& name,
                 const adapters::label_map& labels, const uuid& tenant);

}  // namespace reeve::tasks
