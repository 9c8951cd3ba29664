#pragma once
// The log, folded in bulk into tables: one thread reads it, one folds it, one writes the rows. For
// replay and for building projections anew. Inside persistence/ only.

#include "base/outcome.hpp"
#include "persistence/projection_fold.hpp"
#include "persistence/replay_tables.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <string>
#include <vector>

namespace reeve::persistence {

class bulk_fold {
 public:
  /// `tables[i]` takes the rows of `list[i]`; what stands behind those is the caller's. Rows of
  /// other projections are dropped.
  bulk_fold(std::string url, pqxx::connection& into, std::vector<const projection*> list,
            const std::vector<replay_table>& tables);

  /// Called with each event, and whenever rows are made: adds the caller's own.
  std::function<void(const domain::event_record&)> on_event = [](const auto&) {};
  std::function<void(replay_rows&)> on_flush = [](auto&) {};
  /// Prefixes of the streams that are read; none = all of them.
  std::vector<std::string_view> sources;
  const std::atomic<bool>* stop = nullptr;

  /// Up to a position that the log has reached. `unavailable` when it was stopped.
  outcome<done> fold_to(domain::position until);
  outcome<done> apply(const domain::event_record& event);
  /// Makes the rows of what was applied; those that `keeps` answers false for are dropped.
  void flush(const std::function<bool(const projection&)>& keeps = {});

  replay_rows& rows() { return rows_; }
  domain::position position() const { return position_; }
  std::int64_t events() const { return events_; }

 private:
  void take(const row_sink& sink, const std::function<bool(const projection&)>& keeps = {});
  void spill();
  void await_written();

  std::string url_;
  pqxx::connection& connection_;
  std::vector<int> places_;  // of each projection among the tables; -1: none
  replay_rows rows_;
  projection_fold fold_;
  domain::position position_ = 0;
  std::int64_t events_ = 0;
  /// Uses rows_ and the connection until it is over, which its destructor waits for.
  std::future<void> writing_;
};

}  // namespace reeve::persistence
