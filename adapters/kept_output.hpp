#pragma once
// A container's output of any size, of which the beginning and the end are kept: what it set out
// to do stands at the beginning, why it failed at the end.

#include "adapters/engine_port.hpp"
#include "adapters/line_anchors.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::adapters {

/// Takes lines and holds at most twice `bytes_each` of text, three bits for each of `bytes_each`
/// and the anchors of the first `bytes_each`, whatever comes. The text is what was written, to the
/// byte, in the order in which the engine has it: no newline is added where none came. Only where
/// the other stream goes on in the middle of a line is there one, so that no line is made of two
/// streams.
class output_ends {
 public:
  /// `bytes_each` > 0.
  explicit output_ends(std::size_t bytes_each) : most_(bytes_each), anchors_(bytes_each) {}

  void add(const log_line& line);
  /// To be called once.
  kept_output finish();

 private:
  void append(std::string_view text);
  void begin_line(log_stream of);
  domain::line_stream mark_of(std::size_t line) const;

  std::size_t most_;
  std::string head_;
  std::string tail_;  // once it is full a ring, whose oldest byte is at oldest_
  std::size_t oldest_ = 0;
  std::uint64_t total_ = 0;
  std::optional<log_stream> open_;  // whose line has not ended
  line_anchors anchors_;
  // An end has at most `most_` lines.
  std::size_t lines_ = 0;      // that were begun
  domain::line_marks firsts_;  // of the first most_ + 1 of them
  std::vector<bool> lasts_;    // of the others whether they are of stderr; once it is full a ring
};

}  // namespace reeve::adapters
