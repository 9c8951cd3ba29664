#pragma once

#include <cstdint>
#include <string>

namespace reeve::persistence {

/// Of which cluster a database is. A promoted standby and a restored backup get a higher timeline,
/// a restored dump another identifier.
struct database_identity {
  std::string system_identifier;
  std::int64_t timeline = 0;
  bool operator==(const database_identity&) const = default;
};

}  // namespace reeve::persistence
