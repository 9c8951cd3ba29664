#include "codec/sse_data.hpp"

#include <algorithm>
#include <utility>

namespace reeve::codec {
namespace {

/// Of a line that has data; nothing of others.
std::optional<std::string_view> data_of(std::string_view line) {
  constexpr std::string_view name = "data:";
  if (line != "data" && !line.starts_with(name)) return std::nullopt;
  line.remove_prefix(std::min(name.size(), line.size()));
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

}  // namespace

bool sse_data::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    line_.append(bytes.substr(0, end));
    if (line_.size() > most_bytes_) return false;
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
  const auto value = data_of(line);
  if (!value) return true;
  if (has_data_) data_.push_back('\n');
  data_.append(*value);
  if (data_.size() > most_bytes_) return false;
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

std::size_t sse_data::begun_bytes() const {
  return data_.size() + data_of(line_).value_or("").size();
}

}  // namespace reeve::codec
