#pragma once
// The projections: pure functions from the state after some events to rows, in
// persistence/projections/. The journal writes them in the statement that appends the events; a
// follower and a rebuild run the same functions.

#include "domain/aggregates.hpp"
#include "persistence/append_port.hpp"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace reeve::persistence {

/// Rows of one aggregate. `after` is its state after the last of `events`; only rows that these
/// events touch are given, each as it is after the last one.
void project(const domain::directive_state& after, std::span<const domain::directive_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::image_list_state& after,
             std::span<const domain::image_list_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::container_list_state& after,
             std::span<const domain::container_list_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::llm_usage_state& after, std::span<const domain::llm_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::access_state& after, std::span<const domain::access_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::run_state& after, std::span<const domain::run_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::system_state& after, std::span<const domain::system_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::log_state& after, std::span<const domain::log_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);

/// Folds any log into rows, keeping the states that it needs. Rows are rendered by `flush`, once
/// for all events of a stream since the last one. A run's state is let go when the run is over,
/// since nothing follows then.
class projection_fold {
 public:
  /// Gives the events of a stream before this one of it.
  using history_fn =
      std::function<std::vector<domain::event_record>(const domain::event_record& next)>;
  /// Without a history it is to be fed from the log's first event on.
  explicit projection_fold(history_fn history = {});
  ~projection_fold();
  /// `internal` for an event that cannot be read or whose stream is no aggregate's.
  outcome<done> apply(const domain::event_record& record);
  /// Adds the rows that the events since the last call have changed, each as it is now.
  void flush(row_sink& rows);
  /// How many states it keeps.
  std::size_t streams() const;

 private:
  struct states;
  std::unique_ptr<states> states_;
};

}  // namespace reeve::persistence
