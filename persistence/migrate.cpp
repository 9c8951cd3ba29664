#include "persistence/migrate.hpp"

#include "base/digest.hpp"
#include "embedded/migrations.hpp"
#include "persistence/advisory_locks.hpp"
#include "persistence/applied_migrations.hpp"
#include "persistence/pg_session.hpp"

namespace reeve::persistence {
namespace {

constexpr const char* table_sql =
    "CREATE SCHEMA IF NOT EXISTS reeve;"
    "CREATE TABLE IF NOT EXISTS reeve.migrations ("
    " number int PRIMARY KEY,"
    " name text COLLATE \"C\" NOT NULL,"
    " sha256 text COLLATE \"C\" NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now());"
    "COMMENT ON TABLE reeve.migrations IS 'Which migrations were applied, and what they were.'";

std::string with_role(std::string sql, std::string_view token, const std::string& role) {
  for (auto at = sql.find(token); at != std::string::npos; at = sql.find(token, at + role.size())) {
    sql.replace(at, token.size(), role);
  }
  return sql;
}

/// The server's own login looks there when it comes to lead again (applied_migrations.hpp).
void let_read(pqxx::transaction_base& tx, const std::string& role) {
  const bool may = tx.exec_params(
                         "SELECT pg_catalog.has_table_privilege($1::name, 'reeve.migrations',"
                         " 'SELECT')",
                         role)[0][0]
                       .as<bool>();
  if (may) return;
  tx.exec("DO $do$ BEGIN GRANT SELECT ON reeve.migrations TO " + tx.quote_name(role) +
          "; EXCEPTION WHEN insufficient_privilege THEN NULL; END $do$");
}

/// Asked with the schema's lock, behind which whoever comes to lead then waits: what is begun may
/// be brought to its end, however long it takes.
bool may_change(pqxx::transaction_base& tx, const migration_options& options) {
  return options.leader_pid == 0 || is_held_by(tx, leader_lock_key, options.leader_pid);
}

rejection lead_was_lost() {
  return reject(errc::fenced,
                "the leader's lock was lost meanwhile, and the schema is not changed under a "
                "server that may lead by now");
}

/// False: nothing was changed, since the caller does not lead any more.
bool apply(pqxx::connection& connection, const embedded::migration& m,
           const migration_options& options) {
  pqxx::work tx(connection);
  if (!may_change(tx, options)) return false;
  auto sql = with_role(std::string(m.sql), "@writer@", tx.quote_name(options.writer_role));
  sql = with_role(std::move(sql), "@reader@", tx.quote_name(options.reader_role));
  tx.exec(sql);
  tx.exec_params("INSERT INTO reeve.migrations (number, name, sha256) VALUES ($1, $2, $3)",
                 number_of(m.name), std::string(m.name), to_hex(sha256(m.sql)));
  tx.commit();
  return true;
}

/// What has been applied, if this program may work with it.
outcome<applied_map> look_at_schema(const std::string& owner_url) {
  try {
    auto connection = connect_session(owner_url, "reeve_migrate");
    if (auto safe = check_settings(read_settings(*connection)); !safe) return safe.error();
    pqxx::nontransaction tx(*connection);
    const bool is_new = tx.exec1("SELECT to_regclass('reeve.migrations') IS NULL")[0].as<bool>();
    auto applied = is_new ? applied_map() : read_applied(tx);
    if (auto ok = check_applied(applied); !ok) return ok.error();
    return applied;
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the database cannot be reached with DATABASE_URL");
  }
}

}  // namespace

outcome<done> check_schema(const std::string& owner_url) {
  const auto applied = look_at_schema(owner_url);
  if (!applied) return applied.error();
  return done{};
}

outcome<done> require_schema(const std::string& owner_url) {
  const auto applied = look_at_schema(owner_url);
  if (!applied) return applied.error();
  if (applied->size() == embedded::migrations().size()) return done{};
  return reject(errc::conflict,
                "the database's schema is older than this program: start the server, or run "
                "`reeve migrate`");
}

outcome<migration_report> migrate(const migration_options& options) {
  try {
    auto connection = connect_session(options.owner_url, "reeve_migrate");
    if (auto safe = check_settings(read_settings(*connection)); !safe) return safe.error();
    // Held by the session; it ends with the connection, which a process that stands still loses.
    pqxx::nontransaction(*connection).exec0("SET idle_session_timeout = '10s'");
    applied_map applied;
    {
      pqxx::nontransaction tx(*connection);
      tx.exec(std::string("SELECT pg_advisory_lock(") + schema_lock_key + ")");
      if (!may_change(tx, options)) return lead_was_lost();
      tx.exec(table_sql);
      applied = read_applied(tx);
      if (auto ok = check_applied(applied); !ok) return ok.error();
      let_read(tx, options.writer_role);
    }
    migration_report report;
    for (const auto& m : embedded::migrations()) {
      report.version = number_of(m.name);
      if (applied.contains(report.version)) continue;
      if (!apply(*connection, m, options)) return lead_was_lost();
      report.applied.emplace_back(m.name);
    }
    return report;
  } catch (const pqxx::sql_error& e) {
    return reject(errc::unavailable, "a migration failed with SQLSTATE " + e.sqlstate());
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the database cannot be reached with DATABASE_URL");
  }
}

}  // namespace reeve::persistence
