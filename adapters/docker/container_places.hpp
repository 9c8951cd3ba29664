#pragma once
// Where things are mounted in a container, looked at before anything is written into it or it is
// started. The engine follows links of the image (VOLUME /data, with /data a link to /reeve), and
// what came to lie over /reeve would take the place of reeve-init and of the attempt's marker.

#include "adapters/engine_port.hpp"

#include <string>
#include <vector>

namespace reeve::adapters {

/// The paths that must not be links, for each mount to lie where it was asked for: each mount's
/// target, /reeve, and the folders above them. None if /reeve is all that is mounted: what it is
/// then, reeve-init sees by itself. `invalid` if `mounts` are not those that `spec` asks for and
/// its image brings along, if one lies at, above or below /reeve, or if one lies below a folder of
/// the host's, where others may put a link at any time.
outcome<std::vector<std::string>> places_of(const container_spec& spec,
                                            const std::vector<container_mount>& mounts);

}  // namespace reeve::adapters
