#pragma once
// Waiting without sleeping blindly: a condition is looked at until it holds or a deadline passes.

#include "tests/support/environment.hpp"

#include <algorithm>
#include <chrono>
#include <poll.h>
#include <utility>

namespace support {

using namespace std::chrono_literals;

/// How long is waited for what must come, on a machine that does much else beside: a wait that is
/// over costs nothing, and one that is short finds busy machines instead of faults.
inline constexpr std::chrono::seconds patience{20};

/// Gives the processor away for a moment between two looks at a condition.
inline void breathe(std::chrono::milliseconds pause) {
  ::poll(nullptr, 0, static_cast<int>(pause.count()));
}

/// True as soon as `holds()` is, false when `deadline` has passed without. Looks at least twice,
/// every 2 ms at first and every 50 ms later.
template <class Predicate>
bool eventually(std::chrono::milliseconds deadline, Predicate holds) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  for (auto pause = 2ms;; pause = std::min(pause * 2, 50ms)) {
    if (holds()) return true;
    if (std::chrono::steady_clock::now() >= end) return holds();
    breathe(pause);
  }
}

/// The same for what has no promised bound.
template <class Predicate>
bool eventually(Predicate holds) {
  return eventually(patience * time_factor(), std::move(holds));
}

}  // namespace support
