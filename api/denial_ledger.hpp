#pragma once
// Denied requests as events: the first of its kind at once, the following ones counted per
// principal, rule and minute. Whoever has no token is told apart by the network that he comes from:
// /24, or /48 of an IPv6 address.
//
// A flood cannot fill the log: at most 64 networks and 256 tokens with their rules have a place at
// a time, all others of a minute share one. A place gives one event when it is made and one a
// minute while denials go on, so that the log grows by a few events a second at the very worst.
// Neither tokens nor paths nor whole addresses get in here.

#include "api/dispatch.hpp"
#include "base/time.hpp"
#include "domain/system_events.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::api {

/// "192.0.2.0/24" or "2001:db8::/48"; "unknown" for what is no address.
std::string network_of(std::string_view address);

class denial_ledger {
 public:
  static constexpr std::size_t most_networks = 64;
  static constexpr std::size_t most_tokens = 256;
  static constexpr std::int64_t minute_us = 60 * us_per_second;

  /// Whose event it is: a token's tenant, else the system tenant. Must only hand over.
  using sink = std::function<void(const uuid& tenant, domain::access_denied)>;
  /// The clock outlives the ledger.
  explicit denial_ledger(sink to, clock_port& clock = real_clock())
      : to_(std::move(to)), clock_(clock) {}

  // Any thread.
  void note(const denial& what);
  /// About once a second: tells the counts of minutes that are over.
  void settle() { settle(false); }
  /// At a stop: tells all counts.
  void close() { settle(true); }

 private:
  struct place {
    uuid tenant;
    bool anonymous = false;
    domain::access_denied event;  // with the count since `since_us`
    std::int64_t since_us = 0;    // monotonic
  };

  void settle(bool all);
  /// The place of a denial, made if it is not there; whether it is new.
  std::pair<place&, bool> place_of(const denial& what);

  sink to_;
  clock_port& clock_;
  std::mutex mutex_;
  std::map<std::string, place> places_;  // by principal and rule
  std::size_t networks_ = 0;
  std::size_t tokens_ = 0;
};

}  // namespace reeve::api
