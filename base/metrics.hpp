#pragma once
// Metrics in memory, given out in the Prometheus text format.
//
// A handle is a pointer: cheap to copy, to be made once and kept, and valid as long as its
// registry. Counting is one atomic operation (a histogram takes a short lock). Asking again for
// the same name and labels gives the same metric. What cannot be registered (a bad name, another
// kind under the same name, more than `max_series`) still gives a working handle; it counts but is
// not shown, and `reeve_metrics_refused_total` says that there was one.

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace reeve {

using metric_labels = std::map<std::string, std::string>;

/// Series in one registry. Labels of outside origin must not make it grow without end.
inline constexpr std::size_t max_series = 5000;

class metric_counter {
 public:
  /// Negative amounts are ignored.
  void add(double amount = 1) const;
  double value() const;

 private:
  friend class metrics_registry;
  explicit metric_counter(void* held) : held_(held) {}
  void* held_;
};

class metric_gauge {
 public:
  void set(double value) const;
  void add(double amount) const;
  double value() const;

 private:
  friend class metrics_registry;
  explicit metric_gauge(void* held) : held_(held) {}
  void* held_;
};

class metric_histogram {
 public:
  void observe(double value) const;

 private:
  friend class metrics_registry;
  explicit metric_histogram(void* held) : held_(held) {}
  void* held_;
};

class metrics_registry {
 public:
  metrics_registry();
  ~metrics_registry();
  metrics_registry(const metrics_registry&) = delete;
  metrics_registry& operator=(const metrics_registry&) = delete;

  metric_counter counter(const std::string& name, const std::string& help,
                         const metric_labels& labels = {});
  metric_gauge gauge(const std::string& name, const std::string& help,
                     const metric_labels& labels = {});
  /// `bounds` are the buckets' upper ends, ascending, without +Inf; the first call for a name and
  /// labels decides.
  metric_histogram histogram(const std::string& name, const std::string& help,
                             std::vector<double> bounds, const metric_labels& labels = {});

  /// Text format 0.0.4.
  std::string text() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Those of the process.
metrics_registry& process_metrics();
std::string metrics_text();

/// Seconds, from 100 µs to 10 s.
const std::vector<double>& latency_bounds();

}  // namespace reeve
