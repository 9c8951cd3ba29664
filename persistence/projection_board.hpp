#pragma once
// What this process knows of its projections: whether the rows of each can be relied on, and how
// far a follower has come. Readers ask it before they look at a table; readiness, metrics and
// `reeve doctor` tell it. Nothing fails open: what hangs on a projection that cannot be relied on
// is refused, and nothing else is. Safe to call from any thread.

#include "base/outcome.hpp"
#include "domain/event.hpp"
#include "persistence/append_port.hpp"
#include "persistence/projection.hpp"

#include <chrono>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::persistence {

enum class projection_state { live, building, stale };
std::string_view name_of(projection_state state);

struct projection_status {
  const projection* of = nullptr;
  projection_state state = projection_state::live;
  /// Whether its table may be read: not while another layout is being built.
  bool is_served = true;
  domain::position checkpoint = 0;  // of a follower
};

class projection_board {
 public:
  projection_board();

  std::vector<projection_status> all() const;
  projection_status of(const projection& which) const;
  /// Why nothing that is read of this projection can be answered now: `unavailable`. One that is
  /// being built is read all the same if its columns are the program's.
  std::optional<rejection> refusal(const projection& which) const;

  void set(const projection& which, projection_state state, bool is_served);
  /// What the database says of it. What was found to be stale is so until it was built: the row may
  /// have been read before the mark. Gives the state that holds now.
  projection_state told(const projection& which, projection_state state, bool is_served);
  /// Its table is what the log says up to here; it stays stale if that happened later.
  void built(const projection& which, domain::position head);
  /// From the journal, before the writers are answered: what has become stale, and what followers
  /// have to catch up with.
  void on_commit(const commit_notice& notice);
  /// A follower lacks a right. Its rows are as good as before, only not those of now: `stale` to
  /// readers until it goes on, which it does from where it is, and nothing that a build would mend.
  void hold(const projection& which);
  /// A follower's rows are those of the log up to here; it is held no more.
  void reached(const projection& which, domain::position at);
  /// Goes on once the follower has seen everything that was committed before this call: at once,
  /// or on the follower's thread. `unavailable` after a second, on the thread that calls `expire`.
  void when_current(const projection& which, std::function<void(outcome<done>)> go_on);
  /// Answers those who have waited for too long. Called several times a second by a thread that
  /// waits for no database, and by the follower between its calls of one.
  void expire();

 private:
  struct waiter {
    domain::position wanted = 0;
    std::chrono::steady_clock::time_point until;
    std::function<void(outcome<done>)> go_on;
  };
  struct entry {
    projection_status now;
    bool is_held = false;
    domain::position stale_from = 0;  // the last event that went on without its rows
    domain::position wanted = 0;      // the newest event that concerns a follower
    std::vector<waiter> waiting;
  };
  /// What readers are told.
  static projection_status seen(const entry& which);
  void tell(const entry& which) const;

  mutable std::mutex mutex_;
  std::vector<entry> entries_;  // as `projections()`
};

}  // namespace reeve::persistence
