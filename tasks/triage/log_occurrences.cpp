#include "tasks/triage/log_occurrences.hpp"

#include <algorithm>

namespace reeve::tasks {
namespace {

void take_times(occurrences& into, std::optional<time_us> first, std::optional<time_us> last) {
  if (first && (!into.first || *first < *into.first)) into.first = first;
  if (last && (!into.last || *last > *into.last)) into.last = last;
}

}  // namespace

void add_up(occurrences& into, const occurrences& more) {
  const bool is_first = into.count == 0 || more.first_line < into.first_line;
  if (is_first) into.first_line = more.first_line;
  into.last_line = std::max(into.last_line, more.last_line);
  into.count += more.count;
  take_times(into, more.first, more.last);
}

}  // namespace reeve::tasks
