#pragma once
// Whether the reader's login may still read everything that is read, looked at beside the reads.
// Inside persistence/ only.

#include "base/time.hpp"
#include "persistence/read_pool.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

namespace reeve::persistence {

class reader_rights {
 public:
  explicit reader_rights(std::string url, clock_port& clock = real_clock())
      : url_(std::move(url)), clock_(clock) {}

  /// Looks on a thread of the pool; never waits, and one look at a time. A login that is refused is
  /// an answer too. A database that is away or answers nothing is none: the last answer stands.
  void look(read_pool& pool);
  /// As of the last answer: "SELECT ON reeve.commands, …".
  std::string missing() const;
  /// The SQLSTATE with which the login is refused, if that is no right's matter and has lasted for
  /// two looks in a row, 2 s apart: connections that were all taken for a moment are nothing.
  std::string refused() const;
  /// Before the pool ends, which answers the looks that wait.
  void stop() { stopping_ = true; }

 private:
  void conclude(const outcome<std::string>& found);
  void conclude_refusal(const std::string& sqlstate);
  /// Told once, each time that it changes: readiness names no table to anybody.
  void note(std::string missing, std::string refused = {});

  std::string url_;
  clock_port& clock_;
  std::optional<std::int64_t> refused_since_us_;  // monotonic; of the look, one at a time
  std::atomic<bool> looking_{false};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::string missing_, refused_;  // guarded by mutex_
};

}  // namespace reeve::persistence
