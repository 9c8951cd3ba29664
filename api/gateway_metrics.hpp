#pragma once
// What the gateway counts about itself. Labels are the patterns of routes, never paths: a path
// would make a series per id, and could carry what must not be in metrics.

#include "api/router.hpp"
#include "api/shares.hpp"
#include "base/metrics.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace reeve::api {

class gateway_metrics {
 public:
  /// Both outlive it. Series of a route appear when it is first answered.
  gateway_metrics(const router& table, metrics_registry& registry);
  ~gateway_metrics();
  gateway_metrics(const gateway_metrics&) = delete;
  gateway_metrics& operator=(const gateway_metrics&) = delete;

  /// reeve_http_requests_total{route,method,class} and reeve_http_request_seconds{route}. Nothing
  /// for requests of which no route was found: they count as route "none".
  void answered(std::optional<std::size_t> route_index, int status, double seconds);
  /// reeve_http_in_flight, reeve_http_connections, reeve_http_streams (downloads too) and
  /// reeve_http_buffered_bytes.
  struct levels {
    std::size_t in_flight = 0, connections = 0, streams = 0, buffered_bytes = 0;
  };
  void gauges(const levels& now);
  /// reeve_http_refused_total: connections and requests that the guard or a limit refused.
  void refused();
  /// reeve_http_shed_total{what,limit,caller}: refused with 429 or 503 because the limit of this
  /// token, this address or all is reached; `what` is one of a few words of ours, `caller` as
  /// `kind_of_caller` says.
  void shed(std::string_view what, share_verdict why, std::string_view caller);
  /// reeve_http_evicted_total{token}: waiting connections that had to go for others; "shown" if a
  /// valid token came on it before, else "none".
  void evicted(bool is_known);
  /// reeve_http_slow_total{part}: given up because the client was too slow; `part` is one of head,
  /// body and answer.
  void slow(std::string_view part);
  /// reeve_http_late_answers_total: answers that came after the 504.
  void late();
  /// reeve_uncaught_total{where}: exceptions that got out of a handler or the event loop.
  void uncaught_in_handler();
  void uncaught_in_loop();

 private:
  struct series;
  std::unique_ptr<series> series_;
};

}  // namespace reeve::api
