#include "codec/sse_data.hpp"

#include <algorithm>
#include <utility>

namespace reeve::codec {

bool sse_data::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (line_.size() + end > most_bytes_) return false;
    line_.append(bytes.substr(0, end));
    if (end == bytes.size()) return true;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (!end_line()) return false;
  }
  return true;
}

bool sse_data::end_line() {
  if (line_.empty()) {
    if (std::exchange(has_data_, false)) ready_.push_back(std::exchange(data_, {}));
    return true;
  }
  const auto line = std::exchange(line_, {});
  std::string_view value = line;
  const bool is_data = value == "data" || value.starts_with("data:");
  if (!is_data) return true;
  value.remove_prefix(std::min<std::size_t>(5, value.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (data_.size() + value.size() >= most_bytes_) return false;
  if (has_data_) data_.push_back('\n');
  data_.append(value);
  has_data_ = true;
  return true;
}

bool sse_data::finish() {
  return (line_.empty() || end_line()) && end_line();
}

std::optional<std::string> sse_data::next() {
  if (ready_.empty()) return std::nullopt;
  auto first = std::move(ready_.front());
  ready_.pop_front();
  return first;
}

}  // namespace reeve::codec
