#include "persistence/journal_sql.hpp"

#include <algorithm>
#include <sstream>
#include <unordered_map>

namespace reeve::persistence {
namespace {

constexpr std::string_view new_streams = "new", old_streams = "old", has_commands = "commands",
                           has_stale = "stale";

// The columns that this program writes, whatever else a later migration adds.
const std::vector<column>& event_columns_of_log() {
  static const std::vector<column> columns{{"position", "bigint"},
                                           {"epoch", "bigint"},
                                           {"stream", "text"},
                                           {"version", "bigint"},
                                           {"type", "text"},
                                           {"schema_version", "int"},
                                           {"tenant", "uuid"},
                                           {"payload", "text"},
                                           {"payload_format", "int"},
                                           {"key_id", "uuid"},
                                           {"principal", "text"},
                                           {"command_id", "uuid"},
                                           {"request_digest", "bytea"},
                                           {"correlation_id", "uuid"},
                                           {"causation_id", "bigint"},
                                           {"traceparent", "text"},
                                           {"recorded_at_us", "bigint"},
                                           {"leaf", "bytea"},
                                           {"hash", "bytea"}};
  return columns;
}

const std::vector<column>& stream_columns() {
  static const std::vector<column> columns{
      {"stream", "text"}, {"tenant", "uuid"}, {"version", "bigint"}, {"position", "bigint"}};
  return columns;
}

const std::vector<column>& command_columns() {
  static const std::vector<column> columns{
      {"tenant", "uuid"}, {"principal", "text"},       {"route", "text"},
      {"key", "text"},    {"request_digest", "bytea"}, {"first_position", "bigint"},
      {"count", "bigint"}};
  return columns;
}

/// A table, the row type that its rows travel in, and its columns.
struct target {
  std::string table;
  std::string type;
  const std::vector<column>* columns;
};

const target& events_target() {
  static const target to{"reeve.events", "pg_temp.reeve_events", &event_columns_of_log()};
  return to;
}
const target& streams_target() {
  static const target to{"reeve.streams", "pg_temp.reeve_streams", &stream_columns()};
  return to;
}
const target& commands_target() {
  static const target to{"reeve.commands", "pg_temp.reeve_commands", &command_columns()};
  return to;
}
target target_of(const projection& of) {
  return {table_of(of), row_type_of(of), &of.columns};
}

std::vector<target> targets(projection_span list) {
  std::vector<target> all{events_target(), streams_target(), commands_target()};
  for (const auto* one : list) all.push_back(target_of(*one));
  return all;
}

/// "$7::TYPE[]"
std::string placeholder(int number, std::string_view type) {
  std::string text = "$";
  text += std::to_string(number);
  text += "::";
  text += type;
  text += "[]";
  return text;
}

std::string joined(std::span<const std::string> parts) {
  std::string text;
  for (const auto& part : parts) {
    if (!text.empty()) text += ", ";
    text += part;
  }
  return text;
}

std::string names_of(const std::vector<column>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.emplace_back(column.name);
  return joined(names);
}

std::string typed(const std::vector<column>& columns) {
  std::vector<std::string> parts;
  for (const auto& column : columns) {
    parts.push_back(std::string(column.name) + " " + std::string(column.type));
  }
  return joined(parts);
}

std::string insert_sql(const target& to, const std::string& array) {
  const auto names = names_of(*to.columns);
  return "INSERT INTO " + to.table + " (" + names + ") SELECT " + names + " FROM unnest(" + array +
         ")";
}

std::string insert_sql(const target& to, int& next) {
  return insert_sql(to, placeholder(next++, to.type));
}

std::string streams_update(int& next) {
  const int p = next;
  next += 4;
  return "UPDATE reeve.streams s SET version = u.version, position = u.position FROM unnest(" +
         placeholder(p, "text") + ", " + placeholder(p + 1, "bigint") + ", " +
         placeholder(p + 2, "bigint") + ", " + placeholder(p + 3, "bigint") +
         ") AS u(stream, base, version, position)"
         " WHERE s.stream = u.stream AND s.version = u.base RETURNING 1";
}

/// A state that outlives this process: nobody trusts the table until it is built anew.
std::string stale_sql(int& next) {
  const int p = next;
  next += 2;
  return "INSERT INTO reeve.projections AS p (name, version, columns, state, checkpoint,"
         " stale_from) SELECT u.name, 0, '', 'stale', 0, u.at FROM unnest(" +
         placeholder(p, "text") + ", " + placeholder(p + 1, "bigint") +
         ") AS u(name, at) ON CONFLICT (name) DO UPDATE SET state = 'stale',"
         " stale_from = COALESCE(p.stale_from, excluded.stale_from)"
         " WHERE p.state <> 'stale' OR p.stale_from IS NULL";
}

void add_part(batch_statement& out, std::string_view part) {
  if (!out.parts.empty()) out.parts.push_back(' ');
  out.parts += part;
}

void add_event(const domain::event_record& e, binary_array& rows) {
  rows.begin_row(event_columns_of_log().size());
  rows.bigint(e.position);
  rows.bigint(e.epoch);
  rows.text(e.stream);
  rows.bigint(e.version);
  rows.text(e.type);
  rows.integer(e.schema_version);
  rows.id(e.tenant);
  rows.text(e.payload);
  rows.integer(e.payload_format);
  e.key_id ? rows.id(*e.key_id) : rows.null(oid_uuid);
  rows.text(e.meta.principal);
  rows.id(e.meta.command_id);
  e.meta.request_digest ? rows.bytes(as_view(*e.meta.request_digest)) : rows.null(oid_bytea);
  rows.id(e.meta.correlation_id);
  e.meta.causation_id ? rows.bigint(*e.meta.causation_id) : rows.null(oid_bigint);
  rows.text(e.meta.traceparent);
  rows.bigint(e.recorded_at_us);
  rows.bytes(as_view(e.leaf));
  rows.bytes(as_view(e.hash));
  rows.end_row();
}

void add_events(const batch_content& content, type_oid type, batch_statement& out) {
  constexpr std::size_t usual_bytes = 512;  // of a row without its payload
  std::size_t bytes = 0;
  for (const auto& e : content.events) bytes += usual_bytes + e.payload.size();
  binary_array rows(type, bytes);
  for (const auto& e : content.events) add_event(e, rows);
  out.fence = {std::to_string(content.predecessor), "\\x" + to_hex(content.predecessor_hash),
               std::to_string(content.epoch)};
  out.arrays.push_back(rows.take());
}

void add_streams(const batch_content& content, type_oid type, batch_statement& out) {
  binary_array fresh(type), moved(oid_text), bases(oid_bigint), versions(oid_bigint),
      positions(oid_bigint);
  for (const auto& move : content.moves) {
    if (move.base == 0) {
      fresh.begin_row(stream_columns().size());
      fresh.text(move.stream);
      fresh.id(move.tenant);
      fresh.bigint(move.version);
      fresh.bigint(move.position);
      fresh.end_row();
    } else {
      moved.text(move.stream);
      bases.bigint(move.base);
      versions.bigint(move.version);
      positions.bigint(move.position);
    }
  }
  if (!fresh.empty()) {
    add_part(out, new_streams);
    out.arrays.push_back(fresh.take());
  }
  if (!moved.empty()) {
    add_part(out, old_streams);
    for (auto* array : {&moved, &bases, &versions, &positions}) {
      out.arrays.push_back(array->take());
    }
  }
}

void add_commands(const batch_content& content, type_oid type, batch_statement& out) {
  if (content.commands.empty()) return;
  binary_array rows(type);
  for (const auto& row : content.commands) {
    rows.begin_row(command_columns().size());
    rows.id(row.key->tenant);
    rows.text(row.key->principal);
    rows.text(row.key->route);
    rows.text(row.key->key);
    rows.bytes(as_view(row.key->request_digest));
    rows.bigint(row.first_position);
    rows.bigint(row.count);
    rows.end_row();
  }
  add_part(out, has_commands);
  out.arrays.push_back(rows.take());
}

void add_stale(const batch_content& content, batch_statement& out) {
  if (content.stale.empty()) return;
  binary_array names(oid_text), positions(oid_bigint);
  for (const auto& mark : content.stale) {
    names.text(mark.of->name);
    positions.bigint(mark.from);
  }
  add_part(out, has_stale);
  out.arrays.push_back(names.take());
  out.arrays.push_back(positions.take());
}

void add_rows(const batch_content& content, const row_types& types, projection_span list,
              batch_statement& out) {
  std::unordered_map<const projection*, std::vector<const projection_row*>> by_table;
  for (const auto* row : last_per_key(content.rows)) by_table[row->of].push_back(row);
  for (std::size_t t = 0; t < list.size(); ++t) {
    const auto rows = by_table.find(list[t]);
    if (rows == by_table.end()) continue;
    add_part(out, std::to_string(t));
    out.arrays.push_back(rows_array(*list[t], types.projections[t], rows->second));
  }
}

std::string key_of(const projection_row& row) {
  const auto& columns = row.of->columns;
  std::string key(row.of->name);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (!columns[c].is_key) continue;
    // No text that PostgreSQL accepts holds a NUL, so it separates.
    key.push_back('\0');
    if (row.cells[c]) key += *row.cells[c];
  }
  return key;
}

}  // namespace

std::vector<const projection_row*> last_per_key(std::span<const projection_row> rows,
                                                const projection* only) {
  std::vector<const projection_row*> kept;
  std::unordered_map<std::string, std::size_t> seen;
  if (only == nullptr) kept.reserve(rows.size());
  for (const auto& row : rows) {
    if (only != nullptr && row.of != only) continue;
    const auto [at, fresh] = seen.try_emplace(key_of(row), kept.size());
    if (fresh) {
      kept.push_back(&row);
    } else {
      kept[at->second] = &row;
    }
  }
  return kept;
}

std::string row_type_of(const projection& of) {
  return "pg_temp.reeve_read_" + std::string(of.name);
}

std::string typed_columns_of(const projection& of) {
  return typed(of.columns);
}

std::string on_conflict_sql(const std::vector<column>& columns) {
  std::vector<std::string> keys, updates;
  for (const auto& column : columns) {
    if (column.is_key) {
      keys.emplace_back(column.name);
    } else {
      updates.push_back(std::string(column.name) + " = excluded." + std::string(column.name));
    }
  }
  // A row that is all key is already as it should be.
  return " ON CONFLICT (" + joined(keys) + ") DO " +
         (updates.empty() ? "NOTHING" : "UPDATE SET " + joined(updates));
}

std::string upsert_sql(const projection& of, const std::string& table, const std::string& array) {
  return insert_sql({table, "", &of.columns}, array) + on_conflict_sql(of.columns);
}

std::string rows_array(const projection& of, type_oid type,
                       std::span<const projection_row* const> rows) {
  binary_array array(type);
  for (const auto* row : rows) {
    array.begin_row(of.columns.size());
    for (std::size_t c = 0; c < of.columns.size(); ++c) {
      array.cell(oid_of(of.columns[c].type), row->cells[c]);
    }
    array.end_row();
  }
  return array.take();
}

std::string make_row_types_sql(projection_span list) {
  std::string sql;
  for (const auto& to : targets(list)) {
    sql += "CREATE TYPE " + to.type + " AS (" + typed(*to.columns) + ");";
  }
  return sql;
}

std::string row_types_sql(projection_span list) {
  std::vector<std::string> names;
  for (const auto& to : targets(list)) names.push_back("'" + to.type + "'");
  return "SELECT t::pg_catalog.regtype::oid FROM unnest(ARRAY[" + joined(names) +
         "]) WITH ORDINALITY AS u(t, n) ORDER BY n";
}

batch_statement compose_batch(const batch_content& content, const row_types& types,
                              projection_span list) {
  batch_statement out;
  add_events(content, types.events, out);
  add_streams(content, types.streams, out);
  add_commands(content, types.commands, out);
  add_stale(content, out);
  add_rows(content, types, list, out);
  return out;
}

std::string batch_sql(std::string_view parts, projection_span list) {
  // $1..$3 are the predecessor's position, its hash and the epoch; $4 are the events.
  int next = 4;
  std::string sql =
      "WITH fence AS MATERIALIZED (SELECT 1 FROM reeve.events"
      " WHERE position = $1::bigint AND hash = $2::bytea AND epoch = $3::bigint),"
      " ev AS (" +
      insert_sql(events_target(), next) + " WHERE EXISTS (SELECT 1 FROM fence) RETURNING 1)";
  int moved = 0;
  std::istringstream words{std::string(parts)};
  for (std::string part; words >> part;) {
    if (part == new_streams) {
      sql += ", sn AS (" + insert_sql(streams_target(), next) + ")";
    } else if (part == old_streams) {
      moved = next;
      sql += ", so AS (" + streams_update(next) + ")";
    } else if (part == has_commands) {
      sql += ", cm AS (" + insert_sql(commands_target(), next) + ")";
    } else if (part == has_stale) {
      sql += ", st AS (" + stale_sql(next) + ")";
    } else {
      const auto& of = *list[std::stoul(part)];
      const auto array = placeholder(next++, target_of(of).type);
      sql += ", t" + part + " AS (" + upsert_sql(of, table_of(of), array) + ")";
    }
  }
  sql += " SELECT CASE WHEN (SELECT count(*) FROM ev) <> cardinality(" +
         placeholder(4, events_target().type) + ") THEN reeve.refuse_batch('RV001')";
  if (moved != 0) {
    sql += " WHEN (SELECT count(*) FROM so) <> cardinality(" + placeholder(moved, "text") +
           ") THEN reeve.refuse_batch('RV002')";
  }
  return sql + " ELSE 0 END";
}

}  // namespace reeve::persistence
