#pragma once
// The read models of a server process: which of them can be relied on, who writes those that are
// not written by the append, and who builds them anew. A standby follows the log with it; a leader
// looks at the versions, builds what differs from the program's, and keeps looking.

#include "base/outcome.hpp"
#include "persistence/append_port.hpp"
#include "persistence/projection_board.hpp"
#include "persistence/read_store.hpp"
#include "persistence/token_table.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace reeve::persistence {

class read_models {
 public:
  struct options {
    std::string owner_url;
    std::string writer_url;
    projection_board* board = nullptr;
    read_store* reads = nullptr;
    token_table* tokens = nullptr;
    /// What the journal tells of it (journal.hpp); nullptr: this server is the only one.
    const std::atomic<int>* holder = nullptr;
  };
  explicit read_models(options given);
  ~read_models();

  /// What a standby does now and then: brings what is kept in memory up to the log. The tokens are
  /// refused when that fails.
  outcome<done> stand_by();
  /// Before this leader is ready: builds what access rests on, loads the tokens, then goes on with
  /// the rest beside the work.
  outcome<done> lead();
  /// From the journal, before the writers are answered.
  void on_commit(const commit_notice& notice);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// What reeve.projections says, with the state in words: for `reeve doctor` and `reeve rebuild`.
struct stored_projection {
  std::string name;
  std::string state;  // live, building, stale, or new
  bool is_asked = false;
  std::string failure;  // why it could not be built the last time
};
outcome<std::vector<stored_projection>> stored_projections(const std::string& url);

/// Asks the leader for a build; all of them without a name. The answer stands in the row: nobody
/// asks any more, and whether it failed. `not_found`: there is no such one.
outcome<done> ask_rebuild(const std::string& owner_url, const std::string& name);

/// Whether somebody is at a build of this database's read models.
outcome<bool> is_building(const std::string& url);

/// For who holds the leader's lock (leader_lock.hpp), by that session (projection_build.hpp):
/// builds it here and now, all of them without a name. `not_found`; `fenced`: the lock was lost;
/// `internal`: which of them could not be built, and why.
outcome<done> build_here(const std::string& owner_url, const std::string& name,
                         const std::function<int()>& holder);

}  // namespace reeve::persistence
