#include "tests/support/http.hpp"

namespace support {

using steady = std::chrono::steady_clock;

sse_reader::sse_reader(const endpoint& to, http_request request) : connection_(to) {
  request.headers.emplace_back("Accept", "text/event-stream");
  connection_.send(render(request), request.deadline);
  head_ = connection_.receive_head(request.deadline);
  chunked_ = same_name(head_.header("Transfer-Encoding"), "chunked");
  if (head_.status != 200) ended_ = true;
}

bool sse_reader::read_more(steady::time_point end) {
  if (!chunked_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady::now());
    const std::string bytes = connection_.read_some(left);
    text_ += bytes;
    return !bytes.empty();
  }
  // A deadline may pass between the two reads: the size is kept for the next call.
  if (!chunk_) chunk_ = std::stoul(connection_.read_line(end), nullptr, 16);
  const std::string bytes = connection_.read_exactly(*chunk_ + 2, end);
  const bool more = *chunk_ != 0;
  text_.append(bytes, 0, *chunk_);
  chunk_.reset();
  return more;
}

/// An event ends with an empty line; a line that begins with a colon is a comment.
std::optional<sse_event> sse_reader::take_event() {
  for (;;) {
    const auto blank = text_.find("\n\n");
    if (blank == std::string::npos) return std::nullopt;
    const std::string block = text_.substr(0, blank + 1);
    text_.erase(0, blank + 2);
    sse_event event;
    bool has_data = false;
    for (std::size_t from = 0; from < block.size();) {
      const auto end = block.find('\n', from);
      const std::string line = block.substr(from, end - from);
      from = end + 1;
      const auto colon = line.find(':');
      std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
      if (value.starts_with(' ')) value.erase(0, 1);
      const std::string name = line.substr(0, colon);
      if (colon == 0) ++comments_;
      if (name == "id") event.id = value;
      if (name == "event") event.name = value;
      if (name != "data") continue;
      event.data += (has_data ? "\n" : "") + value;
      has_data = true;
    }
    if (has_data) return event;
  }
}

std::optional<sse_event> sse_reader::next(std::chrono::milliseconds deadline) {
  const auto end = steady::now() + deadline;
  for (;;) {
    if (auto event = take_event()) return event;
    if (ended_) return std::nullopt;
    try {
      if (!read_more(end)) ended_ = true;
    } catch (const http_timeout&) {
      return std::nullopt;
    } catch (const http_closed&) {
      ended_ = true;
    }
  }
}

}  // namespace support
