#pragma once
// Whether a folder of the host may be mounted: it is there, it lies below a configured root, and no
// part of its path is a symbolic link, because the engine would follow it out of the root. Asked at
// the launch and again right before the engine creates and starts the container. A job that may
// write below a root could still swap a folder for a link in the instant after the last look, so a
// root belongs to one level of trust.

#include <string>
#include <vector>

namespace reeve::adapters {

/// `roots` are canonical paths. Looks at the file system: a few microseconds.
bool may_mount(const std::string& source, const std::vector<std::string>& roots);

}  // namespace reeve::adapters
