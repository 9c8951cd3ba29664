#pragma once
// A command on the private PostgreSQL, typed by root: neither PostgreSQL nor its login knows root,
// and files that root left in the server's folder would be in the server's way.

#include "base/outcome.hpp"

#include <string>

namespace reeve::cli {

/// Where this process is root and the folder belongs to another user: gives every right of root up,
/// for good, and goes on as that user. Else it does nothing, also where there is no such folder.
/// `unavailable` if the system refuses.
outcome<done> act_as_owner_of(const std::string& folder);

}  // namespace reeve::cli
