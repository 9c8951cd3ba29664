#pragma once
// The body of one request, through Beast's parser. Pure: bytes go in, a state comes out, so that
// it can be attacked without sockets. Trailers are parsed by Beast and thrown away with it.

#include "base/outcome.hpp"
#include "base/secret.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::api {

class body_reader {
 public:
  /// `head` has passed `check_head` and announces a body of at most `limit` bytes. What Beast
  /// refuses in the head all the same is given by the first `feed`.
  body_reader(std::string_view head, std::size_t limit, bool chunked);
  ~body_reader();

  struct progress {
    std::size_t consumed = 0;          // bytes of `bytes` that are done with
    bool finished = false;             // what follows them is the next request
    std::optional<rejection> refused;  // bad_request or too_large; close the connection
  };
  /// `bytes`: what came and was not consumed so far, at most 32 KiB. If nothing is consumed and
  /// the body is not finished, more bytes are needed.
  progress feed(std::string_view bytes);

  /// The body, when it is finished. Nothing else of it is left in memory.
  wiped_text take();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace reeve::api
