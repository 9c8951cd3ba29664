#pragma once
// Any log, folded into the rows of its projections. Inside persistence/ only.

#include "base/outcome.hpp"
#include "domain/event.hpp"
#include "persistence/append_port.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace reeve::persistence {

/// Keeps the states that it needs. Rows are rendered by `flush`, once for all events of a stream
/// since the last one. A run's state is let go when the run is over, since nothing follows then.
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
  /// The same without streams that are about to change again, which come with a later call, so that
  /// their rows are written once.
  void flush_settled(row_sink& rows);
  /// How many states it keeps.
  std::size_t streams() const;

 private:
  struct states;
  std::unique_ptr<states> states_;
};

}  // namespace reeve::persistence
