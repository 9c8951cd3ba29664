#pragma once
// Waiting without sleeping blindly: a condition is looked at until it holds or a deadline passes.

#include <algorithm>
#include <chrono>
#include <poll.h>

namespace support {

using namespace std::chrono_literals;

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

}  // namespace support
