#pragma once
// The way to the journal for everybody: bounded admission in front of an unbounded mailbox, in two
// lanes. Safe to call from any thread.

#include "actors/caf_compat.hpp"
#include "base/slot.hpp"
#include "persistence/append_port.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace reeve::actors {

/// External commands are refused at 80 % of the queue; results of what Reeve did itself never are.
enum class lane { external, internal };

struct append_call {
  persistence::append_request request;
  actors::lane lane = actors::lane::external;
  reply_slot<persistence::append_result> slot;
};

struct append_message {
  std::shared_ptr<append_call> call;
};

class journal_port {
 public:
  /// Appends waiting or being committed, both lanes.
  static constexpr std::int64_t queue_size = 8192;
  static constexpr std::int64_t external_limit = queue_size * 8 / 10;

  void append(persistence::append_request request, actors::lane lane,
              reply_slot<persistence::append_result> slot);

  // The journal actor's side.
  void attach(caf::actor journal);
  void detach();
  void answered() { queued_.fetch_sub(1, std::memory_order_relaxed); }

  std::int64_t queued() const { return queued_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> queued_{0};
  mutable std::mutex mutex_;
  caf::actor journal_;
};

}  // namespace reeve::actors

REEVE_LOCAL_MSG(reeve::actors::append_message)
