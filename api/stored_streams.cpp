#include "api/stored_streams.hpp"

#include <algorithm>
#include <utility>

namespace reeve::api {
namespace {

constexpr std::int64_t marks_bytes = 128 << 10;
constexpr std::int64_t marks_a_byte = domain::marks_a_byte;

}  // namespace

std::optional<stored_streams::piece> stored_streams::needs(std::int64_t line,
                                                           std::int64_t count) const {
  if (!streams_ || !streams_->marks) return std::nullopt;
  const auto& marks = *streams_->marks;
  const auto begin = (line - 1) / marks_a_byte;
  const auto end = std::min((line - 1 + count - 1) / marks_a_byte + 1, marks.bytes);
  const auto held = offset_ + static_cast<std::int64_t>(held_.size());
  if (begin >= end || (begin >= offset_ && end <= held)) return std::nullopt;
  return piece{marks.sha256, begin, std::min(marks_bytes, marks.bytes - begin)};
}

void stored_streams::add(const piece& of, std::string bytes) {
  // Shorter than it should be, it would be asked for for ever.
  if (static_cast<std::int64_t>(bytes.size()) != of.bytes) return give_up();
  held_ = std::move(bytes);
  offset_ = of.offset;
}

std::optional<domain::line_stream> stored_streams::of(std::int64_t line) const {
  if (!streams_) return std::nullopt;
  if (!streams_->marks) {
    return streams_->stdout_bytes > 0 ? domain::line_stream::out : domain::line_stream::err;
  }
  const auto number = line - 1 - offset_ * marks_a_byte;
  if (number < 0) return std::nullopt;
  return domain::mark_in(held_, static_cast<std::uint64_t>(number));
}

bool stored_streams::is_read_of(domain::line_stream stream, std::int64_t line) const {
  const auto is = of(line);
  return is == stream || is == domain::line_stream::reeve;
}

void stream_lines::add(std::string_view text) {
  held_.erase(0, at_);
  at_ = 0;
  held_ += text;
}

std::string stream_lines::take() {
  std::string taken;
  while (at_ < held_.size() && !needs()) {
    const auto newline = held_.find('\n', at_);
    const auto end = newline == held_.npos ? held_.size() : newline + 1;
    if (streams_.is_read_of(wanted_, line_)) taken.append(held_, at_, end - at_);
    if (newline != held_.npos) ++line_;
    at_ = end;
  }
  return taken;
}

std::optional<stored_streams::piece> stream_lines::needs() const {
  return at_ < held_.size() ? streams_.needs(line_) : std::nullopt;
}

}  // namespace reeve::api
