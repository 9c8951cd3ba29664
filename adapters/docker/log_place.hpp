#pragma once
// How far a container's output was read, and what of a later reading comes behind that: pure.
//
// An engine that is asked to follow an output which it rotates meanwhile jumps over whole files and
// tells others twice, without a word (Docker 20.10 at 10 MB/s). A reading that does not follow is
// of one moment and in order, so who reads on asks again and joins the readings. Each stream's
// stamps ascend, and all parts of a long line have the same: a place is a stamp and how many bytes
// with it were taken. That a reading has everything behind a place is known if it has a line from
// before it; the very line with its stamp tells so only if it was taken as a whole.

#include "adapters/engine_port.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reeve::adapters {

class log_place {
 public:
  /// Of one stream.
  struct stop {
    std::int64_t at_ns = 0;  // 0: nothing of it
    std::uint64_t bytes = 0;
    std::optional<std::string> first;  // with that stamp, where it is a whole line of no great size
  };
  void took(const log_line& line);
  const stop& of(log_stream stream) const { return stops_[static_cast<std::size_t>(stream)]; }
  /// From when on a reading has to be; 0: from the beginning. Streams may be written a little out
  /// of order.
  std::int64_t since_ns() const;
  /// Every line had a stamp: without one no reading can be joined.
  bool is_stamped() const { return is_stamped_; }

 private:
  std::array<stop, 3> stops_;  // by stream; 0 is never used
  bool is_stamped_ = true;
};

/// One reading that begins at or before a place.
class log_join {
 public:
  explicit log_join(const log_place& from);

  /// What of them is new, in their order.
  std::vector<log_line> behind(std::vector<log_line> lines);
  /// Before the first new line, or at the end of the reading: something between the place and that
  /// line may be missing.
  bool may_lack() const { return !is_joined_ || is_doubtful_; }

 private:
  struct way {
    std::uint64_t left = 0;   // bytes with the place's stamp
    bool is_begun = false;    // a line with that stamp has come
    bool has_before = false;  // a line from before it has
    bool is_passed = false;
  };
  bool is_new(log_line& line);

  const log_place from_;
  std::array<way, 3> ways_;
  bool is_joined_;
  bool is_doubtful_ = false;
};

}  // namespace reeve::adapters
