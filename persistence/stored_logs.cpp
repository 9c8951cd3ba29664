#include "persistence/stored_logs.hpp"

#include "persistence/pg_values.hpp"

#include <utility>

namespace reeve::persistence {
namespace {

/// A step: each of them is looked up in three tables.
constexpr int step_jobs = 500;

class composed {
 public:
  std::string param(std::string value, const char* type) {
    out.params.push_back(std::move(value));
    return "$" + std::to_string(out.params.size()) + "::" + type;
  }
  std::string param(std::int64_t value) { return param(std::to_string(value), "bigint"); }

  read_query out;
};

/// The jobs that are walked, in the order of the list.
std::string walk_of(composed& to, const stored_log_query& query) {
  auto sql =
      "SELECT tenant, id, run_id, created_position, doc FROM reeve_read.jobs WHERE tenant = " +
      to.param(to_string(query.tenant), "uuid");
  if (query.job) sql += " AND id = " + to.param(to_string(*query.job), "uuid");
  if (query.run) sql += " AND run_id = " + to.param(to_string(*query.run), "uuid");
  if (query.from) {
    sql += std::string(" AND (created_position, id) ") + (query.from->attempt > 0 ? "<=" : "<") +
           " (" + to.param(query.from->created_position) + ", " +
           to.param(to_string(query.from->job), "uuid") + ")";
  }
  return sql + " ORDER BY created_position DESC, id DESC LIMIT " + std::to_string(step_jobs);
}

/// Which logs of theirs fit. By when they were stored: by the position of the event that says so.
std::string fits_of(composed& to, const stored_log_query& query) {
  std::string sql =
      "b.tenant = w.tenant AND b.job_id = w.id AND b.name LIKE 'log-%' AND b.bytes > 0";
  if (query.directive) {
    sql += " AND r.directive_id = " + to.param(to_string(*query.directive), "uuid");
  }
  if (query.since_us) {
    sql += " AND b.created_position > (SELECT reeve.position_at(" + to.param(*query.since_us - 1) +
           "))";
  }
  if (query.until_us) {
    sql += " AND b.created_position <= (SELECT reeve.position_at(" + to.param(*query.until_us - 1) +
           "))";
  }
  return sql;
}

/// Rows: the logs that fit, and the last job of a whole step, by which the walk goes on.
read_query compose(const stored_log_query& query) {
  composed to;
  const auto walk = walk_of(to, query);
  const auto fits = fits_of(to, query);
  const auto last = std::to_string(step_jobs);
  to.out.sql =
      "SELECT w.created_position, w.id, w.run_id, substr(b.name, 5)::bigint AS attempt,"
      " CASE WHEN b.name IS NOT NULL THEN w.doc::json ->> 'name' END, r.directive_name, b.sha256,"
      " b.bytes, w.n = " +
      last +
      ", split_part(s.name, '-', 1), s.sha256, s.bytes"
      " FROM (SELECT j.*, row_number() OVER (ORDER BY j.created_position DESC, j.id DESC) AS n"
      " FROM (" +
      walk +
      ") j) w JOIN reeve_read.runs r ON r.tenant = w.tenant AND r.id = w.run_id"
      " LEFT JOIN reeve_read.blob_refs b ON " +
      fits +
      " LEFT JOIN reeve_read.blob_refs s ON s.tenant = b.tenant AND s.job_id = b.job_id AND s.name"
      " IN ('streams-' || substr(b.name, 5), 'stdout-' || substr(b.name, 5),"
      " 'stderr-' || substr(b.name, 5)) WHERE b.name IS NOT NULL OR w.n = " +
      last + " ORDER BY w.n, attempt DESC";
  return std::move(to.out);
}

/// By the name under which the projection has it (persistence/projections/runs.cpp).
std::optional<domain::log_streams> streams_of(const pqxx::row& row) {
  if (row[9].is_null()) return std::nullopt;
  const auto name = row[9].as<std::string>();
  const domain::blob_ref blob{digest_of(row[10]), row[11].as<std::int64_t>(), false};
  if (name == "stdout") return domain::log_streams{blob.bytes, 0, {}};
  if (name == "stderr") return domain::log_streams{0, blob.bytes, {}};
  return domain::log_streams{0, 0, blob};
}

}  // namespace

read_turn turn_of(const stored_log_query& query) {
  return {query.asked_by == uuid{} ? query.tenant : query.asked_by, !query.run && !query.job};
}

outcome<stored_log_page> read_stored_logs(read_session& session, const stored_log_query& query) {
  stored_log_page page;
  for (const auto& row : session.query(query.tenant, compose(query))) {
    stored_log one;
    one.created_position = row[0].as<domain::position>();
    one.job = uuid_of(row[1]);
    if (row[8].as<bool>()) page.next = stored_log_place{one.created_position, one.job, 0};
    if (row[3].is_null()) continue;
    one.run = uuid_of(row[2]);
    one.attempt = row[3].as<std::int64_t>();
    one.job_name = row[4].as<std::string>("");
    one.directive_name = row[5].as<std::string>("");
    one.sha256 = digest_of(row[6]);
    one.bytes = row[7].as<std::int64_t>();
    one.streams = streams_of(row);
    const bool is_past =
        query.from && one.job == query.from->job && one.attempt > query.from->attempt;
    if (!is_past) page.logs.push_back(std::move(one));
  }
  return page;
}

}  // namespace reeve::persistence
