#pragma once
// How one page of a list is filled: in steps, each of which looks at some rows in the order of the
// list, until the page is full or the list has ended. Where the rows that fit are rare, a page ends
// without being full, after 50,000 rows or 200 ms (and the step that was under way), and the next
// one goes on where it stopped. Pure.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace reeve::persistence {

/// `Place`: where a row stands in the list.
template <class Place>
class page_walk {
 public:
  static constexpr std::int64_t most_rows = 50'000;
  static constexpr std::int64_t most_us = 200'000;
  static constexpr std::int64_t largest_step = 2000;

  /// `limit` and `bytes` of the page. `is_filtered`: rows may be looked at that do not fit; else
  /// one step is enough. `now_us`: monotonic.
  page_walk(int limit, std::size_t bytes, bool is_filtered, std::int64_t now_us)
      : limit_(limit),
        bytes_left_(bytes),
        until_us_(now_us + most_us),
        step_(is_filtered ? std::clamp<std::int64_t>(4 * (limit + 1), 200, largest_step)
                          : limit + 1) {}

  // The step that comes now: of how many rows those that fit are asked for, how many of them (one
  // more than there is room for tells whether there is another page), and how large together.
  std::int64_t step_rows() const { return step_; }
  int step_most() const { return limit_ - rows_ + 1; }
  std::size_t step_bytes() const { return bytes_left_; }

  /// A row that came, in order; whether it is on the page. `is_last`: it is the last one of as many
  /// as the step looks at, so that behind it there may be more.
  bool take(const Place& at, bool fits, bool is_last, std::size_t bytes) {
    if (is_over_) return false;
    if (is_last) last_ = at;
    if (!fits) return false;
    if (rows_ == limit_) return end_at(shown_);
    ++rows_;
    shown_ = at;
    bytes_left_ -= std::min(bytes, bytes_left_);
    if (bytes_left_ == 0) end_at(at);
    return true;
  }

  /// All rows of the step were taken. The place behind which another step begins, or nothing: the
  /// page is done.
  std::optional<Place> go_on(std::int64_t now_us) {
    if (is_over_) return std::nullopt;
    const auto behind = std::exchange(last_, std::nullopt);
    walked_ += step_;
    step_ = std::min(largest_step, most_rows - walked_);
    if (behind && rows_ < limit_ && step_ > 0 && now_us < until_us_) return behind;
    end_at(behind);
    return std::nullopt;
  }

  /// Behind which the next page begins, when this one is done; nothing: it was the last one.
  const std::optional<Place>& next() const { return next_; }

 private:
  bool end_at(const std::optional<Place>& place) {
    is_over_ = true;
    next_ = place;
    return false;
  }

  int limit_;
  int rows_ = 0;
  std::size_t bytes_left_;
  std::int64_t until_us_;
  std::int64_t step_;
  std::int64_t walked_ = 0;
  std::optional<Place> shown_, last_, next_;
  bool is_over_ = false;
};

}  // namespace reeve::persistence
