#pragma once
// An executor as a supervised actor, and the way to whichever incarnation is up. Thread-safe.

#include "actors/executor.hpp"
#include "actors/tree/supervisor.hpp"

#include <memory>
#include <mutex>

namespace reeve::actors {

template <class State>
class executor_front {
 public:
  executor_front(journal_port& journal, persistence::read_port& reads)
      : journal_(journal), reads_(reads) {}

  void submit(std::shared_ptr<execute_op<State>> op) {
    std::shared_ptr<executor<State>> target;
    caf::actor handle;
    {
      std::lock_guard lock(mutex_);
      target = target_;
      handle = handle_;
    }
    if (!handle) {
      return op->slot.answer(reject(errc::unavailable, "the executor is being started"));
    }
    cc::post(handle, continuation{[target, op] { target->submit(op); }});
  }

  /// Only the state; version 0 if there is no such stream.
  void fetch(uuid tenant, uuid id, state_slot<State> slot) {
    auto op = std::make_shared<execute_op<State>>();
    op->tenant = tenant;
    op->id = id;
    op->slot = std::move(slot);
    submit(std::move(op));
  }

  /// The state as the executor has it now, without a hop to it; null if it has none at hand or is
  /// changing it.
  std::shared_ptr<const State> peek(const uuid& tenant, const uuid& id) const {
    return board_->find({tenant, id});
  }

  child_spec child(std::string name) {
    child_spec spec;
    spec.name = std::move(name);
    spec.start = [this](caf::actor_system& system, const child_context& context) {
      auto actor = cc::spawn<caf::event_based_actor>(
          system, [context](caf::event_based_actor*) -> caf::behavior {
            context.ready();
            return {[](const continuation& c) { c.run(); }};
          });
      board_->clear();
      std::lock_guard lock(mutex_);
      handle_ = actor;
      target_ = std::make_shared<executor<State>>(actor, journal_, reads_, board_);
      return actor;
    };
    return spec;
  }

 private:
  journal_port& journal_;
  persistence::read_port& reads_;
  const std::shared_ptr<state_board<State>> board_ = std::make_shared<state_board<State>>();
  std::mutex mutex_;
  caf::actor handle_;
  std::shared_ptr<executor<State>> target_;
};

}  // namespace reeve::actors
