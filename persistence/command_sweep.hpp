#pragma once
// Idempotency keys are kept for at least 7 days and then removed: without this reeve.commands would
// grow for ever. They are no part of the log. Their age is counted by no wall clock (decision 31).

#include "base/ids.hpp"
#include "base/outcome.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <string>

namespace reeve::persistence {

/// Idempotency keys are kept for so long, of time that a leader saw go by.
inline constexpr time_us command_lifetime_us = us_per_second * 3600 * 24 * 7;

/// One look at the keys.
struct command_look {
  uuid by;                // of the process, fresh at its start
  time_us passed_us = 0;  // since its look before, by a monotonic clock; 0 for its first one
};

/// Counts the time since the look before, unless somebody else looked in between, marks the keys of
/// now, and removes those that have had their time, oldest first, in transactions of `batch` rows,
/// so that an append of the same key waits for milliseconds at most; at most `batches` of them a
/// call. Gives how many rows went. `url`: the writer's login, the only one that may DELETE there.
outcome<std::int64_t> sweep_commands(const std::string& url, const command_look& look,
                                     std::int64_t batch = 1000, int batches = 100);

}  // namespace reeve::persistence
