#include "persistence/pg_session.hpp"

#include "base/log.hpp"
#include "base/time.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>

namespace reeve::persistence {
namespace {

// TCP only; a unix socket reports the end of its peer by itself.
constexpr std::array session_options{"connect_timeout=5", "keepalives_idle=10",
                                     "keepalives_interval=5", "keepalives_count=3",
                                     "tcp_user_timeout=15000"};

std::string with_options(const std::string& url, const std::string& name) {
  const bool is_uri = url.starts_with("postgres://") || url.starts_with("postgresql://");
  std::string text = url;
  const auto add = [&](const std::string& option) {
    if (is_uri) {
      text += text.find('?') == text.npos ? '?' : '&';
    } else {
      text += ' ';
    }
    text += option;
  };
  for (const auto* option : session_options) add(option);
  add("application_name=" + name);
  return text;
}

// Each in a block of its own: a role without the right to set one still gets the others.
constexpr std::string_view quiet_logs =
    "DO $$ BEGIN SET log_min_error_statement = 'panic';"
    " EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;"
    "DO $$ BEGIN SET log_error_verbosity = 'terse';"
    " EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;"
    "DO $$ BEGIN SET log_statement = 'none';"
    " EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;"
    "DO $$ BEGIN SET log_parameter_max_length = 0;"
    " EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;"
    "DO $$ BEGIN SET log_parameter_max_length_on_error = 0;"
    " EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";

// Of a client that stands still (frozen, or cut off) nothing may be held for longer than the next
// leader takes to come; who has work of its own to do in a transaction sets more. PostgreSQL
// notices the end of a host as soon as we do; without tcp_user_timeout, which would end a reader
// that is slow.
constexpr std::string_view of_one_that_stands_still =
    ";SET idle_in_transaction_session_timeout = '4s';"
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";

/// Not as often as a client repeats what is refused.
void log_code(const std::string& sqlstate) {
  static std::mutex mutex;
  static std::map<std::string, std::int64_t> told_at_us;
  const std::lock_guard lock(mutex);
  const auto now = real_clock().mono_us();
  const auto [at, is_new] = told_at_us.emplace(sqlstate, now);
  if (!is_new && now - at->second < 60 * us_per_second) return;
  at->second = now;
  log_warn("the database did not do what was asked of it", {{"sqlstate", sqlstate}});
}

rejection rejection_with(const std::string& code, const sql_trouble& trouble) {
  if (trouble.lost) return reject(errc::unavailable, "the connection to the database was lost");
  if (trouble.is_passing()) {
    return reject(errc::unavailable, "the database cannot do it now" + code);
  }
  if (trouble.is_forbidden()) {
    return reject(errc::unavailable, "the server's role may not do it" + code + ": reeve doctor");
  }
  if (trouble.sqlstate == "3F000" || trouble.sqlstate == "42P01") {
    return reject(errc::unavailable, "the database has no schema of ours: run the migrations");
  }
  return reject(errc::internal, "the database refused a statement" + code);
}

rejection unsafe(const std::string& setting, const std::string& must) {
  return reject(errc::invalid, "the database is refused: " + setting + " must be " + must, setting);
}

}  // namespace

bool sql_trouble::is_passing() const {
  const std::string_view state = sqlstate;
  return state.starts_with("53") || state.starts_with("57") || state.starts_with("58") ||
         state.starts_with("40") || state == "55P03" || state == "25006";
}

std::string_view sql_trouble::standstill() const {
  if (is_forbidden()) return "the server's role may not write the log; see reeve doctor";
  if (sqlstate == "53100") return "the disk of the database is full";
  if (sqlstate == "58030") return "the database cannot read or write its disk";
  if (sqlstate == "25006") return "the database is read only";
  return {};
}

sql_trouble trouble_of_current(const pqxx::connection& connection) {
  sql_trouble trouble;
  try {
    throw;
  } catch (const pqxx::broken_connection&) {
    trouble.lost = true;
  } catch (const pqxx::in_doubt_error&) {
    trouble.lost = true;
  } catch (const pqxx::insufficient_privilege&) {
    trouble.sqlstate = "42501";  // libpqxx 6.4.5 leaves it out of this one
  } catch (const pqxx::sql_error& e) {
    trouble.sqlstate = e.sqlstate();
    // The server said goodbye: shutdown, crash of another backend, pg_terminate_backend, and what
    // took too long (25P03 and 25P04).
    trouble.lost = trouble.sqlstate.starts_with("57P") || trouble.sqlstate.starts_with("08") ||
                   trouble.sqlstate == "25P03" || trouble.sqlstate == "25P04";
  } catch (const pqxx::deadlock_detected&) {
    trouble.sqlstate = "40P01";
  } catch (const pqxx::serialization_failure&) {
    trouble.sqlstate = "40001";
  } catch (const pqxx::statement_completion_unknown&) {
    trouble.lost = true;
  } catch (const pqxx::transaction_rollback&) {
    trouble.sqlstate = "40000";
  } catch (const std::exception&) {
    // A conversion of ours, or memory: the session's state is not known, so it is given up.
    trouble.lost = true;
  }
  if (!connection.is_open()) trouble.lost = true;
  return trouble;
}

std::unique_ptr<pqxx::connection> connect_session(const std::string& url, const std::string& name) {
  auto connection = std::make_unique<pqxx::connection>(with_options(url, name));
  pqxx::nontransaction tx(*connection);
  tx.exec0(std::string(quiet_logs));
  tx.exec0(
      "SET search_path = ''; SET client_encoding = 'UTF8'; SET timezone = 'UTC';"
      "SET client_min_messages = 'error'; SET jit = off; SET bytea_output = 'hex'" +
      std::string(of_one_that_stands_still));
  return connection;
}

std::string connection_word(std::string_view value) {
  std::string word = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') word += '\\';
    word += c;
  }
  return word + "'";
}

database_settings read_settings(pqxx::connection& connection) {
  pqxx::nontransaction tx(connection);
  const auto row = tx.exec1(
      "SELECT current_setting('server_version_num')::int, pg_is_in_recovery(),"
      " current_setting('fsync'), current_setting('full_page_writes'),"
      " current_setting('synchronous_commit'), current_setting('server_encoding'),"
      " current_setting('log_statement'), current_setting('log_min_duration_statement'),"
      " current_setting('log_min_duration_sample'), current_setting('log_parameter_max_length'),"
      " current_setting('log_parameter_max_length_on_error')");
  database_settings s;
  s.server_version = row[0].as<int>();
  s.in_recovery = row[1].as<bool>();
  s.fsync = row[2].c_str();
  s.full_page_writes = row[3].c_str();
  s.synchronous_commit = row[4].c_str();
  s.server_encoding = row[5].c_str();
  s.log_statement = row[6].c_str();
  s.log_min_duration_statement = row[7].c_str();
  s.log_min_duration_sample = row[8].c_str();
  s.log_parameter_max_length = row[9].c_str();
  s.log_parameter_max_length_on_error = row[10].c_str();
  return s;
}

outcome<done> check_settings(const database_settings& s) {
  if (s.server_version < 150000) return unsafe("server_version", "15 or later");
  if (s.server_encoding != "UTF8") return unsafe("server_encoding", "UTF8");
  if (s.fsync != "on") return unsafe("fsync", "on");
  if (s.full_page_writes != "on") return unsafe("full_page_writes", "on");
  if (s.synchronous_commit == "off") return unsafe("synchronous_commit", "on");
  if (s.log_parameter_max_length_on_error != "0") {
    return unsafe("log_parameter_max_length_on_error", "0");
  }
  // Statements are always prepared, so their text has no values; their parameters are the values.
  const bool logs_statements = s.log_statement == "mod" || s.log_statement == "all" ||
                               s.log_min_duration_statement != "-1" ||
                               s.log_min_duration_sample != "-1";
  if (logs_statements && s.log_parameter_max_length != "0") {
    return unsafe("log_parameter_max_length", "0 where statements are logged");
  }
  if (s.in_recovery) return reject(errc::unavailable, "the database is a standby");
  return done{};
}

database_identity identity_of(pqxx::connection& connection) {
  pqxx::nontransaction tx(connection);
  // The name of a WAL file begins with its timeline; pg_control_checkpoint() lags behind it.
  const auto row = tx.exec1(
      "SELECT (SELECT system_identifier::text FROM pg_control_system()),"
      " ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint");
  return {row[0].as<std::string>(), row[1].as<std::int64_t>()};
}

rejection rejection_of(const sql_trouble& trouble) {
  return rejection_with(" (" + trouble.sqlstate + ")", trouble);
}

rejection answer_of(const sql_trouble& trouble) {
  if (!trouble.lost && !trouble.sqlstate.empty()) log_code(trouble.sqlstate);
  return rejection_with({}, trouble);
}

rejection rejection_of_try(const sql_trouble& trouble) {
  auto why = rejection_of(trouble);
  if (trouble.lost || trouble.is_passing()) return why;
  why.code = trouble.is_forbidden() ? errc::forbidden : errc::internal;
  return why;
}

}  // namespace reeve::persistence
