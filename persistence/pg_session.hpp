#pragma once
// What every connection of persistence/ shares: how it is opened, which settings of the database
// are refused, and what an exception of libpqxx means. Inside persistence/ only.
//
// A connection that was lost once is never used again: libpqxx would go on with a new session that
// has no settings and no lock.

#include "base/outcome.hpp"
#include "persistence/database_identity.hpp"

#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <string_view>

namespace reeve::persistence {

/// Why a statement did not succeed. `lost`: the connection is gone and the statement in doubt.
struct sql_trouble {
  bool lost = false;
  std::string sqlstate;  // five characters; empty when there is none

  /// Memory, disk, connections, a standby, a cancelled statement: not the statement's fault.
  bool is_passing() const;
  /// A right that the role does not have (any more), or a policy that keeps a row out.
  bool is_forbidden() const { return sqlstate == "42501"; }
  /// In words, when the database takes no change at all, whoever asks: its disk is full or broken,
  /// or it became read only. Empty: it is something else.
  std::string_view standstill() const;
};

/// The meaning of the exception that is being handled. Call it from a catch block only.
sql_trouble trouble_of_current(const pqxx::connection& connection);

/// Opens a connection with a connect timeout of 5 s and TCP deadlines, UTC, an empty search path
/// and, as far as the role may, settings that keep values out of PostgreSQL's log. A transaction
/// in which nothing is asked for 4 s is ended by PostgreSQL, with the session (decision 17). Throws
/// as libpqxx does.
std::unique_ptr<pqxx::connection> connect_session(const std::string& url, const std::string& name);

/// A value as it stands in key=value connection text.
std::string connection_word(std::string_view value);

/// Settings on which a promise rests, as the server tells them.
struct database_settings {
  int server_version = 0;  // 150004
  bool in_recovery = false;
  std::string fsync, full_page_writes, synchronous_commit, server_encoding;
  std::string log_statement, log_min_duration_statement, log_min_duration_sample;
  std::string log_parameter_max_length, log_parameter_max_length_on_error;
};

database_settings read_settings(pqxx::connection& connection);

/// `invalid` names the setting and what it must be: durability (an acknowledged event is never
/// lost), UTF-8, version 15 or later, and no logging of statement parameters.
outcome<done> check_settings(const database_settings& settings);

/// Of which cluster and timeline the database is. Throws as libpqxx does.
database_identity identity_of(pqxx::connection& connection);

/// For who runs the server: never the database's own text, which may quote a row.
rejection rejection_of(const sql_trouble& trouble);
/// The same for the answer to a client, whom a SQLSTATE tells nothing: it goes to the log, the same
/// one once a minute.
rejection answer_of(const sql_trouble& trouble);
/// For who tries again by itself: `forbidden` is a right that is gone, `internal` everything else
/// that no other try mends, a table that is not there among it.
rejection rejection_of_try(const sql_trouble& trouble);

}  // namespace reeve::persistence
