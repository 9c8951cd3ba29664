#include "persistence/advisory_locks.hpp"

#include <algorithm>

namespace reeve::persistence {

std::vector<lock_holder> holders_of(pqxx::transaction_base& tx, const char* key) {
  const auto rows =
      tx.exec(std::string("SELECT l.pid, a.backend_start, coalesce(a.state_change::text, ''),"
                          " a.state_change IS NOT NULL AND coalesce(a.state <> 'active'"
                          " OR a.wait_event = 'ClientRead', false)"
                          " FROM pg_catalog.pg_locks l"
                          " JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
                          " JOIN pg_catalog.pg_database d ON d.oid = l.database"
                          " WHERE d.datname = current_database() AND l.locktype = 'advisory'"
                          " AND l.granted AND a.backend_start IS NOT NULL"
                          " AND ((l.classid::bigint << 32) | l.objid::bigint) = ") +
              key);
  std::vector<lock_holder> holders;
  for (const auto& row : rows) {
    holders.push_back({{row[0].as<int>(), row[1].c_str()}, row[2].c_str(), row[3].as<bool>()});
  }
  return holders;
}

bool is_held_by(pqxx::transaction_base& tx, const char* key, int pid) {
  return !tx.exec_params(
                std::string("SELECT 1 FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d"
                            " ON d.oid = l.database WHERE d.datname = current_database()"
                            " AND l.locktype = 'advisory' AND l.granted AND l.pid = $1::int"
                            " AND ((l.classid::bigint << 32) | l.objid::bigint) = ") +
                    key,
                pid)
              .empty();
}

void terminate(pqxx::transaction_base& tx, const backend_id& one) {
  tx.exec_params(
      "SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
      " WHERE pid = $1::int AND backend_start = $2::timestamptz",
      one.pid, one.started);
}

bool lock_within(pqxx::connection& connection, const char* key, std::int64_t wait_ms) {
  try {
    pqxx::nontransaction tx(connection);
    tx.exec0("SET lock_timeout = " + std::to_string(std::max<std::int64_t>(1, wait_ms)));
    tx.exec1(std::string("SELECT pg_advisory_lock(") + key + ")");
    tx.exec0("SET lock_timeout = 0");
    return true;
  } catch (const pqxx::sql_error& e) {
    if (e.sqlstate() != "55P03") throw;
  }
  pqxx::nontransaction tx(connection);
  tx.exec0("SET lock_timeout = 0");
  return false;
}

}  // namespace reeve::persistence
