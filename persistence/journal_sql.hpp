#pragma once
// The one statement of an append: a data-modifying CTE with the events, the rows of `streams` and
// `commands`, and the projections. Which parts it has depends on what a batch touches; each
// combination is a text of its own that is prepared once per connection.
//
// Rows travel as arrays, in binary, of row types that the writer's session makes for itself from
// the lists of this program, and the statement names its columns: a migration that adds a column
// under an older writer disturbs nothing (docs/decisions/0016).
//
// The statement raises RV001 when the predecessor is not there (fenced) and RV002 when a stream is
// not at the version that was expected; either undoes all of it.

#include "persistence/append_port.hpp"
#include "persistence/pg_binary.hpp"
#include "persistence/projection.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::persistence {

/// Builds the text form of a PostgreSQL array.
class array_text {
 public:
  array_text() { out_.push_back('{'); }
  void id(const uuid& value);
  /// Quoted; quotes and backslashes are escaped.
  void text(std::string_view value);
  std::string take();

 private:
  void separate() {
    if (out_.size() > 1) out_.push_back(',');
  }
  std::string out_;
};

/// A stream that a batch moves: from `base` to `version`; `position` is its last event.
struct stream_move {
  std::string_view stream;
  uuid tenant;
  domain::version base = 0;
  domain::version version = 0;
  domain::position position = 0;
};

struct command_row {
  const command_key* key = nullptr;
  domain::position first_position = 0;
  std::int64_t count = 0;
};

/// Everything that goes into one statement. Positions and times of the events ascend by one.
struct batch_content {
  domain::position predecessor = 0;
  digest predecessor_hash{};
  std::int64_t epoch = 0;
  std::span<const domain::event_record> events;
  std::span<const stream_move> moves;
  std::span<const command_row> commands;
  std::span<const projection_row> rows;
  std::span<const stale_mark> stale = {};  // each projection once
};

using projection_span = std::span<const projection* const>;

/// The row types of a writer's session. Each session has its own numbers.
struct row_types {
  type_oid events = 0, streams = 0, commands = 0;
  std::vector<type_oid> projections;  // in the order of the list
};

/// Makes them, in the session's temporary schema; and asks for their numbers, one row each: events,
/// streams, commands, then the projections.
std::string make_row_types_sql(projection_span list);
std::string row_types_sql(projection_span list);

/// A statement and its parameters: $1..$3 in text form, then the arrays, in binary.
struct batch_statement {
  /// Which parts it has, a word each: "new" and "old" streams, "commands", "stale", and the places
  /// of the projections in the list. The same for the same combination.
  std::string parts;
  std::vector<std::string> fence;
  std::vector<std::string> arrays;
};

/// Of a projection's rows in a writer's session: "pg_temp.reeve_read_runs".
std::string row_type_of(const projection& of);

/// "id uuid, doc text"
std::string typed_columns_of(const projection& of);

/// What an INSERT ends with so that a row whose key is there takes the new one's values.
std::string on_conflict_sql(const std::vector<column>& columns);

/// Puts the rows of an array (a placeholder with its type) into a table with the projection's
/// columns; a row whose key is there takes its place.
std::string upsert_sql(const projection& of, const std::string& table, const std::string& array);

/// Rows of one projection as an array in binary; their cells fit.
std::string rows_array(const projection& of, type_oid type,
                       std::span<const projection_row* const> rows);

/// Rows of one key: the last one wins. Of all projections, or of `only`.
std::vector<const projection_row*> last_per_key(std::span<const projection_row> rows,
                                                const projection* only = nullptr);

/// The cells of the rows fit their columns (`fits`), and their projections are in the list.
batch_statement compose_batch(const batch_content& content, const row_types& types,
                              projection_span list = projections());

/// The text of the statement with these parts.
std::string batch_sql(std::string_view parts, projection_span list = projections());

}  // namespace reeve::persistence
