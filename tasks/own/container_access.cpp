#include "tasks/own/container_access.hpp"

#include "adapters/container_owner_port.hpp"
#include "domain/access/container_names.hpp"

namespace reeve::tasks {

bool is_there_for(const container_viewer& by, const std::string& name,
                  const adapters::label_map& labels) {
  const auto part = domain::tenant_part_of(name);
  if (!part.empty() && !to_string(by.tenant).ends_with(part)) return false;
  return adapters::is_open_to(labels, by.instance, by.tenant, by.is_first);
}

bool may_look_at(const allowed_container& entry, const std::string& id, const std::string& name,
                 const adapters::label_map& labels, const container_viewer& by) {
  if (entry.name != name || (entry.id && *entry.id != id)) return false;
  return is_there_for(by, name, labels);
}

}  // namespace reeve::tasks
