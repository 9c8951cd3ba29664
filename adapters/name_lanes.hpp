#pragma once
// Looks up where names are, without anybody's wait for another's name: a resolver may take 20 s for
// one of them. A name is looked up once at a time, for all who wait for it, on one of few threads;
// each who waits has his own deadline, and is refused when it passes.

#include "adapters/pinned_address.hpp"
#include "adapters/timer_thread.hpp"
#include "base/slot.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace reeve::adapters {

struct name_lane_limits {
  std::size_t lanes = 8;               // threads, 1..64: so many names are looked up at a time
  std::size_t waiting = 512;           // of all names together; who comes then is refused
  std::chrono::milliseconds end{500};  // how long `stop` waits for look-ups that hang
};

class name_lanes {
 public:
  using steady = timer_thread::steady;
  /// May block for as long as it likes. It may go on after `stop`, so it uses nothing that ends.
  using look_fn = std::function<outcome<pinned_address>(const std::string& host)>;

  /// What `pin_address` says of a host.
  name_lanes();
  explicit name_lanes(look_fn look, name_lane_limits limits = {});
  ~name_lanes();
  name_lanes(const name_lanes&) = delete;
  name_lanes& operator=(const name_lanes&) = delete;

  /// Any thread; answered on the thread `llm-names`, which waits for no name. What is an address
  /// already takes no lane. Errors as of `pin_address`; `unavailable` too: not known by `by`, too
  /// many wait, or it was stopped.
  void find(std::string host, std::uint16_t port, steady::time_point by,
            reply_slot<pinned_address> slot);

  /// Refuses whoever waits, at once, and whoever comes with a name; an address is answered still,
  /// on the thread that asks. A look-up that hangs is waited for `limits.end`, and then left alone:
  /// its thread has only what it shares with this object (which lives as long as either), drops
  /// what it finds, and ends by itself or with the process.
  void stop();
  bool is_stopped() const;

 private:
  struct waiter {
    std::string host;
    std::uint16_t port = 0;
    steady::time_point by;
    reply_slot<pinned_address> slot;
    std::uint64_t id = 0;
  };
  struct lanes;

  void take_up();
  void add(waiter one);
  void expire(const std::string& host, std::uint64_t id);
  void found(const std::string& host, const outcome<pinned_address>& what);

  name_lane_limits limits_;
  std::shared_ptr<lanes> lanes_;
  std::mutex stop_mutex_;
  bool was_stopped_ = false;  // guarded by stop_mutex_
  // Of the thread `llm-names`, and of `stop` once that is gone. A name stands here for as long as
  // it is looked up, though nobody may wait for it any more.
  std::map<std::string, std::vector<waiter>> names_;
  std::size_t waiting_ = 0;
  std::uint64_t last_id_ = 0;
  timer_thread times_{"llm-names"};  // last: its jobs use what is above
};

}  // namespace reeve::adapters
