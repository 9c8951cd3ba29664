#pragma once
// The tables that the journal writes in the statement that appends the events. A projection names
// a table by its number here and gives whole rows in the order of its columns; the statement is
// composed from this list, so a new table is a migration and a row here.

#include <span>
#include <string_view>
#include <vector>

namespace reeve::persistence {

/// Numbers of the tables, in the order of `projection_tables()`.
enum class table : int {
  tenants,
  directives,
  directive_versions,
  runs,
  run_labels,
  jobs,
  image_allowlist,
  container_allowlist,
  tokens,
  llm_calls,
  llm_usage,
  blob_refs,
  singletons,
};

struct column {
  std::string_view name;
  /// PostgreSQL's type. Cells are its text form: "true", "42", a UUID, "\x0a1b" for bytea.
  std::string_view type;
  bool is_key = false;
};

struct table_definition {
  std::string_view name;  // with its schema
  std::vector<column> columns;
};

std::span<const table_definition> projection_tables();

inline constexpr int index_of(table which) {
  return static_cast<int>(which);
}

/// Position of a column in a table's rows; -1 if it has none of that name.
int column_index(table which, std::string_view name);

}  // namespace reeve::persistence
