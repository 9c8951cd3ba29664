#pragma once
// Migrations: embedded, in the order of their numbers, each in its own transaction with its row in
// reeve.migrations, all under one advisory lock, so that two servers that start at once do not
// meet. A migration that was applied never changes: its checksum is compared.
//
// Who comes to lead looks at the schema behind that lock, after it has taken the leader's; who
// migrates looks, behind that lock, whether it still has the leader's. So one of two sees the
// other, whenever either of them stood still.

#include "base/outcome.hpp"

#include <string>
#include <vector>

namespace reeve::persistence {

struct migration_options {
  std::string owner_url;    // may create schemas and functions
  std::string writer_role;  // exist already; stand for @writer@ and @reader@
  std::string reader_role;
  /// The process of PostgreSQL's that holds the leader's lock for the caller; 0: not minded.
  int leader_pid = 0;
};

struct migration_report {
  std::vector<std::string> applied;  // names of those applied now
  int version = 0;                   // number of the newest one
};

/// Whether a database can be reached, its settings keep the promises, and this program may work
/// with the schema that is there, or make it: errors as migrate(). Changes nothing.
outcome<done> check_schema(const std::string& owner_url);

/// The same for who needs the schema of this program and makes none: an older one is a `conflict`.
outcome<done> require_schema(const std::string& owner_url);

/// Errors: `invalid` (an unsafe or too old database; the setting is the field), `conflict` (the
/// schema is newer than this program, or an applied migration was changed), `fenced` (the leader's
/// lock was lost before the end; what was applied until then stays), `unavailable`.
outcome<migration_report> migrate(const migration_options& options);

}  // namespace reeve::persistence
