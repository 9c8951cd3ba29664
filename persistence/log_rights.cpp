#include "persistence/log_rights.hpp"

#include "persistence/login_refusal.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/projection.hpp"
#include "persistence/roles.hpp"

#include <stdexcept>
#include <utility>

namespace reeve::persistence {

namespace {

std::vector<std::string> lines_of(pqxx::transaction_base& tx, const std::string& sql,
                                  const std::string& role) {
  std::vector<std::string> lines;
  for (const auto& row : tx.exec_params(sql, role)) lines.emplace_back(row[0].c_str());
  return lines;
}

struct named_roles {
  std::string writer, reader;
};

/// Logins that were given are what the grants name, and no table keeps their names.
named_roles roles_of(pqxx::transaction_base& tx, const given_logins& given) {
  if (tx.exec1("SELECT to_regclass('reeve.runtime_roles') IS NOT NULL")[0].as<bool>()) {
    const auto row = tx.exec1("SELECT writer, reader FROM reeve.runtime_roles");
    return {row[0].as<std::string>(), row[1].as<std::string>()};
  }
  named_roles named{user_named_in(given.writer_url), user_named_in(given.reader_url)};
  if (named.writer.empty() || named.reader.empty()) throw std::runtime_error("nobody is named");
  return named;
}

/// The user of a URL that was given; else the login that a server made for this database, if there
/// is one; else the role itself. A copy of a database keeps the roles of its origin.
std::string login_of(pqxx::transaction_base& tx, const std::string& url, const char* made,
                     const std::string& role) {
  if (const auto named = user_named_in(url); !named.empty()) return named;
  const auto found = tx.exec_params(
      "SELECT r.rolname FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_database d"
      " ON r.rolname = $1::text || d.oid::text WHERE d.datname = current_database()",
      std::string(made));
  return found.empty() ? role : found[0][0].as<std::string>();
}

std::string missing_writes_sql() {
  return std::string(
             "SELECT 'USAGE ON SCHEMA reeve'"
             " WHERE NOT pg_catalog.has_schema_privilege($1::name, 'reeve', 'USAGE')"
             " UNION ALL (") +
         missing_rights_sql + ")";
}

}  // namespace

std::string missing_reads_sql() {
  std::string tables;
  for (const char* one : {"reeve.log", "reeve.events", "reeve.streams", "reeve.commands",
                          "reeve.checkpoints", "reeve.blobs", "reeve.blob_chunks"}) {
    tables += std::string(tables.empty() ? "('" : ", ('") + one + "')";
  }
  for (const auto* one : projections()) tables += ", ('" + table_of(*one) + "')";
  const std::string functions = "('reeve.head()'), ('reeve.position_at(bigint)')";
  // Whoever may not use a schema gets an error for a name in it. A table that an older schema has
  // not yet is nobody's to miss.
  return "WITH who AS (SELECT coalesce(nullif($1::text, '')::name, current_user) AS role)"
         " SELECT 'USAGE ON SCHEMA ' || s.name FROM who, (VALUES ('reeve'), ('reeve_read')) AS"
         " s(name) WHERE NOT pg_catalog.has_schema_privilege(who.role, s.name, 'USAGE')"
         " UNION ALL SELECT 'SELECT ON ' || t.name FROM who, (VALUES " +
         tables +
         ") AS t(name) WHERE NOT CASE WHEN pg_catalog.has_schema_privilege(current_user,"
         " split_part(t.name, '.', 1), 'USAGE')"
         " THEN coalesce(pg_catalog.has_table_privilege(who.role, to_regclass(t.name)::oid,"
         " 'SELECT'), true) ELSE true END"
         " UNION ALL SELECT 'EXECUTE ON FUNCTION ' || f.name FROM who, (VALUES " +
         functions +
         ") AS f(name) WHERE NOT CASE WHEN pg_catalog.has_schema_privilege(current_user,"
         " split_part(f.name, '.', 1), 'USAGE')"
         " THEN coalesce(pg_catalog.has_function_privilege(who.role,"
         " to_regprocedure(f.name)::oid, 'EXECUTE'), true) ELSE true END";
}

std::string missing_to_login_sql(bool writes) {
  const std::string rights = writes ? "('CONNECT'), ('TEMP')" : "('CONNECT')";
  return "WITH who AS (SELECT coalesce(nullif($1::text, '')::name, session_user) AS login)"
         " SELECT '" +
         std::string(no_login) +
         "' FROM who, pg_catalog.pg_roles r WHERE r.rolname = who.login AND NOT r.rolcanlogin"
         " UNION ALL SELECT format('%s ON DATABASE %I', p.what, current_database())"
         " FROM who, (VALUES " +
         rights +
         ") AS p(what) WHERE NOT pg_catalog.has_database_privilege(who.login,"
         " current_database(), p.what)";
}

outcome<log_rights> look_at_log_rights(const std::string& url, const given_logins& given) {
  try {
    auto connection = connect_session(url, "reeve_rights");
    pqxx::nontransaction tx(*connection);
    const auto [writer, reader] = roles_of(tx, given);
    const auto writes = login_of(tx, given.writer_url, made_writer, writer);
    const auto reads = login_of(tx, given.reader_url, made_reader, reader);
    return log_rights{{writer, lines_of(tx, missing_writes_sql(), writer), writes,
                       lines_of(tx, missing_to_login_sql(true), writes)},
                      {reader, lines_of(tx, missing_reads_sql(), reader), reads,
                       lines_of(tx, missing_to_login_sql(false), reads)}};
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the rights on the log of this database cannot be looked at");
  }
}

outcome<role_rights> look_at_model_rights(const std::string& url, const std::string& name,
                                          const given_logins& given) {
  std::string tables;
  for (const auto* one : projections()) {
    if (!name.empty() && one->name != name) continue;
    tables += std::string(tables.empty() ? "('" : ", ('") + table_of(*one) + "')";
  }
  if (tables.empty()) return reject(errc::not_found, "there is no read model " + name);
  try {
    auto connection = connect_session(url, "reeve_rights");
    pqxx::nontransaction tx(*connection);
    const auto writer = roles_of(tx, given).writer;
    const auto sql =
        "SELECT 'USAGE ON SCHEMA reeve_read'"
        " WHERE NOT pg_catalog.has_schema_privilege($1::name, 'reeve_read', 'USAGE')"
        " UNION ALL SELECT r.what || ' ON ' || t.name FROM (VALUES " +
        tables +
        ") AS t(name), (VALUES ('SELECT'), ('INSERT'), ('UPDATE')) AS r(what) WHERE NOT coalesce("
        "pg_catalog.has_table_privilege($1::name, to_regclass(t.name)::oid, r.what), true)";
    return role_rights{writer, lines_of(tx, sql, writer), {}, {}};
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the rights on the read models cannot be looked at");
  }
}

}  // namespace reeve::persistence
