#pragma once
// One token bucket per caller. Belongs to the I/O thread; bounded, so that it cannot be filled.

#include "base/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace reeve::api {

class rate_limiter {
 public:
  /// Buckets start full. `burst` is at least 1; a rate of 0 switches the limit off.
  rate_limiter(double per_second, double burst, std::size_t max_callers = 4096);

  /// Whether one more request may pass; `now_us` is monotonic.
  bool take(const uuid& who, std::int64_t now_us);
  std::size_t callers() const { return buckets_.size(); }

 private:
  struct bucket {
    double level = 0;
    std::int64_t filled_us = 0;
  };
  double level_at(const bucket& one, std::int64_t now_us) const;
  void make_room(std::int64_t now_us);

  double per_second_;
  double burst_;
  std::size_t max_callers_;
  std::unordered_map<uuid, bucket> buckets_;
};

}  // namespace reeve::api
