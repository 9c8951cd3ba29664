#pragma once
// The journal's place in the supervision tree. The work is done by a thread that may wait for the
// database (journal_worker.hpp); the actor never blocks, so that it can be stopped while the
// database does not answer, and ends when that thread does.

#include "actors/caf_compat.hpp"
#include "actors/journal_port.hpp"
#include "actors/journal_worker.hpp"

#include <functional>
#include <memory>

namespace reeve::actors {

/// The journal's thread ended by itself.
struct journal_crashed {};

struct journal_actor_args {
  journal_port* port = nullptr;
  journal_worker_args worker;
  /// Told of the worker, whom somebody has to join who may wait.
  std::function<void(std::shared_ptr<journal_worker>)> on_start;
};

/// `ready` is called once the journal leads.
caf::behavior journal_actor(caf::event_based_actor* self, journal_actor_args args,
                            std::function<void()> ready);

}  // namespace reeve::actors

REEVE_LOCAL_MSG(reeve::actors::journal_crashed)
