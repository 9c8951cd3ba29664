#include "persistence/journal_session.hpp"

#include "persistence/admission.hpp"
#include "persistence/event_codec_port.hpp"
#include "persistence/leaf.hpp"
#include "persistence/log_rights.hpp"
#include "persistence/pg_values.hpp"

#include <algorithm>
#include <array>

namespace reeve::persistence {
namespace {

// A statement for each combination of tables that was seen; far more than there are in practice.
constexpr std::size_t max_statements = 256;

std::string bytea_of(const digest& d) {
  return "\\x" + to_hex(d);
}

// The predecessor must be there, or the log must be empty: two servers that start on an empty
// log both write position 1, and one of them fails.
constexpr const char* elect_sql =
    "WITH ev AS (INSERT INTO reeve.events (position, epoch, stream, version, type,"
    " schema_version, tenant, payload, payload_format, principal, command_id, correlation_id,"
    " traceparent, recorded_at_us, leaf, hash)"
    " SELECT $1::bigint, $2::bigint, $3::text, $4::bigint, $5::text, $6::int, $7::uuid, $8::text,"
    " 0, $9::text, $10::uuid, $11::uuid, '', $12::bigint, $13::bytea, $14::bytea"
    " WHERE EXISTS (SELECT 1 FROM reeve.events"
    " WHERE position = $1::bigint - 1 AND hash = $15::bytea)"
    " OR ($1::bigint = 1 AND NOT EXISTS (SELECT 1 FROM reeve.events)) RETURNING 1),"
    " st AS (INSERT INTO reeve.streams (stream, tenant, version, position)"
    " VALUES ($3::text, $7::uuid, $4::bigint, $1::bigint) ON CONFLICT (stream) DO UPDATE"
    " SET version = excluded.version, position = excluded.position)"
    " SELECT CASE WHEN (SELECT count(*) FROM ev) <> 1 THEN reeve.refuse_batch('RV001')"
    " ELSE 0 END";

}  // namespace

journal_session::journal_session(const std::string& url)
    : connection_(connect_session(url, "reeve-writer")) {
  pqxx::nontransaction tx(*connection_);
  // The arrays of a batch have any length: one plan for all of them, and one that does not decide
  // by a table's size today to read all of it for ever.
  tx.exec0(
      "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
      "SET enable_hashjoin = off; SET enable_mergejoin = off; SET statement_timeout = '60s'");
  const auto row = tx.exec1(
      "SELECT pid, backend_start FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid()");
  backend_ = {row[0].as<int>(), row[1].c_str()};
  tx.commit();
  database_ = identity_of(*connection_);
}

bool journal_session::lock_now() {
  pqxx::nontransaction tx(*connection_);
  return tx.exec1(std::string("SELECT pg_try_advisory_lock(") + leader_lock_key + ")")[0]
      .as<bool>();
}

bool journal_session::lock_within(std::int64_t wait_ms) {
  return persistence::lock_within(*connection_, leader_lock_key, wait_ms);
}

void journal_session::terminate(const backend_id& other) {
  pqxx::nontransaction tx(*connection_);
  persistence::terminate(tx, other);
}

std::vector<lock_holder> journal_session::lock_holders() {
  pqxx::nontransaction tx(*connection_);
  return holders_of(tx, leader_lock_key);
}

void journal_session::end_when_idle_for(std::int64_t ms) {
  pqxx::nontransaction(*connection_).exec0("SET idle_session_timeout = " + std::to_string(ms));
}

uuid journal_session::origin(const uuid& proposal, time_us now) {
  pqxx::nontransaction tx(*connection_);
  // Two servers may come here at once: the first row stays, and both read it.
  tx.exec_params(
      "INSERT INTO reeve.log (origin, created_at_us) VALUES ($1::uuid, $2::bigint)"
      " ON CONFLICT (one) DO NOTHING",
      to_string(proposal), now);
  return uuid_of(tx.exec1("SELECT origin FROM reeve.log")[0]);
}

log_tail journal_session::tail(const uuid& origin) {
  pqxx::nontransaction tx(*connection_);
  const auto rows = tx.exec(
      "SELECT position, epoch, hash, recorded_at_us FROM reeve.events"
      " ORDER BY position DESC LIMIT 1");
  if (rows.empty()) return {0, 0, genesis_hash(origin), 0};
  const auto row = rows[0];
  return {row[0].as<domain::position>(), row[1].as<std::int64_t>(), digest_of(row[2]),
          row[3].as<time_us>()};
}

std::optional<leader_of_log> journal_session::last_leader(const std::string& stream) {
  pqxx::nontransaction tx(*connection_);
  const auto rows = tx.exec_params(
      "SELECT type, payload FROM reeve.events WHERE tenant = $1::uuid AND stream = $2"
      " ORDER BY version DESC LIMIT 1",
      to_string(system_tenant), stream);
  if (rows.empty()) return std::nullopt;
  domain::event_record record;
  record.type = rows[0][0].c_str();
  record.payload = rows[0][1].c_str();
  const auto event = from_record<domain::log_state>(record);
  if (!event) return leader_of_log{};
  const auto* resigned = std::get_if<domain::leader_resigned>(&*event);
  return leader_of_log{std::visit([](const auto& e) { return e.server; }, *event),
                       resigned != nullptr};
}

bool journal_session::holds(domain::position at, const digest& hash) {
  pqxx::nontransaction tx(*connection_);
  return !tx.exec_params(
                "SELECT 1 FROM reeve.events WHERE position = $1::bigint"
                " AND hash = $2::bytea",
                at, bytea_of(hash))
              .empty();
}

bool journal_session::was_accepted(domain::position at) {
  pqxx::nontransaction tx(*connection_);
  return !tx.exec_params(was_accepted_sql, at).empty();
}

bool journal_session::continues_behind(domain::position at) {
  pqxx::nontransaction tx(*connection_);
  return !tx.exec_params("SELECT 1 FROM reeve.events WHERE position = $1::bigint", at + 1).empty();
}

bool journal_session::may_append() {
  try {
    pqxx::nontransaction tx(*connection_);
    return tx.exec_params(missing_rights_sql, connection_->username()).empty();
  } catch (const pqxx::insufficient_privilege&) {
    return false;  // the schema itself
  }
}

void journal_session::make_partitions(domain::position at) {
  pqxx::nontransaction tx(*connection_);
  for (const auto n : {at / partition_size, at / partition_size + 1}) {
    tx.exec_params("SELECT reeve.make_partition($1::bigint)", n);
  }
}

bool journal_session::elect(const log_tail& tail, const domain::event_record& e) {
  try {
    pqxx::nontransaction tx(*connection_);
    tx.exec_params(elect_sql, e.position, e.epoch, e.stream, e.version, e.type, e.schema_version,
                   to_string(e.tenant), e.payload, e.meta.principal, to_string(e.meta.command_id),
                   to_string(e.meta.correlation_id), e.recorded_at_us, bytea_of(e.leaf),
                   bytea_of(e.hash), bytea_of(tail.hash));
    return true;
  } catch (const pqxx::sql_error& error) {
    if (error.sqlstate() != "23505" && error.sqlstate() != "RV001") throw;
    return false;
  }
}

const row_types& journal_session::types() {
  if (types_) return *types_;
  pqxx::nontransaction tx(*connection_);
  tx.exec0(make_row_types_sql(projections()));
  const auto rows = tx.exec(row_types_sql(projections()));
  std::vector<type_oid> numbers;
  for (const auto& row : rows) numbers.push_back(row[0].as<type_oid>());
  types_ =
      row_types{numbers.at(0), numbers.at(1), numbers.at(2), {numbers.begin() + 3, numbers.end()}};
  return *types_;
}

void journal_session::append(const batch_statement& statement) {
  auto found = prepared_.find(statement.parts);
  if (found == prepared_.end()) {
    if (prepared_.size() >= max_statements) {
      for (const auto& [parts, name] : prepared_) connection_->unprepare(name);
      prepared_.clear();
    }
    // By number: PostgreSQL tells names apart by their first 63 bytes only.
    const auto name = "append_" + std::to_string(prepared_.size());
    connection_->prepare(name, batch_sql(statement.parts));
    found = prepared_.emplace(statement.parts, name).first;
  }
  const std::vector<pqxx::binarystring> arrays(statement.arrays.begin(), statement.arrays.end());
  pqxx::nontransaction tx(*connection_);
  tx.exec_prepared(found->second, pqxx::prepare::make_dynamic_params(statement.fence),
                   pqxx::prepare::make_dynamic_params(arrays));
}

void journal_session::try_rows(const projection& of, std::span<const projection_row> rows) {
  const auto its = last_per_key(rows, &of);
  if (its.empty()) return;
  const auto array = rows_array(of, types().projections[index_of(of)], its);
  pqxx::work tx(*connection_);
  tx.exec_params(upsert_sql(of, table_of(of), "$1::" + row_type_of(of) + "[]"),
                 pqxx::binarystring(array));
  tx.exec0("SET CONSTRAINTS ALL IMMEDIATE");  // what a commit would look at
  tx.abort();
}

std::map<std::string, version_map::entry, std::less<>> journal_session::versions(
    std::span<const std::string_view> streams) {
  array_text names;
  for (const auto stream : streams) names.text(stream);
  pqxx::nontransaction tx(*connection_);
  const auto rows = tx.exec_params(
      "SELECT stream, tenant, version FROM reeve.streams WHERE stream = ANY($1::text[])",
      names.take());
  std::map<std::string, version_map::entry, std::less<>> found;
  for (const auto& row : rows) {
    found.emplace(row[0].c_str(),
                  version_map::entry{uuid_of(row[1]), row[2].as<domain::version>()});
  }
  return found;
}

std::vector<std::optional<found_command>> journal_session::commands(
    std::span<const command_key* const> keys) {
  std::array<array_text, 4> a;
  for (const auto* key : keys) {
    a[0].id(key->tenant);
    a[1].text(key->principal);
    a[2].text(key->route);
    a[3].text(key->key);
  }
  pqxx::nontransaction tx(*connection_);
  const auto rows = tx.exec_params(
      "SELECT u.n, c.request_digest, c.first_position, c.count"
      " FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])"
      " WITH ORDINALITY AS u(tenant, principal, route, key, n)"
      " JOIN reeve.commands c USING (tenant, principal, route, key)",
      a[0].take(), a[1].take(), a[2].take(), a[3].take());
  std::vector<std::optional<found_command>> found(keys.size());
  for (const auto& row : rows) {
    found.at(row[0].as<std::size_t>() - 1) = {digest_of(row[1]), row[2].as<domain::position>(),
                                              row[3].as<std::int64_t>()};
  }
  return found;
}

std::optional<domain::position> journal_session::keep(const command_key& key,
                                                      const stream_version& of,
                                                      const log_tail& tail) {
  pqxx::nontransaction tx(*connection_);
  const auto rows = tx.exec_params(
      "INSERT INTO reeve.commands (tenant, principal, route, key, request_digest, first_position,"
      " count) SELECT $1::uuid, $2, $3, $4, $5::bytea, s.position, 0"
      " FROM reeve.streams s WHERE s.stream = $6 AND s.version = $7::bigint"
      " AND EXISTS (SELECT 1 FROM reeve.events WHERE position = $8::bigint AND hash = $9::bytea)"
      " AND NOT EXISTS (SELECT 1 FROM reeve.events WHERE position = $8::bigint + 1)"
      " RETURNING first_position",
      to_string(key.tenant), key.principal, key.route, key.key, bytea_of(key.request_digest),
      of.stream, of.version, tail.position, bytea_of(tail.hash));
  if (rows.empty()) return std::nullopt;
  return rows[0][0].as<domain::position>();
}

}  // namespace reeve::persistence
