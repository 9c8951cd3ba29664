#pragma once
// A small HTTP/1.1 client over sockets, written against RFC 9112 and independent of the server's
// code, so that the two do not share a misunderstanding. Every wait has a deadline; what goes
// wrong on the wire throws http_error.

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// A TCP port on the loopback address, or a unix socket when `path` is not empty.
struct endpoint {
  int port = 0;
  std::string path{};
  /// "http://127.0.0.1:PORT".
  static endpoint from_url(std::string_view url);
  bool operator==(const endpoint&) const = default;
};

struct http_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The deadline passed.
struct http_timeout : http_error {
  using http_error::http_error;
};
/// The peer closed (or reset) before the answer was whole.
struct http_closed : http_error {
  using http_error::http_error;
};

using header_list = std::vector<std::pair<std::string, std::string>>;

struct http_request {
  std::string method = "GET";
  std::string target = "/";
  header_list headers{};
  std::optional<std::string> body{};
  std::chrono::milliseconds deadline{10'000};
};

struct http_response {
  int status = 0;
  std::string version;  // "HTTP/1.1"
  std::string reason;
  header_list headers;  // in the order in which they came, names as they came
  std::string body;

  /// The first field of that name (in any case), or an empty text.
  std::string header(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  /// The body as JSON; throws with status and body when it is none.
  nlohmann::json json() const;
};

/// One connection. Requests may follow each other on it.
class http_connection {
 public:
  explicit http_connection(const endpoint& to, std::chrono::milliseconds deadline = default_wait);
  ~http_connection();
  http_connection(http_connection&& other) noexcept;
  http_connection& operator=(http_connection&& other) noexcept;

  /// Sends bytes as they are: for requests that no client should ever make.
  void send(std::string_view bytes, std::chrono::milliseconds deadline = default_wait);
  /// Reads one answer. `to_head`: it has no body, whatever its fields say.
  http_response receive(bool to_head = false, std::chrono::milliseconds deadline = default_wait);
  /// Only the head of an answer; its body is then read with read_some().
  http_response receive_head(std::chrono::milliseconds deadline = default_wait);
  http_response call(const http_request& request);

  /// What is there or comes next; empty when the peer has closed.
  std::string read_some(std::chrono::milliseconds deadline = default_wait);
  /// Everything until the peer closes.
  std::string read_to_end(std::chrono::milliseconds deadline = default_wait);
  /// The next line without its end; a part of a chunked body counts as it came.
  std::string read_line(std::chrono::steady_clock::time_point end);
  std::string read_exactly(std::size_t count, std::chrono::steady_clock::time_point end);
  /// True when the peer closes within the deadline; bytes that come before are dropped.
  bool closed_by_peer(std::chrono::milliseconds deadline = default_wait);
  void close_sending();
  /// The next close sends a reset instead of an orderly end.
  void reset_on_close();
  int descriptor() const { return fd_; }

  static constexpr std::chrono::milliseconds default_wait{10'000};

 private:
  bool fill(std::chrono::steady_clock::time_point end);
  std::string read_chunked(std::chrono::steady_clock::time_point end);

  int fd_ = -1;
  std::string buffer_;
};

/// The bytes of a request, with Host and Content-Length when they are not given.
std::string render(const http_request& request);
/// A request on a connection of its own.
http_response http_call(const endpoint& to, const http_request& request);
/// Names of header fields are compared without regard to case.
bool same_name(std::string_view a, std::string_view b);

struct sse_event {
  std::string id;
  std::string name = "message";
  std::string data;
  bool operator==(const sse_event&) const = default;
};

/// A stream of server-sent events.
class sse_reader {
 public:
  /// Connects and reads the head of the answer; see response() for a refusal.
  sse_reader(const endpoint& to, http_request request);
  const http_response& response() const { return head_; }
  /// The next event; nothing when none comes before the deadline or the stream has ended. Comments
  /// are counted, not returned.
  std::optional<sse_event> next(std::chrono::milliseconds deadline);
  int comments() const { return comments_; }
  bool ended() const { return ended_; }

 private:
  bool read_more(std::chrono::steady_clock::time_point end);
  std::optional<sse_event> take_event();

  http_connection connection_;
  http_response head_;
  std::string text_;
  bool chunked_ = false;
  std::optional<std::size_t> chunk_;  // the size of the chunk whose bytes are awaited
  bool ended_ = false;
  int comments_ = 0;
};

}  // namespace support
