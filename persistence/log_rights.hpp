#pragma once
// The rights that an append and a read need, and whether the server's roles have them. Without one
// of the writer's nothing can be written, although everything can be read; without one of the
// reader's something cannot be read, keys of requests among it. Inside persistence/ and for the
// doctor.

#include "base/outcome.hpp"

#include <string>
#include <vector>

namespace reeve::persistence {

struct role_rights {
  std::string role;                  // of the server's login
  std::vector<std::string> missing;  // "INSERT ON reeve.events"
};
struct log_rights {
  role_rights writer;
  role_rights reader;
};

/// Of the roles that the schema's grants name. `url`: the owner's login. `unavailable`: there is
/// nothing to look at.
outcome<log_rights> look_at_log_rights(const std::string& url);

/// A statement that gives what a role may not read, a row each; $1 names it, or is empty for
/// whoever asks.
std::string missing_reads_sql();

/// A statement that gives the missing ones, a row each; $1 names the role.
inline constexpr const char* missing_rights_sql =
    "SELECT r.what || ' ON ' || r.on_table FROM (VALUES (1, 'SELECT', 'reeve.events'),"
    " (2, 'INSERT', 'reeve.events'), (3, 'SELECT', 'reeve.streams'),"
    " (4, 'INSERT', 'reeve.streams'), (5, 'UPDATE', 'reeve.streams'),"
    " (6, 'SELECT', 'reeve.commands'), (7, 'INSERT', 'reeve.commands')) AS r(n, what, on_table)"
    " WHERE NOT pg_catalog.has_table_privilege($1::name, r.on_table, r.what) ORDER BY r.n";

}  // namespace reeve::persistence
