#include "actors/journal_port.hpp"

namespace reeve::actors {

void journal_port::append(persistence::append_request request, actors::lane lane,
                          reply_slot<persistence::append_result> slot) {
  const auto before = queued_.fetch_add(1, std::memory_order_relaxed);
  if (lane == lane::external && before >= external_limit) {
    answered();
    slot.answer(reject(errc::overloaded, "the queue of the event log is full"));
    return;
  }
  std::shared_ptr<journal_worker> journal;
  {
    std::lock_guard lock(mutex_);
    journal = journal_;
  }
  if (!journal) {
    answered();
    slot.answer(reject(errc::unavailable, "the event log is not available"));
    return;
  }
  auto call = std::make_shared<append_call>();
  call->request = std::move(request);
  call->lane = lane;
  // Counted off exactly once, also when the call is dropped with a journal that died.
  call->slot = reply_slot<persistence::append_result>(
      [this, slot](outcome<persistence::append_result> result) {
        answered();
        slot.answer(std::move(result));
      });
  journal->push(std::move(call));
}

void journal_port::attach(std::shared_ptr<journal_worker> journal) {
  std::lock_guard lock(mutex_);
  journal_ = std::move(journal);
}

void journal_port::detach(const std::shared_ptr<journal_worker>& journal) {
  std::lock_guard lock(mutex_);
  if (journal_ == journal) journal_ = nullptr;
}

}  // namespace reeve::actors
