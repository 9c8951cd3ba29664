#include "tasks/own/container_access.hpp"

#include "domain/access/container_names.hpp"

namespace reeve::tasks {

bool may_look_at(const allowed_container& entry, const std::string& id, const std::string& name,
                 const adapters::label_map& labels, const uuid& tenant) {
  if (entry.name != name || (entry.id && *entry.id != id)) return false;
  const auto of = to_string(tenant);
  const auto label = labels.find("reeve.tenant");
  if (label != labels.end() && label->second != of) return false;
  const auto part = domain::tenant_part_of(name);
  return part.empty() || of.ends_with(part);
}

}  // namespace reeve::tasks
