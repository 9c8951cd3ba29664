#pragma once
// The signed heads of a log, from the database and from the file outside of it.

#include "base/outcome.hpp"
#include "persistence/checkpoint.hpp"

#include <string>
#include <vector>

namespace reeve::persistence {

/// Both, in the order of their positions; what stands in both is given once. A missing file has
/// none. `unavailable`, `invalid` (a line of the file that is no head).
outcome<std::vector<signed_head>> all_heads(const std::string& url, const std::string& heads_file);

}  // namespace reeve::persistence
