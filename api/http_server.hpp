#pragma once
// The HTTP server: one I/O thread, a coroutine per connection, the guard in front of the parser.
// Everything is limited; what is over a limit is refused quickly and the rest goes on.
//
// Not here: which routes there are (router.hpp) and what is refused in which order (dispatch.hpp).

#include "api/dispatch.hpp"
#include "api/router.hpp"
#include "base/ids.hpp"
#include "base/metrics.hpp"
#include "base/outcome.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace reeve::api {

struct server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one

  /// One more connection takes the place of the one that waits longest for a request, of those
  /// without a valid token first; if nobody waits it gets 503 and is closed. Of a token and an
  /// address, here and below, no more than their shares of it (`limits.shares`); beyond them 429.
  std::size_t max_connections = 1024;
  /// Endless streams at one time; one more gets 503.
  std::size_t max_streams = 512;
  /// Downloads at one time, each with 256 KiB in memory; one more gets 503.
  std::size_t max_downloads = 128;
  /// Bytes of request bodies and of answers that are being sent, at one time; what would be more
  /// gets 503. Those of at most 16 KiB are not counted.
  std::size_t max_buffered_bytes = std::size_t{32} * 1024 * 1024;
  /// Then the connection is closed after its answer, so that balancers spread anew.
  std::size_t max_requests_per_connection = 100'000;

  /// From the first byte of a request (or from accept) to the end of its head: then 408.
  std::chrono::milliseconds head_timeout{10'000};
  /// Between requests: then the connection is closed.
  std::chrono::milliseconds idle_timeout{60'000};
  /// A body must arrive within body_grace plus its size / min_body_rate: then 408.
  std::chrono::milliseconds body_grace{10'000};
  std::size_t min_body_rate = std::size_t{8} * 1024;  // bytes a second
  /// A client that takes no byte of the answer for this long is gone, and so is one that takes less
  /// than min_answer_rate on the whole (pace_meter.hpp). What systems have in their buffers between
  /// the two comes in steps of up to 200 KiB: below 7 KiB a second a pause may look too long.
  std::chrono::milliseconds write_timeout{30'000};
  std::size_t min_answer_rate = std::size_t{4} * 1024;  // bytes a second
  /// A handler that has not answered: 504. Its late answer is dropped and counted.
  std::chrono::milliseconds handler_timeout{30'000};

  dispatch_limits limits;
};

class http_server {
 public:
  /// The table, the ids and the registry outlive the server.
  http_server(server_options options, const router& table, gateway_hooks hooks,
              id_source& ids = real_ids(), metrics_registry& registry = process_metrics());
  /// `run` must have returned. Slots that are answered later are ignored.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Binds; the port that was bound. Connections are accepted from `run` on.
  outcome<std::uint16_t> listen();
  /// Listens at this path too, for jobs (dispatch.hpp, listener): as local_socket::listen, whose
  /// errors it gives. Once, from any thread, before or after `run` has begun; the name goes with
  /// `begin_drain` or the server.
  outcome<done> listen_for_jobs(const std::string& path);
  /// Serves on the calling thread until `stop`, or until a drain has ended. An exception that gets
  /// out of the event loop is counted (`reeve_uncaught_total`, whose goal is zero) and survived.
  void run();

  // Any thread, from here on.

  /// Accepts no more, ends streams and idle connections, lets requests in flight finish, then
  /// lets `run` return. It has no deadline of its own: call `stop` when the grace is over.
  void begin_drain();
  /// The grace of a drain is over: whoever waits for an answer gets 503, and answers that are being
  /// sent go on until `stop`.
  void cut_short();
  /// Makes `run` return at once.
  void stop();
  /// Runs a function on the I/O thread; dropped if the server is gone.
  void post(std::function<void()> work);
  bool draining() const;
  std::size_t connections() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::api
