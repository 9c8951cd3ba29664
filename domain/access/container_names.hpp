#pragma once
// Names of the containers of jobs. They hold digits of the tenant, so that the name alone says that
// a container is somebody else's.

#include "base/ids.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace reeve::domain {

/// "reeve-<last 12 digits of the tenant>-<job>-a<attempt>", also the volume's name.
std::string container_name_of(const uuid& tenant, const uuid& job, std::int64_t attempt);
/// The digits of the tenant in such a name; empty in any other.
std::string_view tenant_part_of(std::string_view container_name);

}  // namespace reeve::domain
