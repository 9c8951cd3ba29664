#include "base/leadership.hpp"

#include <algorithm>

namespace reeve {

void leadership::confirm(std::int64_t epoch, std::int64_t asked_us) {
  const std::lock_guard lock(mutex_);
  const auto known = epoch_.load(std::memory_order_relaxed);
  if (epoch <= revoked_epoch_ || epoch < known) return;
  if (epoch > known) {
    asked_us_.store(never, std::memory_order_release);
    epoch_.store(epoch, std::memory_order_release);
    asked_us_.store(asked_us, std::memory_order_release);
    return;
  }
  asked_us_.store(std::max(asked_us, asked_us_.load(std::memory_order_relaxed)),
                  std::memory_order_release);
}

void leadership::revoke() {
  revoke(epoch_.load(std::memory_order_relaxed));
}

void leadership::revoke(std::int64_t epoch) {
  const std::lock_guard lock(mutex_);
  revoked_epoch_ = std::max(revoked_epoch_, epoch);
  if (epoch_.load(std::memory_order_relaxed) <= revoked_epoch_) {
    asked_us_.store(never, std::memory_order_release);
  }
}

void leadership::hold_until(std::int64_t mono_us) {
  const std::lock_guard lock(mutex_);
  held_until_us_.store(std::max(mono_us, held_until_us_.load(std::memory_order_relaxed)),
                       std::memory_order_release);
}

leadership::view leadership::look() const {
  view seen;
  seen.epoch = epoch_.load(std::memory_order_acquire);
  seen.asked_us = asked_us_.load(std::memory_order_acquire);
  const bool whole = seen.epoch == epoch_.load(std::memory_order_acquire);
  seen.runs = whole && clock_.mono_us() < seen.asked_us + lease_us;
  return seen;
}

std::optional<fencing_token> leadership::token() const {
  const auto now = look();
  if (!now.runs || clock_.mono_us() < held_until_us_.load(std::memory_order_acquire)) {
    return std::nullopt;
  }
  return fencing_token{now.epoch};
}

bool leadership::allows(fencing_token token) const {
  return this->token() == token;
}

bool leadership::holds() const {
  return look().runs;
}

bool leadership::heard_within(std::int64_t us) const {
  const auto now = look();
  return now.runs && clock_.mono_us() <= now.asked_us + us;
}

}  // namespace reeve
