#pragma once
// The log files of one tenant. Below the log folder (REEVE_LOGS) every tenant has a folder of its
// own, called by the tenant's id in lower case. The first tenant of a server, beside which most
// have none, has the log folder itself instead, without all that is called by an id there.

#include "adapters/log_files.hpp"
#include "base/ids.hpp"

#include <memory>
#include <string>
#include <vector>

namespace reeve::adapters {

struct log_places {
  std::string logs;  // REEVE_LOGS
  /// What the server writes below a log folder is no log: it is neither listed nor read, and no log
  /// folder is one of these. They need not be there.
  std::vector<std::string> kept_out;
  /// The same, and no log folder lies below one of these either.
  std::vector<std::string> closed;
};

/// `has_root`: it is the first tenant. Where this process writes its own log is kept out as well
/// (standard output and error, if they are files).
/// Errors: `not_found` where the tenant has no folder, `forbidden` where what has its name is a
/// link or a file, `unavailable` for a log folder that cannot be opened or is the server's own.
outcome<std::unique_ptr<log_files>> open_tenant_logs(const log_places& places, const uuid& tenant,
                                                     bool has_root, log_file_limits limits = {});

}  // namespace reeve::adapters
