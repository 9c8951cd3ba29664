#pragma once
// A one-shot answer slot. Whoever holds it answers exactly once; a slot that is dropped unanswered
// (its actor died, its queue was thrown away) answers with an error, so no caller waits for ever.

#include "base/outcome.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace reeve {

/// Copies share one answer: the first call wins, later ones are ignored. The function may run on
/// any thread and must only hand the value over (post to an executor, send a message). One thread
/// answers at a time; holders pass the slot on, they do not race for it.
template <class T>
class reply_slot {
 public:
  using function = std::function<void(outcome<T>)>;

  reply_slot() = default;
  explicit reply_slot(function answer) : state_(std::make_shared<state>(std::move(answer))) {}

  void answer(outcome<T> result) const {
    if (!state_ || !state_->call) return;
    auto call = std::exchange(state_->call, nullptr);
    call(std::move(result));
  }
  explicit operator bool() const { return static_cast<bool>(state_); }

 private:
  struct state {
    explicit state(function answer) : call(std::move(answer)) {}
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() {
      if (call) call(rejection{errc::unavailable, "the part that should answer was stopped", {}});
    }
    function call;
  };
  std::shared_ptr<state> state_;
};

}  // namespace reeve
