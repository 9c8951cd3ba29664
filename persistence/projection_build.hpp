#pragma once
// Builds projections from the log beside their live tables, and puts them in their place in one
// transaction: appends wait for it for milliseconds, and none is missing on either side. Appends go
// on meanwhile; the live tables are not touched before. One pass over the log builds any number.

#include "base/outcome.hpp"
#include "domain/event.hpp"
#include "persistence/projection.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace reeve::persistence {

/// Waits so long, or until it is over.
void wait_unless(std::chrono::milliseconds time, const std::function<bool()>& is_over);

struct build_options {
  std::string owner_url;  // only the owner makes and drops tables
  std::vector<const projection*> list;
  /// Which session (its pid) holds the leader's lock for whoever builds, as far as he knows. Only
  /// while the database says the same is anything switched, and is whoever else holds the lock of
  /// builds ended. Without it nobody is asked, and nobody is ended.
  std::function<int()> holder;
  /// Whoever builds takes the lead again should it be lost, and then tells another session: until
  /// then `holder` is 0, and -1 once another server led. Else what is built is lost with the lead.
  bool waits_for_lead = false;
  /// Between two tries of the switch; the first pause has 250 ms, and each next one is twice as
  /// long. Each try has appends and readers wait, and a backup may hold a table for hours.
  std::chrono::milliseconds longest_pause = std::chrono::seconds(30);
  /// Ends the build; the live tables stay.
  const std::atomic<bool>* stop = nullptr;
  /// Between two tries of the switch, which has others wait; over when the build is stopped or who
  /// builds will not lead again.
  std::function<void(std::chrono::milliseconds, const std::function<bool()>&)> wait = wait_unless;
};

struct build_result {
  domain::position head = 0;  // the tables hold the log up to here
  std::int64_t events = 0;    // that were read
};

/// Errors: `unavailable`: the database, also one that refuses a row, or it was stopped, or somebody
/// else builds; `fenced`: who builds does not lead; `internal`: an event cannot be folded.
outcome<build_result> build_projections(const build_options& options);

}  // namespace reeve::persistence
