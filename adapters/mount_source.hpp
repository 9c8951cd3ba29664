#pragma once
// Whether a folder of the host may be mounted: it is there, it lies below a configured root, no
// part of its path is a symbolic link, because the engine would follow it out of the root, and
// nothing of Reeve's own lies in it or above it. Asked at the launch and again right before the
// engine creates and starts the container; the engine then goes by the name once more. So that no
// job swaps it for a link in the instant after the last look, every folder above it belongs to root
// or to the server's user, and nobody else may write there (but for a sticky one, as /tmp is, where
// the next part of the path is theirs). A folder itself may belong to anybody.
//
// Tenants share no folder. Right below each root every tenant has one of its own, called by its id
// in lower case, as below the log folder (tenant_logs.hpp). The first tenant of a server, beside
// which most have none, has the roots themselves instead, without all that is called by an id there
// and without what holds such a folder.

#include "base/ids.hpp"

#include <string>
#include <vector>

namespace reeve::adapters {

struct mount_rules {
  std::vector<std::string> roots;  ///< canonical
  /// What is Reeve's own, or its engine's: every file and folder of its configuration, and where
  /// the engine keeps its data. Relative paths are the working directory's. They need not be there.
  std::vector<std::string> own;
};

/// Of a root with more names right below it nobody mounts anything: it is listed at each look.
inline constexpr int max_root_names = 65'536;

/// Whether this process sees what lies right below a root, without which nothing is mounted at all.
bool can_list_root(const std::string& root);

/// Whether nobody whom a job may run as can put something else into the place of an absolute path
/// without links: every folder above it is root's or this user's, as said above. What is not there
/// counts as this user's, who makes it.
bool stays_in_place(const std::string& path);

/// `has_root`: it is the first tenant. Looks at the file system, each time anew, because any of
/// these may become a link or appear later: some hundred microseconds, and a millisecond for some
/// thousand names right below the roots. A folder that is mounted at two places is known by its
/// number.
bool may_mount(const std::string& source, const mount_rules& rules, const uuid& tenant,
               bool has_root);

}  // namespace reeve::adapters
