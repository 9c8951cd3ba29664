#include "adapters/kept_output.hpp"

#include <algorithm>
#include <utility>

namespace reeve::adapters {

void output_ends::add(const log_line& line) {
  if (line.text.empty() && !line.is_ended) return;
  if (open_ && *open_ != line.stream) {
    append("\n");
    open_.reset();
  }
  const bool is_begun = !open_;
  if (is_begun) begin_line(line.stream);
  append(line.text);
  if (line.is_ended) append("\n");
  anchors_.add(line, is_begun, total_);
  open_ = line.is_ended ? std::nullopt : std::optional(line.stream);
}

void output_ends::append(std::string_view text) {
  total_ += text.size();
  const auto first = text.substr(0, most_ - head_.size());
  head_.append(first);
  text.remove_prefix(first.size());
  if (text.size() >= most_) {
    tail_.assign(text.substr(text.size() - most_));
    oldest_ = 0;
    return;
  }
  const auto fills = text.substr(0, most_ - tail_.size());
  tail_.append(fills);
  text.remove_prefix(fills.size());
  while (!text.empty()) {
    const auto part = text.substr(0, most_ - oldest_);
    std::copy(part.begin(), part.end(), tail_.begin() + static_cast<std::ptrdiff_t>(oldest_));
    oldest_ = (oldest_ + part.size()) % most_;
    text.remove_prefix(part.size());
  }
}

void output_ends::begin_line(log_stream of) {
  const bool is_err = of == log_stream::err;
  if (lines_ <= most_) {
    firsts_.add(is_err ? domain::line_stream::err : domain::line_stream::out);
  } else if (lasts_.size() <= most_) {
    lasts_.push_back(is_err);
  } else {
    lasts_[(lines_ - most_ - 1) % lasts_.size()] = is_err;
  }
  ++lines_;
}

domain::line_stream output_ends::mark_of(std::size_t line) const {
  if (line <= most_) return firsts_.at(line);
  const bool is_err = lasts_[(line - most_ - 1) % lasts_.size()];
  return is_err ? domain::line_stream::err : domain::line_stream::out;
}

kept_output output_ends::finish() {
  std::rotate(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(oldest_), tail_.end());
  kept_output kept;
  kept.left_out = total_ - head_.size() - tail_.size();
  kept.head = std::move(head_);
  kept.anchors = anchors_.take();
  if (kept.left_out == 0) {
    kept.head += tail_;
  } else {
    kept.tail = std::move(tail_);
  }
  const auto firsts = domain::lines_in(kept.head);
  for (std::size_t line = 0; line < firsts; ++line) kept.head_lines.add(mark_of(line));
  const auto lasts = domain::lines_in(kept.tail);
  for (auto line = lines_ - lasts; line < lines_; ++line) kept.tail_lines.add(mark_of(line));
  return kept;
}

}  // namespace reeve::adapters
