#pragma once
// A circuit breaker, pure: time is passed in, transitions come out through a listener. It opens
// after five failures in a row, or when half of at least ten calls within 30 s failed. After a
// delay of 2 s, doubled with each failed trial up to 60 s and lengthened by up to a quarter
// (jitter), one trial call may pass (half-open); its result closes or opens the breaker again.
// What a failure is, decides the caller: an engine that refuses properly is a healthy engine.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace reeve::adapters {

enum class breaker_state { closed, open, half_open };

/// "closed", "open", "half_open".
std::string_view name_of(breaker_state state);

struct breaker_config {
  int failures_in_a_row = 5;
  int window_s = 30;  ///< 1..30
  int window_calls = 10;
  std::int64_t first_delay_us = 2'000'000;
  std::int64_t last_delay_us = 60'000'000;
};

/// Not thread-safe: whoever owns it locks. `now_us` is monotonic time and never goes back.
class circuit_breaker {
 public:
  /// Called within the method that caused the change; must not call back into the breaker.
  using listener = std::function<void(breaker_state from, breaker_state to)>;
  /// Names the period that a call began in: a result that arrives in a later one is ignored.
  using ticket = std::uint64_t;

  circuit_breaker(breaker_config config, std::uint64_t jitter_seed, listener on_change);

  /// A ticket if the call may pass. `may_try` is false for calls that may last for ever: such a
  /// call is never the one trial of a half-open breaker.
  std::optional<ticket> admit(std::int64_t now_us, bool may_try = true);
  /// Each admitted call ends with exactly one of these.
  void succeeded(ticket call, std::int64_t now_us);
  void failed(ticket call, std::int64_t now_us);
  /// The call was dropped before it was sent: neither a success nor a failure.
  void dropped(ticket call);
  /// Something else saw that the engine is gone: opens at once.
  void trip(std::int64_t now_us);
  /// Something else saw that the engine answers again: closes, and delays begin anew.
  void reset();

  breaker_state state() const { return state_; }
  /// When an open breaker allows its trial; 0 if it is not open.
  std::int64_t retry_at_us() const { return state_ == breaker_state::open ? retry_at_us_ : 0; }

 private:
  struct second {
    std::int64_t number = -1;
    int calls = 0;
    int failures = 0;
  };

  void count(std::int64_t now_us, bool failure);
  bool too_many(std::int64_t now_us) const;
  void open(std::int64_t now_us);
  void enter(breaker_state next);

  breaker_config config_;
  std::uint64_t random_;
  listener on_change_;
  breaker_state state_ = breaker_state::closed;
  ticket period_ = 1;
  bool trying_ = false;
  int in_a_row_ = 0;
  std::int64_t delay_us_;
  std::int64_t retry_at_us_ = 0;
  std::array<second, 30> window_{};  // by second modulo 30
};

}  // namespace reeve::adapters
