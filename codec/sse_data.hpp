#pragma once
// The data of server-sent events out of bytes that come cut anywhere. Names, ids and comments are
// passed over.

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::codec {

class sse_data {
 public:
  /// Of one event, and of one line.
  explicit sse_data(std::size_t most_bytes = std::size_t{1} << 20) : most_bytes_(most_bytes) {}

  /// False: an event is larger than it may be, and nothing more is read.
  bool feed(std::string_view bytes);
  /// Nothing more comes: what has no blank line behind it is an event as well.
  bool finish();
  /// Events in their order, without the ends of their last lines.
  std::optional<std::string> next();
  /// Bytes of the event that has begun and not ended, or was too large, without its fields' names.
  std::size_t begun_bytes() const;

 private:
  bool end_line();

  std::size_t most_bytes_;
  std::string line_, data_;
  bool has_data_ = false;
  bool after_cr_ = false;
  std::deque<std::string> ready_;
};

}  // namespace reeve::codec
