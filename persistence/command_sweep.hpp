#pragma once
// Idempotency keys are kept for 7 days (the journal stamps when each expires) and then removed:
// without this reeve.commands would grow for ever. They are no part of the log.

#include "base/outcome.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <string>

namespace reeve::persistence {

/// Removes keys that had expired at `now_us`, oldest first, in transactions of `batch` rows, so
/// that an append of the same key waits for milliseconds at most; at most `batches` of them a call.
/// Gives how many rows went. `url`: the writer's login, the only one that may DELETE there.
outcome<std::int64_t> sweep_commands(const std::string& url, time_us now_us,
                                     std::int64_t batch = 1000, int batches = 100);

}  // namespace reeve::persistence
