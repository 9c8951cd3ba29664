#include "persistence/startup.hpp"

#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"

namespace reeve::persistence {
namespace {

uuid id_of(const pqxx::field& field) {
  return parse_uuid(field.c_str()).value_or(uuid{});
}

template <class Read>
auto with_session(const std::string& url, Read read)
    -> outcome<decltype(read(std::declval<pqxx::transaction_base&>()))> {
  try {
    auto connection = connect_session(url, "reeve_startup");
    pqxx::read_transaction transaction(*connection);
    return read(transaction);
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the database cannot be read");
  }
}

/// Payloads have one form, so a text can be looked for; an election has no member that a client
/// chose.
std::vector<accepted_row> read_accepted(pqxx::transaction_base& t) {
  const auto rows = t.exec_params(
      "SELECT e.position, e.hash FROM reeve.events e, reeve.log l WHERE e.tenant = $1::uuid"
      " AND e.stream = 'log-' || l.origin AND e.type = 'leader_elected'"
      " AND e.payload LIKE '%\"accepted\":\"asked\"%' ORDER BY e.version",
      to_string(system_tenant));
  std::vector<accepted_row> all;
  for (const auto& row : rows) {
    all.push_back({row[0].as<domain::position>(), digest_of(row[1])});
  }
  return all;
}

startup_rows read_rows(pqxx::transaction_base& t) {
  startup_rows rows;
  rows.position = t.exec1("SELECT reeve.head()")[0].as<domain::position>();
  for (const auto& r :
       t.exec("SELECT id, name FROM reeve_read.tenants ORDER BY created_position")) {
    rows.tenants.push_back({id_of(r[0]), r[1].as<std::string>()});
  }
  for (const auto& r : t.exec("SELECT tenant, id, is_active, role, secret_hash FROM "
                              "reeve_read.tokens ORDER BY created_position, id")) {
    token_row token;
    token.tenant = id_of(r[0]);
    token.id = id_of(r[1]);
    token.is_active = r[2].as<bool>();
    // A role that this program does not know gives no rights at all.
    if (!domain::from_name(r[3].c_str(), token.role)) continue;
    const auto hash = digest_from_hex(r[4].c_str());
    if (!hash) continue;
    token.secret_hash = *hash;
    rows.tokens.push_back(token);
  }
  rows.real_engine_seen =
      !t.exec("SELECT 1 FROM reeve_read.singletons WHERE id = 'engine_docker' LIMIT 1").empty();
  rows.accepted = read_accepted(t);
  return rows;
}

}  // namespace

std::optional<uuid> first_tenant_of(std::span<const tenant_row> tenants) {
  for (const auto& one : tenants) {
    if (one.id != system_tenant) return one.id;
  }
  return std::nullopt;
}

outcome<startup_rows> read_startup(const std::string& writer_url) {
  return with_session(writer_url, read_rows);
}

outcome<std::vector<domain::active_run>> read_active_runs(const std::string& writer_url) {
  return with_session(writer_url, [](pqxx::transaction_base& t) {
    std::vector<domain::active_run> runs;
    for (const auto& r : t.exec("SELECT tenant, id FROM reeve_read.runs WHERE status IN "
                                "('pending', 'running') ORDER BY created_position, id")) {
      runs.push_back({id_of(r[0]), id_of(r[1])});
    }
    return runs;
  });
}

}  // namespace reeve::persistence
