#include "persistence/log_rights.hpp"

#include "persistence/pg_session.hpp"
#include "persistence/projection.hpp"

#include <utility>

namespace reeve::persistence {

namespace {

role_rights rights_of(pqxx::transaction_base& tx, std::string role, const std::string& sql) {
  role_rights found;
  for (const auto& row : tx.exec_params(sql, role)) found.missing.emplace_back(row[0].c_str());
  found.role = std::move(role);
  return found;
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
         " 'SELECT'), true) ELSE true END";
}

outcome<log_rights> look_at_log_rights(const std::string& url) {
  try {
    auto connection = connect_session(url, "reeve_rights");
    pqxx::nontransaction tx(*connection);
    const auto roles = tx.exec1("SELECT writer, reader FROM reeve.runtime_roles");
    return log_rights{rights_of(tx, roles[0].as<std::string>(), missing_writes_sql()),
                      rights_of(tx, roles[1].as<std::string>(), missing_reads_sql())};
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the rights on the log of this database cannot be looked at");
  }
}

}  // namespace reeve::persistence
