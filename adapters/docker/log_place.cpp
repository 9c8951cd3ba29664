#include "adapters/docker/log_place.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace reeve::adapters {
namespace {

std::uint64_t size_of_entry(const log_line& line) {
  return line.text.size() + (line.is_ended ? 1 : 0);
}

std::uint64_t sum_of(const log_place::bytes_by_stream& bytes) {
  return bytes[1] + bytes[2];
}

line_anchor named(const log_line& line) {
  return {size_of_entry(line), line.at_ns, line.stream, std::hash<std::string_view>{}(line.text)};
}

}  // namespace

void log_place::took(const log_line& line) {
  const auto stream = static_cast<std::size_t>(line.stream);
  auto& end = ends_[stream];
  if (!first_) first_ = named(line);
  if (line.at_ns == 0) is_stamped_ = false;
  if (line.at_ns != end.last_ns) settle(end);
  end.last_ns = line.at_ns;
  end.latest_ns = std::max(end.latest_ns, line.at_ns);

  const auto size = size_of_entry(line);
  all_[stream] += size;
  if (anchor_) anchor_->behind[stream] += size;
  for (auto& each : ends_) {
    if (each.candidate) each.candidate->behind[stream] += size;
  }
  if (!line.is_ended) return;
  end.candidate.reset();
  if (++end.ended == 1 && line.at_ns != 0) end.candidate = {line.stream, line.at_ns, {}};
}

/// No more lines with its stamp will come.
void log_place::settle(stream_end& end) {
  end.ended = 0;
  const auto settled = std::exchange(end.candidate, std::nullopt);
  if (settled && (!anchor_ || sum_of(settled->behind) < sum_of(anchor_->behind))) {
    anchor_ = settled;
  }
}

void log_place::restart() {
  for (auto& end : ends_) end = {end.latest_ns, 0, 0, {}};
  first_.reset();
  anchor_.reset();
  all_ = {};
}

bool log_place::is_anchor(const log_line& line) const {
  return anchor_ && line.is_ended && line.stream == anchor_->stream && line.at_ns == anchor_->at_ns;
}

bool log_place::is_first(const log_line& line) const {
  const auto name = named(line);
  return first_ && first_->is_same(name) && first_->end == name.end;
}

log_join::log_join(log_place from, bool is_whole)
    : from_(std::move(from)), is_whole_(is_whole), left_(from_.behind()) {
  if (from_.is_empty()) state_ = phase::found;
}

bool log_join::is_new(log_line& line) {
  if (state_ == phase::found) return is_behind_stop(line);
  if (state_ == phase::searching) {
    // What it is found by was taken itself.
    if (from_.is_anchor(line)) state_ = phase::found;
    if (state_ == phase::found) return false;
    search(line);
    if (state_ == phase::found) return is_behind_stop(line);
  }
  return state_ == phase::lost && line.at_ns > from_.latest_ns(line.stream);
}

void log_join::search(const log_line& line) {
  const bool is_beginning = !std::exchange(is_begun_, true);
  if (is_beginning && is_whole_ && !from_.has_anchor() && from_.is_first(line)) {
    state_ = phase::found;
    is_by_first_ = true;
  } else if (line.at_ns > from_.latest_ns(line.stream)) {
    // It would stand before what is new.
    state_ = phase::lost;
  }
}

bool log_join::is_behind_stop(log_line& line) {
  auto& left = left_[static_cast<std::size_t>(line.stream)];
  const auto size = size_of_entry(line);
  const auto taken = std::min(left, size);
  left -= taken;
  if (taken == size) return false;
  // `taken` bytes are text: a newline is the last of them.
  line.text.erase(0, taken);
  return true;
}

}  // namespace reeve::adapters
