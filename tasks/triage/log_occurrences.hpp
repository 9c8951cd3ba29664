#pragma once
// Where and when the records of one kind of line were: counts, lines and times.

#include "base/time.hpp"

#include <cstdint>
#include <optional>

namespace reeve::tasks {

/// Of one kind of line in one source.
struct occurrences {
  std::int64_t count = 0;
  std::int64_t first_line = 0;
  std::int64_t last_line = 0;
  std::optional<time_us> first;
  std::optional<time_us> last;
};

void add_up(occurrences& into, const occurrences& more);

}  // namespace reeve::tasks
