#pragma once
// Asks an engine again and again whether it is there, and keeps what is known about it.

#include "adapters/engine_port.hpp"
#include "adapters/timer_thread.hpp"

#include <functional>
#include <mutex>
#include <string>

namespace reeve::adapters {

struct probe_result {
  bool known = false;  ///< false until the first probe ended
  bool available = false;
  engine_version version;  ///< the last one seen
  std::string detail;      ///< why it is not available
};

class engine_probe {
 public:
  /// `on_change` comes with the first result and with every change of `available`, on a thread
  /// of the engine. After `stop` the
  /// engine goes first, then the probe.
  engine_probe(container_engine& engine, std::int64_t up_ms, std::int64_t down_ms,
               std::function<void(const probe_result&)> on_change);

  /// A call failed: look at once, unless a probe is under way.
  void look_now();
  /// No further calls to the engine and no further changes; joins its thread.
  void stop();
  probe_result last() const;

 private:
  void schedule(std::int64_t after_ms);
  void probe();
  void pinged(outcome<done> answer);
  void versioned(outcome<engine_version> answer);
  void conclude(bool available, std::string detail);

  container_engine& engine_;
  std::int64_t up_ms_;
  std::int64_t down_ms_;
  std::function<void(const probe_result&)> on_change_;
  mutable std::mutex mutex_;
  probe_result last_;
  std::uint64_t turn_ = 0;  // the scheduled probe that counts; older ones are ignored
  bool under_way_ = false;
  bool stopped_ = false;
  int silent_ = 0;  // pings in a row without an answer
  timer_thread timer_{"engine-probe"};
};

}  // namespace reeve::adapters
