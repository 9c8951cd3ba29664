#pragma once
// What a projection is: one row, from which everything that is the same for all of them is derived:
// the append's statement, list sources and their filters, what a commit throws out of the cache,
// replay, rebuilding and the tests that walk the list. The rows stand beside the pure functions
// that fill them, in persistence/projections/, a file a subject.
//
// To add one: a table in a migration, a row and its cells in `project`, and the route that lists
// it. To change what an old one says: a higher `version`; it is then built anew beside the live
// one.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::persistence {

struct column {
  std::string_view name;
  /// PostgreSQL's type. Cells are its text form: "true", "42", a UUID, "\x0a1b" for bytea.
  std::string_view type;
  bool is_key = false;
};

/// Who writes it. `in_append`: the statement that appends the events, because a command, a launch
/// or the writer's next read needs it. `follower`: a transaction of its own a moment later, with a
/// checkpoint.
enum class projection_kind { in_append, follower };

/// How an earlier position is answered. `life`: rows carry the positions of their life, and one
/// that was touched later is folded again; `states`: a row stands for each state; `none`: not at
/// all.
enum class projection_past { life, states, none };

/// A document in the cache that shows rows of this projection: its kind, and the column with its
/// id.
struct subject_rule {
  std::string_view kind;
  std::string_view column;
};

/// A filter whose rows have an index of their own: in the order of the list, or so few that sorting
/// them is nothing. `value`: of this value only; empty: of any.
struct indexed_filter {
  std::string_view column;
  std::string_view value = {};
};

struct projection {
  /// Of its table in reeve_read, and of the collection that lists it.
  std::string_view name;
  /// Prefix of the streams that it is made of.
  std::string_view source;
  /// Raised with every change of what its rows say.
  int version = 1;
  /// In the order of the table, keys first. What never changes stands before what does, and the
  /// positions of a row's life before its documents: PostgreSQL leaves the unchanged end of an
  /// updated row out of its log, and the unchanged beginning.
  std::vector<column> columns;
  projection_kind kind = projection_kind::in_append;
  projection_past past = projection_past::life;
  /// Columns that its list may be filtered by.
  std::vector<std::string_view> filters = {};
  /// Those of them that need no walk over rows that do not fit; the first one that is asked for is
  /// walked. Each belongs to an index of the table.
  std::vector<indexed_filter> indexed = {};
  std::vector<subject_rule> subjects = {};
  /// The projection with the labels of its rows; empty: they have none.
  std::string_view labels = {};
  /// What is decided at the start hangs on it (who may do what, which engine is chosen): it is
  /// built before the server is ready.
  bool is_built_first = false;
};

/// In the order in which they are written and told.
std::span<const projection* const> projections();

/// One that there is not is a programmer's error, and throws.
const projection& projection_named(std::string_view name);

/// Place in `projections()`.
std::size_t index_of(const projection& of);

/// Position of a column in a projection's rows; -1 if it has none of that name.
int column_index(const projection& of, std::string_view name);

/// Its columns in their order, with commas in between.
std::string columns_of(const projection& of);

/// Those that rows are looked for by: of documents nothing need be known.
std::string sought_columns_of(const projection& of);

/// Prefixes of all streams that these are made of, each once.
std::vector<std::string_view> sources_of(const std::vector<const projection*>& list);

/// Whether events of this stream may change it.
bool is_made_of(const projection& of, std::string_view stream);

/// "reeve_read.runs"
std::string table_of(const projection& of);

}  // namespace reeve::persistence
