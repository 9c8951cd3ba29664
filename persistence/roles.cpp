#include "persistence/roles.hpp"

#include "base/digest.hpp"
#include "base/files.hpp"
#include "persistence/advisory_locks.hpp"
#include "persistence/login_refusal.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/scram.hpp"

#include <cerrno>
#include <chrono>
#include <fstream>
#include <random>
#include <sys/stat.h>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <utility>

namespace reeve::persistence {
namespace {

struct passwords {
  std::string writer;
  std::string reader;
};

std::string random_bytes(int count) {
  std::random_device random;  // the operating system's random numbers
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(random() & 0xff);
  return bytes;
}

outcome<passwords> read_passwords(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return reject(errc::not_found, "there is no such file");
  if ((info.st_mode & 077) != 0) {
    return reject(errc::invalid, path + " may be read by others; it must have mode 0600");
  }
  std::ifstream in(path);
  passwords p;
  if (!(in >> p.writer >> p.reader)) return reject(errc::invalid, path + " has no two passwords");
  return p;
}

/// The file appears whole or not at all, and only the first of several starts makes it. Each has a
/// draft of its own: process ids are not enough, since two containers may share the folder.
outcome<passwords> make_passwords(const std::string& path) {
  passwords p{to_base64url(random_bytes(24)), to_base64url(random_bytes(24))};
  const auto draft = path + "." + to_base64url(random_bytes(12));
  const auto written = write_small_file(draft, p.writer + "\n" + p.reader + "\n");
  const bool named = written && ::link(draft.c_str(), path.c_str()) == 0 && sync_folder_of(path);
  const bool was_there = written && !named && errno == EEXIST;
  ::unlink(draft.c_str());
  if (was_there) return read_passwords(path);
  if (!named) return reject(errc::unavailable, path + " cannot be written");
  return p;
}

/// The same server and database for another user, as key=value text.
std::string login(pqxx::connection& owner, const std::string& user, const std::string& password) {
  std::string url = "user=" + connection_word(user) + " dbname=" + connection_word(owner.dbname());
  if (owner.hostname() != nullptr) url += " host=" + connection_word(owner.hostname());
  if (owner.port() != nullptr) url += " port=" + connection_word(owner.port());
  if (!password.empty()) url += " password=" + connection_word(password);
  return url;
}

struct role_state {
  bool exists = false;
  bool has_more_rights = false;
};

role_state look_at_role(pqxx::connection& connection, const std::string& role) {
  pqxx::nontransaction tx(connection);
  const auto rows = tx.exec_params(
      "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls OR rolreplication"
      " FROM pg_roles WHERE rolname = $1",
      role);
  if (rows.empty()) return {};
  return {true, rows[0][0].as<bool>()};
}

/// A role that is there is never changed: another server may be working with it.
void make_role(pqxx::transaction_base& tx, const std::string& role, const std::string& password) {
  const auto name = tx.quote_name(role);
  const std::string secret =
      password.empty() ? " PASSWORD NULL"
                       : " PASSWORD " + tx.quote(scram_verifier(password, random_bytes(16)));
  tx.exec("CREATE ROLE " + name +
          " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION" + secret);
}

void let_connect(pqxx::transaction_base& tx, const std::string& role) {
  // Temporary: the writer's session makes the row types of its batches there
  // (persistence/journal_sql.hpp).
  const bool may = tx.exec_params(
                         "SELECT has_database_privilege($1, current_database(), 'CONNECT')"
                         " AND has_database_privilege($1, current_database(), 'TEMPORARY')",
                         role)[0][0]
                       .as<bool>();
  if (may) return;
  tx.exec("GRANT CONNECT, TEMPORARY ON DATABASE " + tx.quote_name(tx.conn().dbname()) + " TO " +
          tx.quote_name(role));
}

/// PostgreSQL writes the text of a statement that failed into its log, with values. A role may not
/// turn that off for itself, so the owner does it here for every session of the role; an owner
/// without the right to (no superuser, no GRANT SET ON PARAMETER) leaves it to the server's file.
void keep_out_of_logs(pqxx::transaction_base& tx, const std::string& role) {
  for (const char* setting :
       {"log_min_error_statement = panic", "log_parameter_max_length_on_error = 0",
        "log_parameter_max_length = 0", "log_error_verbosity = terse"}) {
    tx.exec("DO $do$ BEGIN ALTER ROLE " + tx.quote_name(role) + " SET " + setting +
            "; EXCEPTION WHEN insufficient_privilege THEN NULL; END $do$");
  }
}

/// Whose login a URL is, by asking it.
std::string user_of(const std::string& url) {
  pqxx::connection connection(url);
  return connection.username();
}

/// The roles that the schema's grants and policies name. A database that was copied from another
/// one keeps those of its origin; the logins of the copy become their members.
struct schema_roles {
  std::string writer;
  std::string reader;
};

schema_roles roles_in_schema(pqxx::connection& connection, const runtime_logins& otherwise) {
  pqxx::nontransaction tx(connection);
  if (tx.exec1("SELECT to_regclass('reeve.runtime_roles') IS NULL")[0].as<bool>()) {
    tx.exec(
        "CREATE SCHEMA IF NOT EXISTS reeve;"
        "CREATE TABLE IF NOT EXISTS reeve.runtime_roles ("
        " one boolean PRIMARY KEY DEFAULT true CHECK (one),"
        " writer text COLLATE \"C\" NOT NULL, reader text COLLATE \"C\" NOT NULL);"
        "COMMENT ON TABLE reeve.runtime_roles IS 'Whom the grants and policies name.'");
  }
  tx.exec_params(
      "INSERT INTO reeve.runtime_roles (writer, reader) VALUES ($1, $2) "
      "ON CONFLICT DO NOTHING",
      otherwise.writer_role, otherwise.reader_role);
  const auto row = tx.exec1("SELECT writer, reader FROM reeve.runtime_roles");
  return {row[0].as<std::string>(), row[1].as<std::string>()};
}

void ensure_member(pqxx::connection& connection, const std::string& role,
                   const std::string& login) {
  if (role == login) return;
  pqxx::nontransaction tx(connection);
  if (tx.exec_params("SELECT pg_has_role($1, $2, 'MEMBER')", login, role)[0][0].as<bool>()) return;
  tx.exec("GRANT " + tx.quote_name(role) + " TO " + tx.quote_name(login));
}

/// Roles of one cluster are changed by servers of several databases at a time, which PostgreSQL
/// answers with "tuple concurrently updated" now and then. A session that is gone is not tried
/// again: the next one would have no lock.
template <class Change>
void patiently(pqxx::connection& connection, Change change) {
  for (int tries = 0;; ++tries) {
    try {
      return change();
    } catch (const pqxx::sql_error&) {
      if (tries >= 20 || trouble_of_current(connection).lost) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10 + 5 * tries));
    }
  }
}

outcome<runtime_logins> logins_of(const roles_options& options) {
  if (options.writer_url.empty() || options.reader_url.empty()) {
    return reject(errc::invalid, "REEVE_WRITER_URL and REEVE_READER_URL are given together");
  }
  for (const auto& [variable, url] : {std::pair("REEVE_WRITER_URL", options.writer_url),
                                      std::pair("REEVE_READER_URL", options.reader_url)}) {
    const auto reached = reach_database(url);
    if (!reached) {
      return reject(reached.error().code, variable + (": " + reached.error().detail));
    }
  }
  return runtime_logins{user_of(options.writer_url), user_of(options.reader_url),
                        options.writer_url, options.reader_url};
}

/// Of the file. Without one they are made only where a role is still to be made: those of roles
/// that another server made are not known here, and perhaps not needed.
outcome<passwords> passwords_of(const roles_options& options, bool are_needed) {
  if (options.peer) return passwords{};
  auto known = read_passwords(options.secrets_file);
  if (known || known.error().code != errc::not_found) return known;
  return are_needed ? make_passwords(options.secrets_file) : outcome<passwords>(passwords{});
}

void name_logins(pqxx::connection& connection, const roles_options& options, runtime_logins& out) {
  out.writer_role = private_writer;
  out.reader_role = private_reader;
  if (options.peer) return;
  pqxx::nontransaction tx(connection);
  const auto oid = tx.exec1("SELECT oid FROM pg_database WHERE datname = current_database()")[0]
                       .as<std::string>();
  out.writer_role = made_writer + oid;
  out.reader_role = made_reader + oid;
}

/// Makes the roles that are missing, all of them or none: one that is there alone would keep out
/// every server but the one that has its password. `invalid`: one may do more than it should.
outcome<passwords> make_missing(pqxx::connection& owner, const roles_options& options,
                                const runtime_logins& logins) {
  const auto writer = look_at_role(owner, logins.writer_role);
  const auto reader = look_at_role(owner, logins.reader_role);
  for (const auto& [state, name] :
       {std::pair(writer, logins.writer_role), std::pair(reader, logins.reader_role)}) {
    if (!state.has_more_rights) continue;
    return reject(errc::invalid, "the role " + name + " may do more than it should: ALTER ROLE " +
                                     owner.quote_name(name) +
                                     " NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
                                     " NOREPLICATION");
  }
  auto secrets = passwords_of(options, !writer.exists || !reader.exists);
  if (!secrets) return secrets;
  patiently(owner, [&] {
    pqxx::work tx(owner);
    for (const auto& [state, name, password] :
         {std::tuple(writer, logins.writer_role, secrets->writer),
          std::tuple(reader, logins.reader_role, secrets->reader)}) {
      if (!state.exists) {
        make_role(tx, name, password);
        keep_out_of_logs(tx, name);
      }
      let_connect(tx, name);
    }
    tx.commit();
  });
  return secrets;
}

/// The owner got in where this login does not: its password is another one.
outcome<done> try_login(const std::string& url, const std::string& role,
                        const roles_options& options) {
  try {
    pqxx::connection connection(url);
    return done{};
  } catch (const std::exception&) {
    return reject(errc::unavailable,
                  "the role " + role +
                      " exists and its login is refused: it was made with another "
                      "password than " +
                      options.secrets_file +
                      " holds. Copy that file from the server that made the role, or set "
                      "REEVE_WRITER_URL and REEVE_READER_URL");
  }
}

}  // namespace

outcome<runtime_logins> ensure_roles(const roles_options& options) {
  try {
    if (!options.writer_url.empty() || !options.reader_url.empty()) return logins_of(options);
    auto connection = connect_session(options.owner_url, "reeve_roles");
    // Held by the session; it ends with the connection, which a process that stands still loses.
    pqxx::nontransaction(*connection).exec0("SET idle_session_timeout = '10s'");
    pqxx::nontransaction(*connection)
        .exec(std::string("SELECT pg_advisory_lock(") + roles_lock_key + ")");
    runtime_logins logins;
    name_logins(*connection, options, logins);
    const auto secrets = make_missing(*connection, options, logins);
    if (!secrets) return secrets.error();
    const auto schema = roles_in_schema(*connection, logins);
    for (const auto& [role, login] : {std::pair(schema.writer, logins.writer_role),
                                      std::pair(schema.reader, logins.reader_role)}) {
      patiently(*connection, [&] { ensure_member(*connection, role, login); });
    }
    logins.writer_url = login(*connection, logins.writer_role, secrets->writer);
    logins.reader_url = login(*connection, logins.reader_role, secrets->reader);
    if (!options.peer) {
      auto good = try_login(logins.writer_url, logins.writer_role, options);
      if (good) good = try_login(logins.reader_url, logins.reader_role, options);
      if (!good) return good.error();
    }
    logins.writer_role = schema.writer;
    logins.reader_role = schema.reader;
    return logins;
  } catch (const pqxx::insufficient_privilege&) {
    return reject(errc::unavailable,
                  "the runtime roles cannot be made: the user of DATABASE_URL needs CREATEROLE and "
                  "must own the database; or give logins that are there already by "
                  "REEVE_WRITER_URL and REEVE_READER_URL");
  } catch (const pqxx::sql_error& e) {
    return reject(errc::unavailable,
                  "the runtime roles cannot be made with DATABASE_URL: SQLSTATE " + e.sqlstate());
  } catch (const std::exception&) {
    return reject(errc::unavailable,
                  "the database of DATABASE_URL was lost while the runtime roles were made");
  }
}

}  // namespace reeve::persistence
