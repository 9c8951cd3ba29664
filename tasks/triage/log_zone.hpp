#pragma once
// The zone of this machine (TZ, else /etc/localtime), for log lines that do not say theirs.

#include "base/time.hpp"

#include <cstdint>

namespace reeve::tasks {

/// Seconds that `local`, a time of this machine's clock on the wall as if it were UTC, is ahead of
/// UTC: -18000 for New York in winter. Of an hour that occurs twice either may be meant.
std::int64_t machine_offset_s(time_us local);

}  // namespace reeve::tasks
