#pragma once
// Keep-alive clients over epoll, one request at a time each. Made to cost little beside the server
// on the same machine: answers are only framed (status, Content-Length), not understood.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace reeve::bench {

struct http_answer {
  int status = 0;
  std::string head;  // with the empty line
  std::string body;
};

/// One request on a connection of its own; gives up (ends the process) if the server does not
/// answer.
http_answer ask(std::uint16_t port, const std::string& request);

struct load_result {
  std::int64_t answered = 0;
  std::int64_t bytes = 0;
  double seconds = 0;
};

/// `connections` closed loops for `seconds`; `next` gives the bytes of each request. Every answer
/// must be 200.
load_result load(std::uint16_t port, int connections, double seconds,
                 const std::function<const std::string&()>& next);

}  // namespace reeve::bench
