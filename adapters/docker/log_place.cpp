#include "adapters/docker/log_place.hpp"

#include <algorithm>
#include <utility>

namespace reeve::adapters {
namespace {

constexpr std::int64_t disorder_ns = 5'000'000'000;

std::uint64_t size_of(const log_line& line) {
  return line.text.size() + (line.is_ended ? 1 : 0);
}

}  // namespace

void log_place::took(const log_line& line) {
  stream_ = line.stream;
  auto& stop = stops_[static_cast<std::size_t>(line.stream)];
  if (line.at_ns == 0) is_stamped_ = false;
  if (line.at_ns < stop.at_ns) is_ascending_ = false;
  if (stop.at_ns != line.at_ns) stop = {line.at_ns, stop.at_ns, 0, false};
  stop.is_line = stop.bytes == 0 && line.is_ended;
  stop.bytes += size_of(line);
}

std::int64_t log_place::since_ns() const {
  auto since = last().at_ns - disorder_ns;
  if (last().before_ns != 0) since = std::min(since, last().before_ns);
  return std::max<std::int64_t>(since, 0);
}

log_join::log_join(const log_place& from) : from_(from), left_(from.last().bytes) {
  if (from.last().at_ns == 0) state_ = phase::found;
}

bool log_join::is_new(log_line& line) {
  if (state_ != phase::searching) return true;
  // What the other stream has before the place was taken as well.
  if (line.stream != from_.stream()) return false;
  const auto at = from_.last().at_ns;
  if (line.at_ns == at) return is_behind_stop(line);
  if (line.at_ns > at && from_.is_ascending()) {
    state_ = phase::lost;
    return true;
  }
  has_before_ = true;
  return false;
}

/// Bytes can be counted only if those with the place's stamp come from the first one on.
bool log_join::is_behind_stop(log_line& line) {
  const auto size = size_of(line);
  if (!std::exchange(is_begun_, true)) {
    const auto& stop = from_.last();
    is_whole_ = has_before_ || (stop.is_line && line.is_ended && size == stop.bytes);
  }
  if (!is_whole_) return false;
  const auto taken = std::min(left_, size);
  left_ -= taken;
  if (left_ == 0) state_ = phase::found;
  if (taken == size) return false;
  line.text.erase(0, taken);
  return true;
}

}  // namespace reeve::adapters
