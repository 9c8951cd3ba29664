#pragma once
// Keep-alive clients over epoll, one request at a time each. Made to cost little beside the server
// on the same machine: answers are only framed (status, Content-Length), not understood.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::bench {

struct http_answer {
  int status = 0;
  std::string head;  // with the empty line
  std::string body;
};

/// To 127.0.0.1, without Nagle's algorithm. These give up if the server is not there.
int connect_to(std::uint16_t port);
void send_all(int fd, std::string_view bytes);

/// A connection with one request at a time.
class http_client {
 public:
  explicit http_client(std::uint16_t port) : fd_(connect_to(port)) {}
  ~http_client();
  http_client(http_client&& other) noexcept;
  http_client& operator=(http_client&&) = delete;

  int fd() const { return fd_; }
  void send(std::string_view request) const { send_all(fd_, request); }
  /// Reads what is there, or waits for bytes; the answer once it is complete.
  std::optional<http_answer> receive();

 private:
  int fd_;
  std::string in_;
};

/// One request on a connection of its own; gives up (ends the process) if the server does not
/// answer.
http_answer ask(std::uint16_t port, const std::string& request);

struct load_result {
  std::int64_t answered = 0;
  double seconds = 0;
};

/// `connections` closed loops for `seconds`; `next` gives the bytes of each request. Every answer
/// must be 200.
load_result load(std::uint16_t port, int connections, double seconds,
                 const std::function<const std::string&()>& next);

}  // namespace reeve::bench
