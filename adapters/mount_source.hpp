#pragma once
// Whether a folder of the host may be mounted: it is there, it lies below a configured root, no
// part of its path is a symbolic link, because the engine would follow it out of the root, and
// nothing of Reeve's own lies in it or above it. Asked at the launch and again right before the
// engine creates and starts the container; the engine then goes by the name once more. So that no
// job swaps it for a link in the instant after the last look, every folder above it belongs to root
// or to the server's user, and nobody else may write there (but for a sticky one, as /tmp is, where
// the next part of the path is theirs). A folder itself may belong to anybody.

#include <string>
#include <vector>

namespace reeve::adapters {

struct mount_rules {
  std::vector<std::string> roots;  ///< canonical
  /// What is Reeve's own, as it is configured: the data folder, its log files, uploads, the
  /// engine's socket. Relative paths are the working directory's. They need not be there.
  std::vector<std::string> own;
};

/// Looks at the file system, each time anew, because any of these may become a link or appear
/// later: some ten microseconds. A folder that is mounted at two places is known by its number.
bool may_mount(const std::string& source, const mount_rules& rules);

}  // namespace reeve::adapters
