#pragma once
// The journal's actor: detached, because a commit blocks. It drains its queue without a timer: what
// arrived during the last commit is the next batch. While the database is away, external appends
// are answered `unavailable`, internal ones wait.

#include "actors/journal_port.hpp"
#include "persistence/journal.hpp"

#include <functional>
#include <memory>

namespace reeve::actors {

struct journal_flush {};
struct journal_tick {};

struct journal_actor_args {
  journal_port* port = nullptr;
  /// Already open at the first start; none afterwards, then `reopen` makes the next one.
  std::shared_ptr<persistence::journal> opened;
  std::function<std::shared_ptr<persistence::journal>()> reopen;
  /// Another server writes: the process must end with 75.
  std::function<void()> on_fenced;
  /// The database went away or came back.
  std::function<void(bool)> on_available;
};

/// A batch is at most this, so that no caller waits behind an endless commit.
inline constexpr std::size_t batch_events = 512;
inline constexpr std::size_t batch_bytes = 1 << 20;

caf::behavior journal_actor(caf::event_based_actor* self, journal_actor_args args,
                            std::function<void()> ready);

}  // namespace reeve::actors

REEVE_LOCAL_MSG(reeve::actors::journal_flush)
REEVE_LOCAL_MSG(reeve::actors::journal_tick)
