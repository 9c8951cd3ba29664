#include "persistence/command_sweep.hpp"

#include "persistence/pg_session.hpp"

namespace reeve::persistence {
namespace {

constexpr const char* count_sql =
    "UPDATE reeve.command_marks SET looked_by = $1::uuid,"
    " waited_us = waited_us + CASE WHEN looked_by = $1::uuid THEN $2::bigint ELSE 0 END";

// Not again while no newer key has come.
constexpr const char* mark_sql =
    "INSERT INTO reeve.command_marks (kept_to, waited_us, looked_by)"
    " SELECT kept_as, 0, $1::uuid FROM reeve.commands ORDER BY kept_as DESC LIMIT 1"
    " ON CONFLICT DO NOTHING";

constexpr const char* sweep_sql =
    "DELETE FROM reeve.commands WHERE kept_as IN (SELECT kept_as FROM reeve.commands"
    " WHERE kept_as <= (SELECT max(kept_to) FROM reeve.command_marks WHERE waited_us >= $1::bigint)"
    " ORDER BY kept_as LIMIT $2::bigint)";

// The newest of the old ones stays: it says how far the sweep may go the next time.
constexpr const char* forget_sql =
    "DELETE FROM reeve.command_marks WHERE kept_to <"
    " (SELECT max(kept_to) FROM reeve.command_marks WHERE waited_us >= $1::bigint)";

void count(pqxx::connection& connection, const command_look& look) {
  pqxx::work tx(connection);
  tx.exec_params(count_sql, to_string(look.by), look.passed_us);
  tx.exec_params(mark_sql, to_string(look.by));
  tx.exec_params(forget_sql, command_lifetime_us);
  tx.commit();
}

}  // namespace

outcome<std::int64_t> sweep_commands(const std::string& url, const command_look& look,
                                     std::int64_t batch, int batches) {
  try {
    auto connection = connect_session(url, "reeve-sweep");
    // Another server may be sweeping; blobs wait behind this one.
    pqxx::nontransaction(*connection).exec0("SET lock_timeout = '5s'");
    count(*connection, look);
    std::int64_t gone = 0;
    for (int i = 0; i < batches; ++i) {
      pqxx::work tx(*connection);
      const auto rows = static_cast<std::int64_t>(
          tx.exec_params(sweep_sql, command_lifetime_us, batch).affected_rows());
      tx.commit();
      gone += rows;
      if (rows < batch) break;
    }
    return gone;
  } catch (const std::exception&) {
    return reject(errc::unavailable, "old idempotency keys cannot be removed now");
  }
}

}  // namespace reeve::persistence
