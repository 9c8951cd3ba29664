#pragma once
// The rights that an append needs, and whether the server's role has them. Without one nothing can
// be written, although everything can be read. Inside persistence/ and for the doctor.

#include "base/outcome.hpp"

#include <string>
#include <vector>

namespace reeve::persistence {

struct log_rights {
  std::string role;                  // of the server's login
  std::vector<std::string> missing;  // "INSERT ON reeve.events"
};

/// Of the role that the schema's grants name. `url`: the owner's login. `unavailable`: there is
/// nothing to look at.
outcome<log_rights> look_at_log_rights(const std::string& url);

/// A statement that gives the missing ones, a row each; $1 names the role.
inline constexpr const char* missing_rights_sql =
    "SELECT r.what || ' ON ' || r.on_table FROM (VALUES (1, 'SELECT', 'reeve.events'),"
    " (2, 'INSERT', 'reeve.events'), (3, 'SELECT', 'reeve.streams'),"
    " (4, 'INSERT', 'reeve.streams'), (5, 'UPDATE', 'reeve.streams'),"
    " (6, 'SELECT', 'reeve.commands'), (7, 'INSERT', 'reeve.commands')) AS r(n, what, on_table)"
    " WHERE NOT pg_catalog.has_table_privilege($1::name, r.on_table, r.what) ORDER BY r.n";

}  // namespace reeve::persistence
