#pragma once
// Work of many, taken in turns: everybody has a line of his own, and the lines take turns, so that
// who asks for a thousand things holds up a second one by one thing. Light and heavy work wait
// apart, and whoever takes work says whether it may be heavy; where it may, and both wait, they
// take turns as well. Pure; not for several threads at once.

#include "base/ids.hpp"
#include "base/turn_queue.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace reeve::persistence {

/// Whose work it is, and whether it may take long.
struct read_turn {
  uuid who;
  bool is_heavy = false;
};

template <class Task>
class fair_queue {
 public:
  void push(const read_turn& turn, Task task) {
    (void)kinds_[turn.is_heavy ? 1 : 0].push({turn.who, {}}, std::move(task));
  }

  bool has(bool may_be_heavy) const {
    return !kinds_[0].empty() || (may_be_heavy && !kinds_[1].empty());
  }

  struct taken {
    Task task;
    bool is_heavy = false;
  };
  /// Nothing if nothing waits that may be taken.
  std::optional<taken> pop(bool may_be_heavy) {
    if (!has(may_be_heavy)) return std::nullopt;
    const bool light_waits = !kinds_[0].empty();
    const bool heavy_waits = may_be_heavy && !kinds_[1].empty();
    const bool is_heavy = heavy_waits && (!light_waits || !was_heavy_);
    was_heavy_ = is_heavy;
    return taken{*kinds_[is_heavy ? 1 : 0].pop(), is_heavy};
  }

  std::size_t size() const { return kinds_[0].size() + kinds_[1].size(); }

 private:
  using queue = turn_queue<Task>;  // one line for each who
  std::array<queue, 2> kinds_{queue{no_turn_limits}, queue{no_turn_limits}};  // light, heavy
  bool was_heavy_ = false;
};

}  // namespace reeve::persistence
