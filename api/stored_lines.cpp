#include "api/stored_lines.hpp"

#include "base/utf8.hpp"

namespace reeve::api {
namespace {

constexpr std::size_t most_text = std::size_t{16} * 1024;

/// What is written in place of what is not stored (tasks/container/stored_log.cpp).
bool is_mark(std::string_view text) {
  if (!text.starts_with("[reeve: ") || !text.ends_with("]")) return false;
  return text.ends_with(" bytes left out]") ||
         text == "[reeve: the engine may have lost what came before]" ||
         text == "[reeve: the engine has lost what came here]";
}

}  // namespace

void stored_lines::add(std::string_view piece) {
  held_.erase(0, at_);
  at_ = 0;
  held_ += piece;
  // One that is shorter than it should be is not asked for for ever.
  offset_ = piece.empty() ? log_.bytes : offset_ + static_cast<std::int64_t>(piece.size());
}

std::optional<output_line> stored_lines::next() {
  while (!needs_marks()) {
    const bool was_inside = is_inside_;
    auto line = cut();
    if (!line) return std::nullopt;
    if (log_.truncated && !was_inside && line->is_ended && is_mark(line->text)) has_ = 0;
    if (line->number > has_) return line;
  }
  return std::nullopt;
}

std::optional<output_line> stored_lines::cut() {
  const auto left = std::string_view(held_).substr(at_);
  const auto newline = left.find('\n');
  const bool has_end = newline != left.npos || missing() <= 0;
  // One byte more tells whether a character ends there.
  if (left.empty() || (!has_end && left.size() <= most_text)) return std::nullopt;
  auto text = left.substr(0, newline);
  const bool is_whole = has_end && text.size() <= most_text;
  if (!is_whole) {
    text = utf8_prefix(text, most_text);
    if (text.empty()) text = left.substr(0, most_text);
  }
  at_ += text.size() + (is_whole && newline != left.npos ? 1 : 0);
  output_line line{number_, 0, false, is_whole, std::string(text), streams_.of(number_)};
  is_inside_ = !is_whole;
  if (is_whole) ++number_;
  return line;
}

}  // namespace reeve::api
