#include "persistence/silence_watch.hpp"

#include <algorithm>
#include <utility>

namespace reeve::persistence {

std::vector<lock_holder> silence_watch::look(const std::vector<lock_holder>& holders,
                                             std::int64_t mono_us, std::int64_t silent_us) {
  std::vector<seen> now;
  std::vector<lock_holder> found;
  for (const auto& holder : holders) {
    if (!holder.asks_nothing) continue;
    const auto before = std::find_if(silent_.begin(), silent_.end(),
                                     [&](const seen& one) { return one.holder == holder; });
    const bool is_known = before != silent_.end();
    now.push_back({holder, is_known ? before->since_us : mono_us});
    if (is_known && mono_us - before->since_us >= silent_us) found.push_back(holder);
  }
  silent_ = std::move(now);
  return found;
}

}  // namespace reeve::persistence
