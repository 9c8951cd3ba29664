#pragma once
// The way to the journal for everybody: bounded admission in front of its queue, in two lanes. Safe
// to call from any thread.

#include "actors/journal_worker.hpp"
#include "base/slot.hpp"
#include "persistence/append_port.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace reeve::actors {

class journal_port {
 public:
  /// Appends waiting or being committed, both lanes.
  static constexpr std::int64_t queue_size = 8192;
  static constexpr std::int64_t external_limit = queue_size * 8 / 10;

  void append(persistence::append_request request, actors::lane lane,
              reply_slot<persistence::append_result> slot);

  // The journal actor's side.
  void attach(std::shared_ptr<journal_worker> journal);
  /// Nothing if another one was attached since.
  void detach(const std::shared_ptr<journal_worker>& journal);

 private:
  void answered() { queued_.fetch_sub(1, std::memory_order_relaxed); }

  std::atomic<std::int64_t> queued_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<journal_worker> journal_;
};

}  // namespace reeve::actors
