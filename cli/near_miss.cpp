#include "cli/near_miss.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace reeve::cli {

std::size_t distance_of(std::string_view one, std::string_view other) {
  // Rows of the table for the letters of `one` before, at and behind which we are.
  std::vector<std::size_t> last(other.size() + 1), before(last), now(last);
  std::iota(before.begin(), before.end(), std::size_t{0});
  for (std::size_t i = 1; i <= one.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t differs = one[i - 1] == other[j - 1] ? 0 : 1;
      now[j] = std::min({before[j] + 1, now[j - 1] + 1, before[j - 1] + differs});
      const bool is_swapped =
          i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (is_swapped) now[j] = std::min(now[j], last[j - 2] + 1);
    }
    std::swap(last, before);
    std::swap(before, now);
  }
  return before[other.size()];
}

std::vector<std::string> nearest_of(std::string_view word, const std::vector<std::string>& words) {
  constexpr std::size_t most_bytes = 64;
  std::vector<std::string> nearest;
  if (word.size() > most_bytes) return nearest;
  std::size_t least = std::min<std::size_t>(2, word.size() / 3);
  for (const auto& one : words) {
    const auto distance = distance_of(word, one);
    if (distance > least) continue;
    if (distance < least) nearest.clear();
    least = distance;
    nearest.push_back(one);
  }
  return nearest;
}

}  // namespace reeve::cli
