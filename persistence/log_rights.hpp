#pragma once
// The rights that an append and a read need, and whether the server's roles have them. Without one
// of the writer's nothing can be written, although everything can be read; without one of the
// reader's something cannot be read, keys of requests among it. Inside persistence/ and for the
// doctor.

#include "base/outcome.hpp"

#include <string>
#include <vector>

namespace reeve::persistence {

struct role_rights {                       // names as SQL writes them
  std::string role;                        // that the grants name
  std::vector<std::string> missing;        // "INSERT ON reeve.events"
  std::string login;                       // of the server: that role, or a member of it
  std::vector<std::string> login_missing;  // as missing_to_login_sql gives it
};
/// In `login_missing`; no GRANT mends them.
inline constexpr const char* no_login = "LOGIN";
inline constexpr const char* no_session = "CONNECTION LIMIT";
/// With " ON DATABASE reeve": none of the database, or a setting of it or of the login.
inline constexpr const char* only_reads = "READ WRITE";

/// The statement that gives a role what it lacks.
std::string mend_of(const std::string& role, const std::string& missing);

/// Logins that somebody else made; empty: a server makes them by itself.
struct given_logins {
  std::string writer_url;
  std::string reader_url;
};
struct log_rights {
  role_rights writer;
  role_rights reader;
};

/// Of the roles that the schema's grants name and of the server's logins. `url`: the owner's login.
/// `not_found`: no server has led here; `unavailable`: the database could not be asked.
outcome<log_rights> look_at_log_rights(const std::string& url, const given_logins& given = {});

/// What the writer lacks to keep a read model and its place in the log up to date, all of them
/// without a name; the owner builds them all the same. Errors as above; `not_found` is also a
/// model that is none.
outcome<role_rights> look_at_model_rights(const std::string& url, const std::string& name = {},
                                          const given_logins& given = {});

/// A statement that gives what a role may not read, a row each; $1 names it, or is empty for
/// whoever asks.
std::string missing_reads_sql();

/// A statement that gives what keeps a login from working in this database, a row each; $1 as
/// above. `writes`: it makes the row types of its batches among the temporary things, and is let
/// do more than read.
std::string missing_to_login_sql(bool writes);

/// A statement that gives what a role lacks to append, a row each; $1 names the role. Not TEMP: a
/// session that has its row types goes on without it, and one that cannot make them tells it.
inline constexpr const char* missing_rights_sql =
    "SELECT r.what || ' ON ' || r.on_table FROM (VALUES (1, 'SELECT', 'reeve.events'),"
    " (2, 'INSERT', 'reeve.events'), (3, 'SELECT', 'reeve.streams'),"
    " (4, 'INSERT', 'reeve.streams'), (5, 'UPDATE', 'reeve.streams'),"
    " (6, 'SELECT', 'reeve.commands'), (7, 'INSERT', 'reeve.commands')) AS r(n, what, on_table)"
    " WHERE NOT pg_catalog.has_table_privilege($1::name, r.on_table, r.what)"
    " UNION ALL SELECT 'EXECUTE ON FUNCTION ' || f.name FROM (VALUES ('reeve.refuse_batch(text)'),"
    " ('reeve.make_partition(bigint)')) AS f(name)"
    " WHERE NOT pg_catalog.has_function_privilege($1::name, f.name, 'EXECUTE')";

}  // namespace reeve::persistence
