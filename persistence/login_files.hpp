#pragma once
// What of the host a login to PostgreSQL rests on. Inside persistence/ and for cli/.

#include <string>
#include <vector>

namespace reeve::persistence {

/// The files and folders that a URL or key=value text names, or else the environment that libpq
/// reads for it (PGSSLKEY, PGPASSFILE, …): keys and certificates, the file of passwords, and the
/// sockets of servers on this host. As they are written; they need not be there. None for an empty
/// text and for one that is no URL.
std::vector<std::string> files_of_login(const std::string& url);

}  // namespace reeve::persistence
