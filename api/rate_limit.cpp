#include "api/rate_limit.hpp"

#include <algorithm>

namespace reeve::api {

rate_limiter::rate_limiter(double per_second, double burst, std::size_t max_callers)
    : per_second_(per_second), burst_(std::max(burst, 1.0)), max_callers_(max_callers) {}

double rate_limiter::level_at(const bucket& one, std::int64_t now_us) const {
  const double passed_s = static_cast<double>(now_us - one.filled_us) / 1e6;
  return std::min(burst_, one.level + std::max(passed_s, 0.0) * per_second_);
}

/// A full bucket says nothing that a new one does not say. If every caller is busy, one is
/// forgotten: it gains at most one burst.
void rate_limiter::make_room(std::int64_t now_us) {
  std::erase_if(buckets_,
                [&](const auto& entry) { return level_at(entry.second, now_us) >= burst_; });
  if (buckets_.size() >= max_callers_) buckets_.erase(buckets_.begin());
}

bool rate_limiter::take(const uuid& who, std::int64_t now_us) {
  if (per_second_ <= 0) return true;
  auto at = buckets_.find(who);
  if (at == buckets_.end()) {
    if (buckets_.size() >= max_callers_) make_room(now_us);
    at = buckets_.emplace(who, bucket{burst_, now_us}).first;
  }
  bucket& one = at->second;
  one.level = level_at(one, now_us);
  one.filled_us = now_us;
  if (one.level < 1) return false;
  one.level -= 1;
  return true;
}

}  // namespace reeve::api
