#include "adapters/docker/log_frames.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace reeve::adapters {
namespace {

// The engine never sends longer payloads than 16384 and a time stamp; what claims to be longer
// than this is not the log protocol.
constexpr std::size_t max_frame_bytes = 1 << 20;
// "Systemerr" of the engine's protocol: its own words, of which these many bytes are kept.
constexpr unsigned char error_stream = 3;
constexpr std::string_view raw_error = "Error grabbing logs: ";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// parse_time knows microseconds; the digits seven to nine of the fraction are read here.
std::int64_t nanos_beyond_micros(std::string_view stamp) {
  auto dot = stamp.find('.');
  if (dot == std::string_view::npos) return 0;
  std::int64_t nanos = 0;
  bool digits = true;
  for (std::size_t i = dot + 1; i <= dot + 9; ++i) {
    digits = digits && i < stamp.size() && is_digit(stamp[i]);
    if (i > dot + 6) nanos = nanos * 10 + (digits ? stamp[i] - '0' : 0);
  }
  return nanos;
}

}  // namespace

std::optional<stamped_text> take_stamp(std::string_view text) {
  auto space = text.substr(0, 40).find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  auto at = parse_time(text.substr(0, space));
  if (!at) return std::nullopt;
  // Nanoseconds in 64 bits end in the year 2262; no engine's clock is right beyond.
  constexpr std::int64_t last_us = 9'223'372'036'854'774;
  if (*at < 0 || *at > last_us) return std::nullopt;
  return stamped_text{*at * 1000 + nanos_beyond_micros(text.substr(0, space)),
                      text.substr(space + 1)};
}

bool log_demultiplexer::feed(std::string_view bytes) {
  if (tty_) add_raw(bytes);
  while (!tty_ && !bytes.empty() && !broken_ && !truncated_) {
    if (header_size_ < header_.size()) {
      header_[header_size_++] = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      if (header_size_ == header_.size() && !start_frame()) break;
    } else {
      auto part = bytes.substr(0, missing_);
      frame_.append(part);
      missing_ -= part.size();
      bytes.remove_prefix(part.size());
    }
    if (header_size_ == header_.size() && missing_ == 0) end_frame();
  }
  return !broken_ && !truncated_;
}

bool log_demultiplexer::start_frame() {
  bool padded = header_[1] == 0 && header_[2] == 0 && header_[3] == 0;
  missing_ = 0;
  for (std::size_t i = 4; i < 8; ++i) missing_ = missing_ << 8 | header_[i];
  // Stream 0 is "stdin" in the protocol; it is written to standard output.
  broken_ = !padded || header_[0] > error_stream || missing_ > max_frame_bytes;
  return !broken_;
}

void log_demultiplexer::end_frame() {
  auto stream = header_[0] == 2 ? log_stream::err : log_stream::out;
  auto stamped = take_stamp(frame_);
  auto text = stamped ? stamped->rest : std::string_view{frame_};
  if (header_[0] == error_stream) {
    has_problem_ = true;
  } else {
    add_text(stream, text, stamped ? stamped->at_ns : 0);
  }
  frame_.clear();
  header_size_ = 0;
}

void log_demultiplexer::add_raw(std::string_view bytes) {
  auto& line = pending_[1];
  while (!bytes.empty() && !truncated_) {
    auto end = bytes.find('\n');
    auto part = bytes.substr(0, end);
    bool whole = end != std::string_view::npos;
    auto room = limits_.max_line_bytes + 64;  // 64: the stamp, which is taken off at the end
    line.text.append(part.substr(0, room - std::min(room, line.text.size())));
    line.open = true;
    bytes.remove_prefix(std::min(bytes.size(), part.size() + (whole ? 1 : 0)));
    if (whole) emit(log_stream::out, true);
  }
}

void log_demultiplexer::add_text(log_stream stream, std::string_view text, std::int64_t at_ns) {
  auto& line = pending_[static_cast<std::size_t>(stream)];
  while (!text.empty() && !truncated_) {
    line.open = true;
    line.at_ns = at_ns;
    auto end = text.find('\n');
    auto part = text.substr(0, end);
    auto room = limits_.max_line_bytes - line.text.size();
    if (part.size() > room) {
      line.text.append(part.substr(0, room));
      text.remove_prefix(room);
      emit(stream, false);
      continue;
    }
    line.text.append(part);
    text.remove_prefix(part.size());
    if (!text.empty()) {
      text.remove_prefix(1);
      emit(stream, true);
    }
  }
  if (limits_.in_parts && line.open && !truncated_) emit(stream, false);
}

void log_demultiplexer::emit(log_stream stream, bool is_ended) {
  auto& line = pending_[static_cast<std::size_t>(stream)];
  log_line whole{stream, line.at_ns, std::move(line.text), is_ended};
  line = {};
  if (tty_) {
    if (!whole.text.empty() && whole.text.back() == '\r') whole.text.pop_back();
    if (auto stamped = take_stamp(whole.text)) {
      whole.at_ns = stamped->at_ns;
      whole.text = std::string{stamped->rest};
    } else if (whole.text.starts_with(raw_error)) {
      has_problem_ = true;  // all that a container says has a time before it
      return;
    }
  }
  // One byte more for the newline, so that empty lines are not free.
  if (whole.text.size() >= limits_.max_bytes - taken_) {
    truncated_ = true;
    return;
  }
  taken_ += whole.text.size() + 1;
  lines_.push_back(std::move(whole));
}

std::vector<log_line> log_demultiplexer::finish() {
  broken_ = broken_ || header_size_ != 0;
  for (auto stream : {log_stream::out, log_stream::err}) {
    if (pending_[static_cast<std::size_t>(stream)].open && !truncated_) emit(stream, false);
  }
  return std::move(lines_);
}

}  // namespace reeve::adapters
