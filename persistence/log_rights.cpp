#include "persistence/log_rights.hpp"

#include "persistence/login_refusal.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/projection.hpp"
#include "persistence/roles.hpp"

#include <functional>
#include <span>
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

/// Of a database that was asked: there is nothing of ours in it yet.
struct nobody_led : std::runtime_error {
  nobody_led() : std::runtime_error("no server has led here") {}
};

void require_table(pqxx::transaction_base& tx, const std::string& table) {
  const auto found = tx.exec_params("SELECT to_regclass($1) IS NOT NULL", table);
  if (!found[0][0].as<bool>()) throw nobody_led();
}

/// Logins that were given are what the grants name, and no table keeps their names.
named_roles roles_of(pqxx::transaction_base& tx, const given_logins& given) {
  if (tx.exec1("SELECT to_regclass('reeve.runtime_roles') IS NOT NULL")[0].as<bool>()) {
    const auto row = tx.exec1("SELECT writer, reader FROM reeve.runtime_roles");
    return {row[0].as<std::string>(), row[1].as<std::string>()};
  }
  named_roles named{user_named_in(given.writer_url), user_named_in(given.reader_url)};
  if (named.writer.empty() || named.reader.empty()) throw nobody_led();
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

/// As a statement names it: what the doctor prints is copied.
std::string quoted(pqxx::transaction_base& tx, const std::string& role) {
  return tx.exec_params("SELECT pg_catalog.quote_ident($1)", role)[0][0].as<std::string>();
}

/// What a role lacks for what a server writes beside appends, a row each: it leads, signs, stores
/// blobs and sealed values, and sweeps. $1 names the role. Appends go on without it.
std::string missing_beside_sql() {
  const std::string tables =
      "('SELECT', 'reeve.log'), ('INSERT', 'reeve.log'), ('DELETE', 'reeve.commands'),"
      " ('SELECT', 'reeve.checkpoints'), ('INSERT', 'reeve.checkpoints'),"
      " ('SELECT', 'reeve.blobs'), ('INSERT', 'reeve.blobs'), ('UPDATE', 'reeve.blobs'),"
      " ('DELETE', 'reeve.blobs'), ('SELECT', 'reeve.blob_chunks'),"
      " ('INSERT', 'reeve.blob_chunks'), ('DELETE', 'reeve.blob_chunks'),"
      " ('SELECT', 'reeve.command_marks'), ('INSERT', 'reeve.command_marks'),"
      " ('UPDATE', 'reeve.command_marks'), ('DELETE', 'reeve.command_marks'),"
      " ('SELECT', 'reeve.secret_values'), ('INSERT', 'reeve.secret_values'),"
      " ('DELETE', 'reeve.secret_values')";
  // A table that an older schema has not yet is nobody's to miss.
  return "SELECT r.what || ' ON ' || r.on_table FROM (VALUES " + tables +
         ") AS r(what, on_table) WHERE NOT coalesce(pg_catalog.has_table_privilege("
         "$1::name, to_regclass(r.on_table)::oid, r.what), true)"
         " UNION ALL SELECT 'EXECUTE ON FUNCTION reeve.head()' WHERE NOT"
         " pg_catalog.has_function_privilege($1::name, 'reeve.head()', 'EXECUTE')";
}

/// What a role lacks to keep these read models and their places in the log; $1 names it.
std::string missing_model_rights_sql(std::span<const projection* const> models) {
  std::string tables = "('reeve.projections')";
  for (const auto* one : models) tables += ", ('" + table_of(*one) + "')";
  return "SELECT 'USAGE ON SCHEMA reeve_read'"
         " WHERE NOT pg_catalog.has_schema_privilege($1::name, 'reeve_read', 'USAGE')"
         " UNION ALL SELECT r.what || ' ON ' || t.name FROM (VALUES " +
         tables +
         ") AS t(name), (VALUES ('SELECT'), ('INSERT'), ('UPDATE')) AS r(what) WHERE NOT coalesce("
         "pg_catalog.has_table_privilege($1::name, to_regclass(t.name)::oid, r.what), true)";
}

std::string missing_writes_sql() {
  return std::string(
             "SELECT 'USAGE ON SCHEMA reeve'"
             " WHERE NOT pg_catalog.has_schema_privilege($1::name, 'reeve', 'USAGE')"
             " UNION ALL (") +
         missing_rights_sql + ") UNION ALL (" + missing_beside_sql() + ")";
}

/// One that tells of a failed look what it was, and of an empty database that it is one.
template <class T>
outcome<T> looked(const std::string& url, const char* what,
                  const std::function<T(pqxx::transaction_base&)>& look) {
  try {
    auto connection = connect_session(url, "reeve_rights");
    pqxx::nontransaction tx(*connection);
    return look(tx);
  } catch (const nobody_led& e) {
    return reject(errc::not_found, e.what());
  } catch (const std::exception&) {
    return reject(errc::unavailable, std::string(what) + " cannot be looked at");
  }
}

/// Whether a session of the login reads only: what is set for it in this database, else for it,
/// else for the database, else for the server. The owner's own setting says nothing of others.
constexpr const char* reads_only_sql =
    "coalesce((SELECT split_part(one, '=', 2)::boolean FROM pg_catalog.pg_db_role_setting s,"
    " unnest(s.setconfig) AS one WHERE one LIKE 'default\\_transaction\\_read\\_only=%'"
    " AND s.setrole IN (0, coalesce(to_regrole(quote_ident(who.login))::oid, 0))"
    " AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database"
    " WHERE datname = current_database()))"
    " ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC LIMIT 1),"
    " (SELECT setting::boolean FROM pg_catalog.pg_settings"
    " WHERE name = 'default_transaction_read_only'"
    " AND source IN ('default', 'configuration file', 'command line', 'environment variable')),"
    " false)";

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

std::string mend_of(const std::string& role, const std::string& missing) {
  const std::string on_database = " ON DATABASE ";
  const auto at = missing.find(on_database);
  const auto database = at == missing.npos ? "" : missing.substr(at + on_database.size());
  if (missing == no_login) return "ALTER ROLE " + role + " LOGIN";
  if (missing == no_session) return "ALTER ROLE " + role + " CONNECTION LIMIT -1";
  if (missing == no_session + on_database + database) {
    return "ALTER DATABASE " + database + " CONNECTION LIMIT -1";
  }
  if (missing == only_reads + on_database + database) {
    // Of all places that may say otherwise this one goes before the others.
    return "ALTER ROLE " + role + " IN DATABASE " + database +
           " SET default_transaction_read_only = off";
  }
  return "GRANT " + missing + " TO " + role;
}

std::string missing_to_login_sql(bool writes) {
  const std::string rights = writes ? "('CONNECT'), ('TEMP')" : "('CONNECT')";
  const auto on_database = " UNION ALL SELECT format('%s ON DATABASE %I', '";
  // A limit of none is somebody's word; one that is reached passes. No superuser has either.
  const auto limits =
      " UNION ALL SELECT '" + std::string(no_session) +
      "' FROM who, pg_catalog.pg_roles r WHERE r.rolname = who.login AND r.rolconnlimit = 0"
      " AND NOT r.rolsuper" +
      on_database + no_session +
      "', d.datname) FROM who, pg_catalog.pg_database d, pg_catalog.pg_roles r"
      " WHERE d.datname = current_database() AND d.datconnlimit = 0 AND r.rolname = who.login"
      " AND NOT r.rolsuper";
  const auto reads = on_database + std::string(only_reads) +
                     "', current_database()) FROM who WHERE " + reads_only_sql;
  return "WITH who AS (SELECT coalesce(nullif($1::text, '')::name, session_user) AS login)"
         " SELECT '" +
         std::string(no_login) +
         "' FROM who, pg_catalog.pg_roles r WHERE r.rolname = who.login AND NOT r.rolcanlogin"
         " UNION ALL SELECT format('%s ON DATABASE %I', p.what, current_database())"
         " FROM who, (VALUES " +
         rights +
         ") AS p(what) WHERE NOT pg_catalog.has_database_privilege(who.login,"
         " current_database(), p.what)" +
         limits + (writes ? reads : "");
}

outcome<log_rights> look_at_log_rights(const std::string& url, const given_logins& given) {
  const auto look = [&given](pqxx::transaction_base& tx) {
    const auto [writer, reader] = roles_of(tx, given);
    require_table(tx, "reeve.events");
    const auto writes = login_of(tx, given.writer_url, made_writer, writer);
    const auto reads = login_of(tx, given.reader_url, made_reader, reader);
    return log_rights{{quoted(tx, writer), lines_of(tx, missing_writes_sql(), writer),
                       quoted(tx, writes), lines_of(tx, missing_to_login_sql(true), writes)},
                      {quoted(tx, reader), lines_of(tx, missing_reads_sql(), reader),
                       quoted(tx, reads), lines_of(tx, missing_to_login_sql(false), reads)}};
  };
  return looked<log_rights>(url, "the rights on the log of this database", look);
}

outcome<role_rights> look_at_model_rights(const std::string& url, const std::string& name,
                                          const given_logins& given) {
  std::vector<const projection*> models;
  for (const auto* one : projections()) {
    if (name.empty() || one->name == name) models.push_back(one);
  }
  if (models.empty()) return reject(errc::not_found, "there is no read model " + name);
  const auto look = [&](pqxx::transaction_base& tx) {
    const auto writer = roles_of(tx, given).writer;
    require_table(tx, "reeve.projections");
    return role_rights{
        quoted(tx, writer), lines_of(tx, missing_model_rights_sql(models), writer), {}, {}};
  };
  return looked<role_rights>(url, "the rights on the read models", look);
}

}  // namespace reeve::persistence
