#pragma once
// How far a container's output was read, and what of a later reading comes behind that: pure.
//
// A reading that does not follow is of one moment and in order, so who reads on asks again and
// finds his place in what comes: the last line that he has, by its stream, its stamp and how many
// bytes with that stamp he has, since all parts of a long line have the same one. What stands
// behind it is new. A place that is not there is known by the first line of its stream with a later
// stamp, or by the end of the reading.

#include "adapters/engine_port.hpp"

#include <array>
#include <cstdint>

namespace reeve::adapters {

class log_place {
 public:
  /// Of one stream.
  struct stop {
    std::int64_t at_ns = 0;      // 0: nothing of it
    std::int64_t before_ns = 0;  // the stamp before that one; 0: none
    std::uint64_t bytes = 0;     // with that stamp, newlines too
    bool is_line = false;        // they are one, a whole one
  };
  void took(const log_line& line);
  /// Of the last line.
  log_stream stream() const { return stream_; }
  const stop& last() const { return stops_[static_cast<std::size_t>(stream_)]; }
  const stop& of(log_stream stream) const { return stops_[static_cast<std::size_t>(stream)]; }
  /// From when on a reading has to be to have the place and a line before it; 0: from the
  /// beginning. Streams may be written a little out of order.
  std::int64_t since_ns() const;
  /// Every line had a stamp: without one no reading can be joined.
  bool is_stamped() const { return is_stamped_; }
  /// The engine's clock was not set back.
  bool is_ascending() const { return is_ascending_; }

 private:
  std::array<stop, 3> stops_;  // by stream; 0 is never used
  log_stream stream_ = log_stream::out;
  bool is_stamped_ = true;
  bool is_ascending_ = true;
};

/// One reading, which may begin before a place or behind it.
class log_join {
 public:
  explicit log_join(const log_place& from);

  /// `lost`: something is missing between the place and what is new.
  enum class phase { searching, found, lost };
  phase state() const { return state_; }
  /// Whether something of it is, and then it is that.
  bool is_new(log_line& line);

 private:
  bool is_behind_stop(log_line& line);

  const log_place from_;
  phase state_ = phase::searching;
  std::uint64_t left_;       // bytes with the place's stamp
  bool is_begun_ = false;    // a line with that stamp has come
  bool has_before_ = false;  // one with another stamp has, so that all with the place's will
  bool is_whole_ = false;    // all with that stamp have come
};

}  // namespace reeve::adapters
