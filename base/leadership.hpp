#pragma once
// Whether this server may act on the world outside now, and under which epoch. One object a
// process: the journal confirms and revokes it, everything that has an effect reads it.
//
// A confirmation holds for the lease, counted from before the statement that proved it was sent: a
// successor that takes the writer's lock and then waits lease + margin finds nobody else at work.
// An effect carries the token that it was decided under and asks `allows` again right before it is
// sent.

#include "base/time.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

namespace reeve {

/// The epoch of a leadership: rises with every election in the log.
struct fencing_token {
  std::int64_t epoch = 0;
  bool operator==(const fencing_token&) const = default;
};

class leadership {
 public:
  static constexpr std::int64_t lease_us = 3 * us_per_second;
  /// What a successor waits beyond the lease: between the last look at it and the system call.
  static constexpr std::int64_t margin_us = us_per_second / 2;

  explicit leadership(clock_port& clock) : clock_(clock) {}

  /// A statement that was sent at `asked_us` (monotonic, taken before sending) proved that the
  /// server leads under `epoch`. What was revoked never comes back under the same epoch.
  void confirm(std::int64_t epoch, std::int64_t asked_us);
  /// The session is lost, another server leads, or this one stops.
  void revoke();
  /// The same for this epoch and those before: a later leadership of this server goes on.
  void revoke(std::int64_t epoch);
  /// No effects before that moment (monotonic): another server's lease may still run.
  void hold_until(std::int64_t mono_us);

  // Any thread, without a lock.
  /// What an effect that is decided now has to carry; nothing: no effects now.
  std::optional<fencing_token> token() const;
  /// Whether an effect that was decided under that token may still be sent.
  bool allows(fencing_token token) const;
  /// Whether the lease runs: the log is ours, though effects may still be held back.
  bool holds() const;
  /// Whether the last confirmation was asked for at most so long ago.
  bool heard_within(std::int64_t us) const;

 private:
  struct view {
    std::int64_t epoch = 0;
    std::int64_t asked_us = 0;
    bool runs = false;
  };
  view look() const;

  clock_port& clock_;
  std::mutex mutex_;  // of those who write
  std::int64_t revoked_epoch_ = 0;
  // The epoch changes only while nothing is asked for, so that readers never see a mixture.
  std::atomic<std::int64_t> epoch_{0};
  std::atomic<std::int64_t> asked_us_{never};
  std::atomic<std::int64_t> held_until_us_{never};

  static constexpr std::int64_t never = INT64_MIN / 2;
};

}  // namespace reeve
