#pragma once
// Whether somebody takes bytes fast enough: a purse of time. Waiting for him is paid from it, what
// he takes fills it again, by the time that it may take at the least rate, and it never holds more
// than at first. So a pause is forgiven and a trickle is not, however long it lasts. Waiting for
// anybody else costs nothing. Pure.

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace reeve::api {

class pace_meter {
 public:
  using duration = std::chrono::nanoseconds;

  /// `bytes_per_s` of 0 is 1.
  pace_meter(std::chrono::milliseconds purse, std::size_t bytes_per_s)
      : purse_(purse), left_(purse), bytes_per_s_(std::max<std::size_t>(bytes_per_s, 1)) {}

  /// For how long may be waited from now on.
  duration left() const { return left_; }
  bool is_spent() const { return left_ <= duration::zero(); }

  void waited(duration time) { left_ -= std::max(time, duration::zero()); }
  void moved(std::size_t bytes) {
    // Of a purse's worth and more it does not matter how much: that also keeps the sum small.
    const double earned_s = static_cast<double>(bytes) / static_cast<double>(bytes_per_s_);
    const double most_s = std::chrono::duration<double>(purse_ - std::min(left_, purse_)).count();
    if (earned_s >= most_s) {
      left_ = purse_;
    } else {
      left_ += std::chrono::duration_cast<duration>(std::chrono::duration<double>(earned_s));
    }
  }

 private:
  duration purse_;
  duration left_;
  std::size_t bytes_per_s_;
};

}  // namespace reeve::api
