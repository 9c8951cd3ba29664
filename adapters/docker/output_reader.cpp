#include "adapters/docker/output_reader.hpp"

namespace reeve::adapters {
namespace {

constexpr std::size_t part_bytes = 16'384;
// {"log":"\n","stream":"stdout","time":"2026-11-21T04:20:00.123456789Z"} and a newline.
constexpr std::size_t around_part = 78;

}  // namespace

outcome<done> check_end(const log_demultiplexer& frames) {
  if (frames.broken()) return reject(errc::internal, broken_log);
  if (frames.has_problem()) {
    return reject(errc::internal, unreadable_log);
  }
  return done{};
}

std::size_t bytes_in_file(const log_line& line) {
  auto bytes = line.text.size() + around_part * (1 + line.text.size() / part_bytes);
  for (const char c : line.text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      bytes += 1;
    } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
      bytes += 5;  // \u003c
    } else if (byte == 0xe2 || byte == 0xef) {
      bytes += 3;  // perhaps a line separator, or in place of what was no UTF-8
    }
  }
  return bytes;
}

void output_reader::restart() {
  frames_ = log_demultiplexer{false, all_lines};
  ends_ = output_ends{bytes_each_};
  in_file_ = 0;
}

bool output_reader::take(std::string_view bytes) {
  const bool more = frames_.feed(bytes);
  pass_on(frames_.take());
  return more;
}

outcome<kept_output> output_reader::finish() {
  pass_on(frames_.finish());
  if (auto whole = check_end(frames_); !whole) return whole.error();
  auto kept = ends_.finish();
  kept.lacks_beginning = in_file_ >= engine_bytes_ - engine_bytes_ / 8;
  return kept;
}

void output_reader::pass_on(const std::vector<log_line>& lines) {
  for (const auto& line : lines) {
    in_file_ += bytes_in_file(line);
    ends_.add(line);
  }
}

}  // namespace reeve::adapters
