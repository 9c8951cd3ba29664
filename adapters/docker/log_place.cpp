#include "adapters/docker/log_place.hpp"

#include <algorithm>
#include <utility>

namespace reeve::adapters {
namespace {

constexpr std::int64_t disorder_ns = 5'000'000'000;
constexpr std::size_t most_first = 4096;

std::uint64_t size_of(const log_line& line) {
  return line.text.size() + (line.is_ended ? 1 : 0);
}

}  // namespace

void log_place::took(const log_line& line) {
  if (line.at_ns == 0) is_stamped_ = false;
  auto& stop = stops_[static_cast<std::size_t>(line.stream)];
  if (stop.at_ns != line.at_ns) {
    stop = {line.at_ns, 0, std::nullopt};
    if (line.is_ended && line.text.size() <= most_first) stop.first = line.text;
  }
  stop.bytes += size_of(line);
}

std::int64_t log_place::since_ns() const {
  const auto last = std::max(of(log_stream::out).at_ns, of(log_stream::err).at_ns);
  return std::max<std::int64_t>(last - disorder_ns, 0);
}

log_join::log_join(const log_place& from) : from_(from) {
  for (const auto stream : {log_stream::out, log_stream::err}) {
    ways_[static_cast<std::size_t>(stream)].left = from_.of(stream).bytes;
  }
  const bool is_beginning =
      from_.of(log_stream::out).at_ns == 0 && from_.of(log_stream::err).at_ns == 0;
  is_joined_ = is_beginning;
}

/// Of a line that was taken in part the rest is.
bool log_join::is_new(log_line& line) {
  const auto& stop = from_.of(line.stream);
  auto& way = ways_[static_cast<std::size_t>(line.stream)];
  if (stop.at_ns == 0 || way.is_passed) return true;
  if (line.at_ns < stop.at_ns) {
    way.has_before = is_joined_ = true;
    return false;
  }
  if (line.at_ns > stop.at_ns || way.left == 0) {
    way.is_passed = true;
    return true;
  }
  if (!std::exchange(way.is_begun, true)) {
    const bool is_same = stop.first && line.is_ended && line.text == *stop.first;
    (way.has_before || is_same ? is_joined_ : is_doubtful_) = true;
  }
  const auto taken = std::min(way.left, size_of(line));
  way.left -= taken;
  if (taken == size_of(line)) return false;
  line.text.erase(0, taken);
  way.is_passed = true;
  return true;
}

std::vector<log_line> log_join::behind(std::vector<log_line> lines) {
  std::erase_if(lines, [this](log_line& line) { return !is_new(line); });
  return lines;
}

}  // namespace reeve::adapters
