#pragma once
// The one statement of an append: a data-modifying CTE with the events, the rows of `streams` and
// `commands`, and the projections. Which parts it has depends on what a batch touches; each
// combination is a text of its own that is prepared once per connection. Rows travel as arrays of
// the tables' own row types, in binary.
//
// The statement raises RV001 when the predecessor is not there (fenced) and RV002 when a stream is
// not at the version that was expected; either undoes all of it.

#include "persistence/append_port.hpp"
#include "persistence/pg_binary.hpp"

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
  void null() { bare("NULL"); }
  void integer(std::int64_t value);
  void id(const uuid& value);
  /// Quoted; quotes and backslashes are escaped.
  void text(std::string_view value);
  void bytes(std::string_view value);
  std::string take();

 private:
  void bare(std::string_view value);
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
  time_us expires_at_us = 0;
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
};

/// The row types of the tables that an append writes. Each database has its own numbers.
struct row_types {
  type_oid events = 0, streams = 0, commands = 0;
  std::vector<type_oid> projections;  // as `projection_tables()`
};

/// A statement and its parameters: $1..$3 in text form, then the arrays, in binary.
struct batch_statement {
  std::string name;  // the same for the same combination
  std::vector<std::string> fence;
  std::vector<std::string> arrays;
};

/// Rows of one key: the last one wins.
std::vector<const projection_row*> last_per_key(std::span<const projection_row> rows);

/// The cells of the rows fit their columns (`fits`).
batch_statement compose_batch(const batch_content& content, const row_types& types);

/// The text of the statement with this name.
std::string batch_sql(std::string_view name);

}  // namespace reeve::persistence
