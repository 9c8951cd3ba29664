#include "adapters/kept_output.hpp"

#include <algorithm>
#include <utility>

namespace reeve::adapters {

void output_ends::add(const log_line& line) {
  if (open_ && *open_ != line.stream) append("\n");
  append(line.text);
  if (line.is_ended) append("\n");
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

kept_output output_ends::finish() {
  std::rotate(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(oldest_), tail_.end());
  kept_output kept;
  kept.left_out = total_ - head_.size() - tail_.size();
  kept.head = std::move(head_);
  if (kept.left_out == 0) {
    kept.head += tail_;
  } else {
    kept.tail = std::move(tail_);
  }
  return kept;
}

}  // namespace reeve::adapters
