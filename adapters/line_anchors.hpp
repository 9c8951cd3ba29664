#pragma once
// Lines by which two readings of one output are laid over each other, where the engine had let go
// of the beginning before the second one: pure.
//
// An anchor is a line that parts its output in time: everything before it has an earlier stamp, and
// everything behind it that was read a later one. So what follows it in the one reading is what
// follows it in the other, and no line of the other stream goes over it whose beginning only one of
// them has. A line of 16 KiB or more is none: the engine has it in parts that share one stamp, and
// a reading may begin with any of them. Nor is the first line of its stream, which alone does not
// say that what is stamped later was written later.

#include "adapters/engine_port.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace reeve::adapters {

/// The same lines are chosen in each reading, about one for each 16 KiB as the engine counts them.
class line_anchors {
 public:
  /// None behind the byte `most` of the text.
  explicit line_anchors(std::uint64_t most) : most_(most) {}

  /// Each line in its order. `is_begun`: nothing of it came before. `end`: of the text with it.
  void add(const log_line& line, bool is_begun, std::uint64_t end);
  /// By their places, at most one for each 79 bytes of the engine's log.
  std::vector<line_anchor> take() { return std::move(all_); }

 private:
  std::uint64_t most_;
  std::vector<line_anchor> all_;
  std::int64_t newest_ns_ = 0;
  std::array<bool, 3> has_line_{};  // by stream
};

}  // namespace reeve::adapters
