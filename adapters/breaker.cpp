#include "adapters/breaker.hpp"

#include <algorithm>
#include <utility>

namespace reeve::adapters {
namespace {

constexpr std::int64_t us_in_a_second = 1'000'000;

/// SplitMix64 (Steele, Lea, Flood 2014): enough to spread retries, and the same for a same seed.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

std::string_view name_of(breaker_state state) {
  switch (state) {
    case breaker_state::closed:
      return "closed";
    case breaker_state::open:
      return "open";
    case breaker_state::half_open:
      return "half_open";
  }
  return "closed";
}

circuit_breaker::circuit_breaker(breaker_config config, std::uint64_t jitter_seed,
                                 listener on_change)
    : config_(config),
      random_(jitter_seed),
      on_change_(std::move(on_change)),
      delay_us_(config.first_delay_us) {
  config_.window_s = std::clamp<int>(config_.window_s, 1, static_cast<int>(window_.size()));
}

std::optional<circuit_breaker::ticket> circuit_breaker::admit(std::int64_t now_us, bool may_try) {
  if (state_ == breaker_state::closed) return period_;
  if (state_ == breaker_state::open && now_us >= retry_at_us_ && may_try) {
    enter(breaker_state::half_open);
  }
  if (state_ != breaker_state::half_open || trying_ || !may_try) return std::nullopt;
  trying_ = true;
  return period_;
}

void circuit_breaker::succeeded(ticket call, std::int64_t now_us) {
  if (call != period_) return;
  if (state_ == breaker_state::half_open) {
    reset();
    return;
  }
  in_a_row_ = 0;
  count(now_us, false);
}

void circuit_breaker::failed(ticket call, std::int64_t now_us) {
  if (call != period_) return;
  if (state_ == breaker_state::half_open) {
    delay_us_ = std::min(delay_us_ * 2, config_.last_delay_us);
    open(now_us);
    return;
  }
  ++in_a_row_;
  count(now_us, true);
  if (in_a_row_ >= config_.failures_in_a_row || too_many(now_us)) open(now_us);
}

void circuit_breaker::dropped(ticket call) {
  if (call == period_) trying_ = false;
}

void circuit_breaker::trip(std::int64_t now_us) {
  if (state_ != breaker_state::open) open(now_us);
}

void circuit_breaker::reset() {
  delay_us_ = config_.first_delay_us;
  window_ = {};
  if (state_ != breaker_state::closed) enter(breaker_state::closed);
}

void circuit_breaker::count(std::int64_t now_us, bool failure) {
  std::int64_t number = now_us / us_in_a_second;
  auto& slot = window_[static_cast<std::size_t>(number) % window_.size()];
  if (slot.number != number) slot = {number, 0, 0};
  ++slot.calls;
  if (failure) ++slot.failures;
}

bool circuit_breaker::too_many(std::int64_t now_us) const {
  std::int64_t oldest = now_us / us_in_a_second - config_.window_s + 1;
  int calls = 0;
  int failures = 0;
  for (const auto& slot : window_) {
    if (slot.number < oldest) continue;
    calls += slot.calls;
    failures += slot.failures;
  }
  return calls >= config_.window_calls && failures * 2 >= calls;
}

void circuit_breaker::open(std::int64_t now_us) {
  auto share = static_cast<double>(next_random(random_) >> 11) / 9007199254740992.0;
  retry_at_us_ =
      now_us + delay_us_ + static_cast<std::int64_t>(static_cast<double>(delay_us_) * 0.25 * share);
  enter(breaker_state::open);
}

void circuit_breaker::enter(breaker_state next) {
  auto from = std::exchange(state_, next);
  ++period_;
  trying_ = false;
  if (next == breaker_state::closed) in_a_row_ = 0;
  if (on_change_) on_change_(from, next);
}

}  // namespace reeve::adapters
