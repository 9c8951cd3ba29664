#pragma once
// What is handed to the journal, and what comes back.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/outcome.hpp"
#include "domain/event.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::persistence {

struct stream_version {
  std::string stream;
  domain::version version = 0;
};

struct projection;  // persistence/projection.hpp

/// A row of a projection: the whole row as it is after the event, in text form. `cells` follow the
/// projection's columns; a cell without value is SQL null. Two rows of one key in one batch: the
/// later one wins.
struct projection_row {
  const projection* of = nullptr;
  std::vector<std::optional<std::string>> cells;
};

using row_sink = std::vector<projection_row>;

/// Gives the projection rows of an append once its events are stamped. Pure: the same events give
/// the same rows. The stamps are in the order of the events. May throw; the append then goes on
/// and the projections that these events may change are marked stale.
using project_fn = std::function<void(std::span<const domain::event_stamp>, row_sink&)>;

/// One row of `commands`: what an Idempotency-Key stands for. Kept for at least 7 days.
struct command_key {
  uuid tenant;
  std::string principal;
  std::string route;
  std::string key;  // 1..255 printable ASCII characters
  digest request_digest{};
};

/// All or nothing. `expect` names the version of every stream that is written; `guard` names
/// streams that were read and must not have moved. Without events only the command's key is kept:
/// it stands for the one stream of `expect` as that is at its version.
struct append_request {
  std::vector<domain::new_event> events;  // 1..512, or none beside a command
  std::vector<stream_version> expect;
  std::vector<stream_version> guard;
  std::optional<command_key> command;
  project_fn project;
};

struct append_result {
  std::vector<domain::event_stamp> stamps;  // one an event; empty when replayed
  domain::position first_position = 0;
  domain::position last_position = 0;
  /// The command's key was known: nothing was appended, the positions are those of the first time.
  bool replayed = false;
};

/// A projection whose rows could not be written with an event; its position.
struct stale_mark {
  const projection* of = nullptr;
  domain::position from = 0;
};

/// Told after a batch is durable and before its callers are answered, on the journal's thread. A
/// follower tells the rows that it has written, without events.
struct commit_notice {
  std::span<const domain::event_record> events;
  std::span<const projection_row> rows;
  std::span<const stale_mark> stale = {};
};

}  // namespace reeve::persistence
