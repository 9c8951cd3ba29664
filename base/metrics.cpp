#include "base/metrics.hpp"

#include <algorithm>
#include <deque>
#include <exception>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <set>
#include <utility>

namespace reeve {

struct metrics_registry::state {
  /// Gives a metric of the registry, or one that is kept aside.
  template <class Metric, class... Arguments>
  Metric* make(std::deque<Metric>& aside, const std::string& name, const std::string& help,
               const metric_labels& labels, const Arguments&... arguments) {
    const std::lock_guard lock(mutex);
    try {
      const auto key = std::pair(name, labels);
      if (series.contains(key) || series.size() < max_series) {
        auto& family =
            prometheus::detail::Builder<Metric>().Name(name).Help(help).Register(registry);
        Metric& made = family.Add(labels, arguments...);
        series.insert(key);
        return &made;
      }
    } catch (const std::exception&) {
      // A bad name or label, or another kind under this name.
    }
    refused->Increment();
    // One spare for all that are refused: their values are never shown.
    if (aside.empty()) aside.emplace_back(arguments...);
    return &aside.front();
  }

  prometheus::Registry registry;
  std::mutex mutex;
  std::set<std::pair<std::string, metric_labels>> series;
  std::deque<prometheus::Counter> spare_counters;
  std::deque<prometheus::Gauge> spare_gauges;
  std::deque<prometheus::Histogram> spare_histograms;
  prometheus::Counter* refused =
      &prometheus::BuildCounter()
           .Name("reeve_metrics_refused_total")
           .Help("Metrics that were asked for and could not be registered.")
           .Register(registry)
           .Add({});
};

void metric_counter::add(double amount) const {
  if (amount > 0) static_cast<prometheus::Counter*>(held_)->Increment(amount);
}
double metric_counter::value() const {
  return static_cast<prometheus::Counter*>(held_)->Value();
}

void metric_gauge::set(double value) const {
  static_cast<prometheus::Gauge*>(held_)->Set(value);
}
void metric_gauge::add(double amount) const {
  static_cast<prometheus::Gauge*>(held_)->Increment(amount);
}
double metric_gauge::value() const {
  return static_cast<prometheus::Gauge*>(held_)->Value();
}

void metric_histogram::observe(double value) const {
  static_cast<prometheus::Histogram*>(held_)->Observe(value);
}

metrics_registry::metrics_registry() : state_(std::make_unique<state>()) {}
metrics_registry::~metrics_registry() = default;

metric_counter metrics_registry::counter(const std::string& name, const std::string& help,
                                         const metric_labels& labels) {
  return metric_counter(state_->make(state_->spare_counters, name, help, labels));
}

metric_gauge metrics_registry::gauge(const std::string& name, const std::string& help,
                                     const metric_labels& labels) {
  return metric_gauge(state_->make(state_->spare_gauges, name, help, labels));
}

metric_histogram metrics_registry::histogram(const std::string& name, const std::string& help,
                                             std::vector<double> bounds,
                                             const metric_labels& labels) {
  // prometheus-cpp only asserts this, which is no check at all in a release build.
  std::sort(bounds.begin(), bounds.end());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  return metric_histogram(state_->make(state_->spare_histograms, name, help, labels, bounds));
}

std::string metrics_registry::text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

metrics_registry& process_metrics() {
  // Never destroyed, because threads may count until the very end.
  static auto* const registry = new metrics_registry;
  return *registry;
}

std::string metrics_text() {
  return process_metrics().text();
}

const std::vector<double>& latency_bounds() {
  static const std::vector<double> bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                          0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                          1,      2.5,     5,      10};
  return bounds;
}

}  // namespace reeve
