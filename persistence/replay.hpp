#pragma once
// Replay: folds the whole log into a scratch schema (the temporary one of its session) and compares
// it with the live read models, row by row, in one snapshot. The same functions that made the live
// rows make the replayed ones, from the events alone; a difference means that somebody changed a
// row, or that a projection is not deterministic. Most of the log is folded before the snapshot; in
// it only what was appended since, and what lies behind the checkpoint of the slowest follower.
//
// One thread reads the log, one folds it, one writes the rows. Memory is bounded by about 150 MiB,
// and what the streams that are not over hold.

#include "base/outcome.hpp"
#include "domain/event.hpp"

#include <optional>
#include <string>
#include <vector>

namespace reeve::persistence {

struct replay_difference {
  std::string table;
  std::string key;     // values of the key columns, with commas in between
  std::string column;  // empty: the whole row is missing on one side
  std::optional<std::string> live;
  std::optional<std::string> replayed;
};

struct replay_result {
  domain::position head = 0;
  std::int64_t events = 0;
  struct table_rows {
    std::string table;
    std::int64_t rows = 0;
  };
  std::vector<table_rows> tables;              // of the replayed state
  std::vector<replay_difference> differences;  // at most 100
  std::int64_t different_rows = 0;
};

struct replay_options {
  std::string owner_url;
  /// The state as it was at this position, without a comparison.
  std::optional<domain::position> until;
  std::optional<time_us> until_time;
};

/// `position_ahead`: `until` lies beyond the head. `internal`: an event cannot be read. The scratch
/// schema goes with its session.
outcome<replay_result> replay(const replay_options& options);

}  // namespace reeve::persistence
