#include "api/gateway_metrics.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace reeve::api {
namespace {

constexpr std::array<const char*, 6> classes = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};

metric_counter uncaught(metrics_registry& registry, const char* where) {
  return registry.counter("reeve_uncaught_total",
                          "Exceptions that got out of a handler or an event loop; the goal is 0.",
                          {{"where", where}});
}

}  // namespace

struct gateway_metrics::series {
  struct of_route {
    std::string method, pattern;
    std::array<std::optional<metric_counter>, classes.size()> answers;
    std::optional<metric_histogram> seconds;
  };

  series(const router& table, metrics_registry& into)
      : registry(into),
        in_flight(into.gauge("reeve_http_in_flight", "Handlers that have not answered yet.")),
        connections(into.gauge("reeve_http_connections", "Open connections.")),
        streams(into.gauge("reeve_http_streams", "Answers that are streams, being sent.")),
        buffered(into.gauge("reeve_http_buffered_bytes",
                            "Bytes of request bodies and of answers that are being sent.")),
        refused(into.counter("reeve_http_refused_total",
                             "Heads that the guard refused and connections beyond the limit.")),
        late(into.counter("reeve_http_late_answers_total",
                          "Answers of handlers that came after their time was over.")),
        handler_threw(uncaught(into, "handler")),
        loop_threw(uncaught(into, "http_loop")) {
    for (const route& one : table.routes()) {
      routes.push_back({std::string(name_of(one.method)), one.pattern, {}, {}});
    }
    routes.push_back({"none", "none", {}, {}});
  }

  metrics_registry& registry;
  std::vector<of_route> routes;  // as in the table, and "none" at the end
  metric_gauge in_flight, connections, streams, buffered;
  metric_counter refused, late, handler_threw, loop_threw;
};

gateway_metrics::gateway_metrics(const router& table, metrics_registry& registry)
    : series_(std::make_unique<series>(table, registry)) {}
gateway_metrics::~gateway_metrics() = default;

void gateway_metrics::answered(std::optional<std::size_t> route_index, int status, double seconds) {
  auto& one = series_->routes[route_index.value_or(series_->routes.size() - 1)];
  const auto kind = static_cast<std::size_t>(std::clamp(status / 100, 0, 5));
  auto& counter = one.answers[kind];
  if (!counter) {
    counter = series_->registry.counter(
        "reeve_http_requests_total", "Answers by route, method and class of status.",
        {{"route", one.pattern}, {"method", one.method}, {"class", classes[kind]}});
  }
  counter->add();
  if (!one.seconds) {
    one.seconds = series_->registry.histogram(
        "reeve_http_request_seconds", "From the end of a head to the begin of its answer.",
        latency_bounds(), {{"route", one.pattern}, {"method", one.method}});
  }
  one.seconds->observe(seconds);
}

void gateway_metrics::gauges(const levels& now) {
  series_->in_flight.set(static_cast<double>(now.in_flight));
  series_->connections.set(static_cast<double>(now.connections));
  series_->streams.set(static_cast<double>(now.streams));
  series_->buffered.set(static_cast<double>(now.buffered_bytes));
}

void gateway_metrics::shed(std::string_view what, share_verdict why, std::string_view caller) {
  series_->registry
      .counter("reeve_http_shed_total", "Refused because callers hold as much as they may.",
               {{"what", std::string(what)},
                {"limit", std::string(name_of(why))},
                {"caller", std::string(caller)}})
      .add();
}

void gateway_metrics::evicted(bool is_known) {
  series_->registry
      .counter("reeve_http_evicted_total", "Waiting connections that had to go for others.",
               {{"token", is_known ? "shown" : "none"}})
      .add();
}

void gateway_metrics::slow(std::string_view part) {
  series_->registry
      .counter("reeve_http_slow_total", "Given up because the client was too slow.",
               {{"part", std::string(part)}})
      .add();
}

void gateway_metrics::refused() {
  series_->refused.add();
}
void gateway_metrics::late() {
  series_->late.add();
}
void gateway_metrics::uncaught_in_handler() {
  series_->handler_threw.add();
}
void gateway_metrics::uncaught_in_loop() {
  series_->loop_threw.add();
}

}  // namespace reeve::api
