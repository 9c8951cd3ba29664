#pragma once
// Whether the reader's login may still read everything that is read, looked at beside the reads.
// Inside persistence/ only.

#include "persistence/read_pool.hpp"

#include <atomic>
#include <mutex>
#include <string>

namespace reeve::persistence {

class reader_rights {
 public:
  explicit reader_rights(std::string url) : url_(std::move(url)) {}

  /// Looks on a thread of the pool; never waits, and one look at a time. A login that is refused is
  /// an answer too. A database that is away or answers nothing is none: the last answer stands.
  void look(read_pool& pool);
  /// As of the last answer: "SELECT ON reeve.commands, …".
  std::string missing() const;
  /// Before the pool ends, which answers the looks that wait.
  void stop() { stopping_ = true; }

 private:
  void conclude(const outcome<std::string>& found);
  /// Told once, each time that it changes: readiness names no table to anybody.
  void note(std::string missing);

  std::string url_;
  std::atomic<bool> looking_{false};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::string missing_;  // guarded by mutex_
};

}  // namespace reeve::persistence
