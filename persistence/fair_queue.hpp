#pragma once
// Work of many, taken in turns: everybody has a line of his own, and the lines take turns, so that
// who asks for a thousand things holds up a second one by one thing. Light and heavy work wait
// apart, and whoever takes work says whether it may be heavy; where it may, and both wait, they
// take turns as well. Pure; not for several threads at once.

#include "base/ids.hpp"

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>
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
    kind& to = kinds_[turn.is_heavy ? 1 : 0];
    auto& line = to.lines[turn.who];
    if (line.empty()) to.turns.push_back(turn.who);
    line.push_back(std::move(task));
    ++size_;
  }

  bool has(bool may_be_heavy) const {
    return !kinds_[0].turns.empty() || (may_be_heavy && !kinds_[1].turns.empty());
  }

  struct taken {
    Task task;
    bool is_heavy = false;
  };
  /// Nothing if nothing waits that may be taken.
  std::optional<taken> pop(bool may_be_heavy) {
    if (!has(may_be_heavy)) return std::nullopt;
    const bool light_waits = !kinds_[0].turns.empty();
    const bool heavy_waits = may_be_heavy && !kinds_[1].turns.empty();
    const bool is_heavy = heavy_waits && (!light_waits || !was_heavy_);
    was_heavy_ = is_heavy;
    --size_;
    return taken{take(kinds_[is_heavy ? 1 : 0]), is_heavy};
  }

  std::size_t size() const { return size_; }

 private:
  struct kind {
    std::unordered_map<uuid, std::deque<Task>> lines;  // none of them is empty
    std::deque<uuid> turns;                            // each of the lines once
  };

  static Task take(kind& from) {
    const uuid who = from.turns.front();
    from.turns.pop_front();
    const auto line = from.lines.find(who);
    Task task = std::move(line->second.front());
    line->second.pop_front();
    if (line->second.empty()) {
      from.lines.erase(line);
    } else {
      from.turns.push_back(who);
    }
    return task;
  }

  std::array<kind, 2> kinds_;  // light, heavy
  bool was_heavy_ = false;
  std::size_t size_ = 0;
};

}  // namespace reeve::persistence
