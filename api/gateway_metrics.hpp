#pragma once
// What the gateway counts about itself. Labels are the patterns of routes, never paths: a path
// would make a series per id, and could carry what must not be in metrics.

#include "api/router.hpp"
#include "base/metrics.hpp"

#include <cstddef>
#include <memory>
#include <optional>

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
  /// reeve_http_in_flight, reeve_http_connections and reeve_http_streams.
  void gauges(std::size_t in_flight, std::size_t connections, std::size_t streams);
  /// reeve_http_refused_total: connections and requests that the guard or a limit refused.
  void refused();
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
