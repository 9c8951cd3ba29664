#pragma once
// HTTP/1.1 over the engine's unix socket, on a thread of its own. One connection an exchange: over
// a unix socket a new one costs about 50 µs, and there is never doubt whether a request that met a
// closing keep-alive connection was seen. Beast stays inside docker_http.cpp.

#include "base/call_stopper.hpp"
#include "base/leadership.hpp"
#include "base/outcome.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::adapters {

/// Takes a body piece by piece, on the thread of the exchange.
class body_sink {
 public:
  virtual ~body_sink() = default;
  /// Before the first piece of each try.
  virtual void restart() = 0;
  /// False: nothing more is wanted, and the rest is not read.
  virtual bool take(std::string_view bytes) = 0;
  /// While it is true, no more is read; it is asked again after some milliseconds.
  virtual bool is_full() const { return false; }
};

/// Bytes a second of a body whose silence matters. At less the output of a job could not be read in
/// its ten minutes anyway, and what it is given room for would be held all the while.
inline constexpr std::int64_t least_body_rate = 1024;

struct http_call {
  std::string method;  ///< the answer to HEAD has no body, whatever it says of its length
  std::string target;  ///< path and query, already encoded
  std::string body = {};
  std::shared_ptr<const std::string> shared_body = {};  ///< if not null, in place of `body`
  std::string body_path = {};  ///< if not empty, this file is the body and is streamed
  std::string content_type = {};
  /// For the whole exchange; with `body_path` renewed by each chunk. 0: for ever.
  std::int64_t deadline_ms = 5'000;
  /// So long it is not sent.
  std::int64_t pause_ms = 0;
  /// If not 0, so long without a byte of the answer ends it as well, and it is not tried again.
  /// Fewer bytes of a body than `least_body_rate` for all of that time are none.
  std::int64_t silence_ms = 0;
  /// Tried up to three times within its deadline, if the connection failed.
  bool idempotent = false;
  std::size_t max_body = 1 << 20;
  /// A longer body is cut (`truncated`); otherwise it is an `internal` error.
  bool cut_at_limit = false;
  /// If not null it gets the body of a 200, in place of the answer.
  std::shared_ptr<body_sink> sink = {};
  /// If not null, the call is `timed_out` soon after it was stopped.
  std::shared_ptr<call_stopper> stopper = {};
  /// Of a call that changes something: under which leadership. It is sent only if the owner's
  /// `allows` says yes at that moment.
  std::optional<fencing_token> by = {};
};

struct http_answer {
  int status = 0;
  std::string body;
  bool truncated = false;
  std::string path_stat = {};  ///< the field X-Docker-Container-Path-Stat
};

class docker_http {
 public:
  using callback = std::function<void(outcome<http_answer>)>;

  /// At most `max_open` exchanges at once; further ones are refused with `overloaded`.
  /// `allows` is asked on the thread of this object.
  docker_http(std::string socket_path, int max_open, std::function<bool(fencing_token)> allows);
  /// Stops the thread and destroys the callbacks that were not called.
  ~docker_http();
  docker_http(const docker_http&) = delete;
  docker_http& operator=(const docker_http&) = delete;

  /// Calls back once, on the thread of this object: any whole answer whatever its status, or
  /// `engine_unavailable` (nothing was sent), `fenced` (it may not change anything now, nothing
  /// was sent), `timed_out` (sent, no whole answer), `internal` (the answer is not HTTP or
  /// too long), `invalid` (body_path cannot be read).
  void send(http_call call, callback answer);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Percent-encodes everything but unreserved characters (RFC 3986), for path parts and queries.
std::string url_encode(std::string_view text);

}  // namespace reeve::adapters
