#pragma once
// Writes the projections that are not written by the append: each in a transaction of its own with
// its checkpoint, so its rows are always those of the log up to there. Woken by every commit of
// this process, and looking each second by itself; only the leader runs it. Where others write and
// it has nothing to do, the checkpoint follows every few seconds.
//
// Whoever else writes the same rows (an old leader, a build that took the table's place) has moved
// the checkpoint: then nothing is written, and the follower goes on from where it stands now.

#include "base/outcome.hpp"
#include "persistence/append_port.hpp"
#include "persistence/projection_board.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace reeve::persistence {

class projection_follower {
 public:
  struct options {
    /// The writer's login.
    std::string url;
    projection_board* board = nullptr;
    /// Told the rows after they are durable, as a commit's are: for the cache.
    std::function<void(const commit_notice&)> on_rows = [](const auto&) {};
    /// How long a checkpoint may lie behind while there is no row to write. A replay folds what is
    /// behind it inside one snapshot: at 1,000 events a second 5,000 of them, less than a second.
    std::chrono::milliseconds keep_place_every{5'000};
  };
  explicit projection_follower(options given);
  ~projection_follower();

  /// There is something new. Never blocks; any thread.
  void wake();

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// One follower's work up to the head, on the caller's thread. `conflict`: somebody else moved the
/// checkpoint; `unavailable`: it is still to be built; `internal`: no other try mends it.
outcome<domain::position> follow_to_head(const std::string& url, const projection& of);

}  // namespace reeve::persistence
