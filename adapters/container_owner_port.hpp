#pragma once
// Whose a container is. Reeve puts labels on every container of a job, which cannot be changed
// afterwards, so they hold also where a name has moved to another container.

#include "adapters/engine_port.hpp"
#include "base/ids.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace reeve::adapters {

inline constexpr std::string_view instance_label = "reeve.instance";
inline constexpr std::string_view tenant_label = "reeve.tenant";
inline constexpr std::string_view run_label = "reeve.run";
inline constexpr std::string_view job_label = "reeve.job";
inline constexpr std::string_view attempt_label = "reeve.attempt";
/// On the container of a job that got named secrets: what it prints is shown only where their
/// values are known, so that they can be hidden.
inline constexpr std::string_view secrets_label = "reeve.secrets";

/// Whether a tenant may be given anything of it, if its allowlist says so: one of the tenant's own
/// jobs or, for the first tenant of a server, a container that is no job's of any Reeve, because
/// what else runs on the host is that tenant's. For anybody else it is not there. `instance` is
/// this log's origin: the system tenant has the same id everywhere.
inline bool is_open_to(const label_map& labels, const uuid& instance, const uuid& tenant,
                       bool is_first) {
  constexpr std::array ours{instance_label, tenant_label, run_label, job_label, attempt_label};
  const bool is_jobs = std::any_of(ours.begin(), ours.end(), [&labels](std::string_view key) {
    return labels.contains(std::string(key));
  });
  if (!is_jobs) return is_first;
  const auto says = [&labels](std::string_view key, const uuid& id) {
    const auto found = labels.find(std::string(key));
    return found != labels.end() && parse_uuid(found->second) == id;
  };
  return says(instance_label, instance) && says(tenant_label, tenant);
}

}  // namespace reeve::adapters
