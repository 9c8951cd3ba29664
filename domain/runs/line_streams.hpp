#pragma once
// Which line of a job's output was written to which of its two streams. The text that is kept of it
// says nothing about that: beside it stand marks of two bits a line, four to a byte, the first line
// in the lowest bits. So the mark of a line is found by its number alone, and the marks are never
// more than a quarter of the text. Pure.

#include "domain/runs/run_types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace reeve::domain {

/// `reeve`: a line that no job wrote, which says that something is missing. The numbers are stored.
enum class line_stream : std::uint8_t { out = 0, err = 1, reeve = 2 };
template <>
struct enum_names<line_stream> {
  static constexpr std::array<std::string_view, 3> names{"stdout", "stderr", "reeve"};
};

inline constexpr std::size_t marks_a_byte = 4;

/// The mark of the line `number`, from 0, in packed marks; nothing: they end before it, or it is
/// none that there is.
std::optional<line_stream> mark_in(std::string_view packed, std::uint64_t number);

class line_marks {
 public:
  void add(line_stream of);
  void add(const line_marks& more, std::size_t from, std::size_t count);

  std::size_t size() const { return size_; }
  /// `number` < size().
  line_stream at(std::size_t number) const;
  const std::string& packed() const { return packed_; }
  bool operator==(const line_marks&) const = default;

 private:
  std::string packed_;
  std::size_t size_ = 0;
};

/// Newlines, and one for what stands behind the last of them.
std::size_t lines_in(std::string_view text);

/// Marks as they are stored of a text.
struct log_streams {
  /// Of the text, newlines and lines of Reeve's included: what is read of each stream. The second
  /// sort stands in both.
  std::int64_t stdout_bytes = 0;
  std::int64_t stderr_bytes = 0;
  std::optional<blob_ref> marks;  // nothing: all of the text is of the one stream that has bytes
  bool operator==(const log_streams&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("stdout_bytes", &log_streams::stdout_bytes),
                      field("stderr_bytes", &log_streams::stderr_bytes),
                      field("marks", &log_streams::marks)};
  }
};

/// The two sizes; `marks` has one for each line of the text. Whether they need to be stored is told
/// by `single_stream`.
log_streams measured(std::string_view text, const line_marks& marks);
/// The stream that all of the text is of, and no line of Reeve's in between.
std::optional<line_stream> single_stream(const line_marks& marks);

}  // namespace reeve::domain
