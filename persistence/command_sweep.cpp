#include "persistence/command_sweep.hpp"

#include "persistence/pg_session.hpp"

namespace reeve::persistence {
namespace {

// Looked at twice: the journal may have taken an expired key for a new request in between.
constexpr const char* sweep_sql =
    "WITH old AS (SELECT tenant, principal, route, key FROM reeve.commands"
    " WHERE expires_at_us <= $1::bigint ORDER BY expires_at_us LIMIT $2::bigint)"
    " DELETE FROM reeve.commands c USING old WHERE c.tenant = old.tenant"
    " AND c.principal = old.principal AND c.route = old.route AND c.key = old.key"
    " AND c.expires_at_us <= $1::bigint";

}  // namespace

outcome<std::int64_t> sweep_commands(const std::string& url, time_us now_us, std::int64_t batch,
                                     int batches) {
  try {
    auto connection = connect_session(url, "reeve-sweep");
    std::int64_t gone = 0;
    for (int i = 0; i < batches; ++i) {
      pqxx::work tx(*connection);
      const auto rows =
          static_cast<std::int64_t>(tx.exec_params(sweep_sql, now_us, batch).affected_rows());
      tx.commit();
      gone += rows;
      if (rows < batch) break;
    }
    return gone;
  } catch (const std::exception&) {
    return reject(errc::unavailable, "expired idempotency keys cannot be removed now");
  }
}

}  // namespace reeve::persistence
