#include "domain/runs/line_streams.hpp"

#include <algorithm>

namespace reeve::domain {

std::optional<line_stream> mark_in(std::string_view packed, std::uint64_t number) {
  const auto at = number / marks_a_byte;
  if (at >= packed.size()) return std::nullopt;
  const auto byte = static_cast<unsigned char>(packed[static_cast<std::size_t>(at)]);
  const auto mark = byte >> (number % marks_a_byte * 2) & 3U;
  if (mark > static_cast<unsigned>(line_stream::reeve)) return std::nullopt;
  return static_cast<line_stream>(mark);
}

void line_marks::add(line_stream of) {
  if (size_ % marks_a_byte == 0) packed_ += '\0';
  const auto mark = static_cast<unsigned>(of) << (size_ % marks_a_byte * 2);
  packed_.back() = static_cast<char>(static_cast<unsigned char>(packed_.back()) | mark);
  ++size_;
}

void line_marks::add(const line_marks& more, std::size_t from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) add(more.at(from + i));
}

line_stream line_marks::at(std::size_t number) const {
  return *mark_in(packed_, number);
}

std::size_t lines_in(std::string_view text) {
  const auto newlines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  return newlines + (text.empty() || text.back() == '\n' ? 0 : 1);
}

log_streams measured(std::string_view text, const line_marks& marks) {
  log_streams of;
  for (std::size_t line = 0; line < marks.size() && !text.empty(); ++line) {
    const auto size = std::min(text.find('\n'), text.size() - 1) + 1;
    const auto mark = marks.at(line);
    if (mark != line_stream::err) of.stdout_bytes += static_cast<std::int64_t>(size);
    if (mark != line_stream::out) of.stderr_bytes += static_cast<std::int64_t>(size);
    text.remove_prefix(size);
  }
  return of;
}

std::optional<line_stream> single_stream(const line_marks& marks) {
  if (marks.size() == 0 || marks.at(0) == line_stream::reeve) return std::nullopt;
  for (std::size_t line = 1; line < marks.size(); ++line) {
    if (marks.at(line) != marks.at(0)) return std::nullopt;
  }
  return marks.at(0);
}

}  // namespace reeve::domain
