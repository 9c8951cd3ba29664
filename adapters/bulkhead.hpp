#pragma once
// The door before one class of calls to the engine: a circuit breaker, a limit on how many are on
// their way at once, and a bounded queue for the others: one for each flow, which take turns, so
// that nobody's many calls hold up another one's few. Thread-safe.

#include "adapters/breaker.hpp"
#include "base/outcome.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace reeve::adapters {

struct bulkhead_limits {
  int at_once = 8;
  std::size_t queued = 256;  ///< of each flow
  int long_at_once = 900;
};

class bulkhead {
 public:
  using ticket = circuit_breaker::ticket;
  using clock = std::function<std::int64_t()>;  ///< monotonic microseconds

  /// What waits at the door. Exactly one of both is called, and `run` must lead to one `finish`.
  struct job {
    std::function<void(ticket)> run;
    std::function<void(rejection)> refuse;
    std::string flow = {};  ///< whose it is: a tenant's, or empty
  };

  /// `neither`: the call says nothing about the engine.
  enum class verdict { success, failure, neither };

  /// `on_change` is called without the lock, on the thread that caused the change.
  bulkhead(bulkhead_limits limits, std::uint64_t jitter_seed, clock now,
           circuit_breaker::listener on_change);

  /// Runs, queues or refuses: `overloaded` if too many wait, else `engine_unavailable`. Nothing was
  /// sent then.
  void enter(job what);
  void finish(ticket call, verdict result);

  /// For calls that may last for ever: they pass a closed breaker only and have a limit of their
  /// own; their failures count.
  outcome<ticket> admit_long();
  void finish_long(ticket call, verdict result);

  void trip();
  void reset();
  /// From now on everything is refused, also what is queued.
  void close();
  breaker_state state() const;

 private:
  struct change {
    breaker_state from;
    breaker_state to;
  };
  /// What is to be done once the lock is released.
  struct actions {
    std::vector<std::pair<job, ticket>> run;
    std::vector<job> refuse;
    std::vector<change> changes;
  };

  void record(ticket call, verdict result);
  void advance(actions& out);
  job next();
  void perform(actions& what);

  bulkhead_limits limits_;
  clock now_;
  circuit_breaker::listener on_change_;
  mutable std::mutex mutex_;
  std::vector<change> changes_;
  circuit_breaker breaker_;
  std::map<std::string, std::deque<job>> queues_;  // by flow; none is empty
  std::string last_flow_;                          // whose turn it was
  int under_way_ = 0;
  int long_under_way_ = 0;
  bool closed_ = false;
};

}  // namespace reeve::adapters
