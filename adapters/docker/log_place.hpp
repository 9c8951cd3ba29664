#pragma once
// How far a container's output was read, and what of a later reading comes behind that: pure.
//
// A reading that does not follow is of one moment and in order, so who reads on asks again and
// finds his place in what comes: the last line whose stamp no other of its stream has, and how many
// bytes of each stream he has behind it. Parts of a long line and lines with equal stamps are never
// looked for, only counted. Where there is no such line it is the first entry that he has: all that
// stands behind it. What he does not find is gone, and of what comes then only that is surely new
// which has a later stamp than all he had of its stream.

#include "adapters/engine_port.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace reeve::adapters {

class log_place {
 public:
  using bytes_by_stream = std::array<std::uint64_t, 3>;  // newlines too; 0 is never used
  /// A line by its end, whatever parts it has.
  struct anchor {
    log_stream stream = log_stream::out;
    std::int64_t at_ns = 0;
    bytes_by_stream behind = {};
  };
  void took(const log_line& line);
  /// Something is missing between what was taken and what comes; stamps are remembered.
  void restart();

  bool is_empty() const { return !first_; }
  /// Whether it is the line that it is found by.
  bool is_anchor(const log_line& line) const;
  bool has_anchor() const { return anchor_.has_value(); }
  /// Whether all that was taken begins with this, as far as can be told.
  bool is_first(const log_line& line) const;
  /// Taken behind the anchor, or in all where there is none.
  const bytes_by_stream& behind() const { return anchor_ ? anchor_->behind : all_; }
  /// The latest stamp of what was taken of a stream, and that of the last; 0: none.
  std::int64_t latest_ns(log_stream stream) const { return of(stream).latest_ns; }
  std::int64_t last_ns(log_stream stream) const { return of(stream).last_ns; }
  /// Every line had a stamp: without one no reading can be joined.
  bool is_stamped() const { return is_stamped_; }

 private:
  struct stream_end {
    std::int64_t latest_ns = 0;
    std::int64_t last_ns = 0;
    std::size_t ended = 0;            // lines with the last stamp
    std::optional<anchor> candidate;  // the one that is; an anchor once another stamp comes
  };
  const stream_end& of(log_stream stream) const { return ends_[static_cast<std::size_t>(stream)]; }
  void settle(stream_end& end);

  std::array<stream_end, 3> ends_;  // by stream; 0 is never used
  std::optional<line_anchor> first_;
  std::optional<anchor> anchor_;
  bytes_by_stream all_ = {};
  bool is_stamped_ = true;
};

/// One reading, which may begin before a place or behind it.
class log_join {
 public:
  /// `is_whole`: it has all that the engine has.
  log_join(log_place from, bool is_whole);

  /// `lost`: something is missing between the place and what is new.
  enum class phase { searching, found, lost };
  phase state() const { return state_; }
  /// It was found by what it begins with. Where a line repeats itself part by part that may be a
  /// later part, if the engine has let go of some.
  bool is_by_first() const { return is_by_first_; }
  /// All of what was taken has come again.
  bool has_all() const { return state_ == phase::found && left_ == log_place::bytes_by_stream{}; }
  /// Whether something of it is, and then it is that.
  bool is_new(log_line& line);

 private:
  void search(const log_line& line);
  bool is_behind_stop(log_line& line);

  const log_place from_;
  const bool is_whole_;
  phase state_ = phase::searching;
  log_place::bytes_by_stream left_;  // of what was taken
  bool is_begun_ = false;
  bool is_by_first_ = false;
};

}  // namespace reeve::adapters
