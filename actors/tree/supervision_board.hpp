#pragma once
// What the supervision tree looks like now, kept by the supervisors and read by anybody without a
// hop to an actor. One row per part; added children have theirs until they are forgotten.

#include "base/time.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::actors {

struct agent_row {
  std::string path;       // "root/work/launcher"
  std::string strategy;   // of a supervisor; empty for others
  std::string state;      // waiting, starting, up, stopping, killing, finished
  std::string last_exit;  // class of the last exit's reason; empty = none yet
  std::int64_t incarnation = 0;
  std::int64_t restarts = 0;
  time_us since_us = 0;  // wall clock, of `state`
  bool operator==(const agent_row&) const = default;
};

/// Ever since the process started, over all supervisors.
struct supervision_totals {
  std::int64_t restarts = 0;
  std::int64_t escalations = 0;
  std::int64_t stale_answers = 0;
};

class supervision_board {
 public:
  /// Makes or changes a row; `since_us` stays while the state and incarnation do.
  void set(const agent_row& row);
  void set_strategy(const std::string& path, std::string_view strategy);
  void set_last_exit(const std::string& path, std::string_view reason);
  void forget(const std::string& path);
  /// Everything under `path`, not the path itself.
  void forget_below(const std::string& path);
  void count(const supervision_totals& more);

  /// Empty: there is no such part.
  std::string state_of(std::string_view path) const;
  /// In the order of their paths.
  std::vector<agent_row> rows() const;
  supervision_totals totals() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, agent_row, std::less<>> rows_;
  supervision_totals totals_;
};

}  // namespace reeve::actors
