#pragma once
// What `reeve doctor` finds, a row each.

#include "cli/config.hpp"

#include <string>
#include <vector>

namespace reeve::cli {

struct finding {
  std::string name;
  std::string verdict;  // ok, warn, fail
  std::string seen;
  std::string fix;
};

/// Database, event log and read models: what `reeve serve` refuses fails here for the same reason.
/// Nothing of Reeve's is changed. A private PostgreSQL that nobody runs is started for the look, as
/// for `reeve verify`, and recovers if it was killed; where there is none yet, none is made.
std::vector<finding> check_databases(const config& c);

}  // namespace reeve::cli
