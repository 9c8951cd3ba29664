#include "persistence/journal_sql.hpp"

#include "persistence/projection_tables.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

namespace reeve::persistence {
namespace {

// A statement's name says what it holds: 'n' new streams, 'o' older streams, 'c' commands, then a
// letter from 'A' for each table.
constexpr char new_streams = 'n', old_streams = 'o', has_commands = 'c', first_table = 'A';

// $1..$3 are the predecessor's position, its hash and the epoch; $4 are the events.
constexpr std::string_view events_sql =
    "WITH fence AS MATERIALIZED (SELECT 1 FROM reeve.events"
    " WHERE position = $1::bigint AND hash = $2::bytea AND epoch = $3::bigint),"
    " ev AS (INSERT INTO reeve.events SELECT * FROM unnest($4::reeve.events[])"
    " WHERE EXISTS (SELECT 1 FROM fence) RETURNING 1)";
constexpr int after_events = 5;
constexpr std::size_t event_columns = 19, stream_columns = 4, command_columns = 8;

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

std::string insert_sql(std::string_view table, int& next) {
  return "INSERT INTO " + std::string(table) + " SELECT * FROM unnest(" +
         placeholder(next++, table) + ")";
}

std::string upsert_sql(const table_definition& table, int& next) {
  std::vector<std::string> keys, updates;
  for (const auto& column : table.columns) {
    if (column.is_key) {
      keys.emplace_back(column.name);
    } else {
      updates.push_back(std::string(column.name) + " = excluded." + std::string(column.name));
    }
  }
  // A row that is all key is already as it should be.
  return insert_sql(table.name, next) + " ON CONFLICT (" + joined(keys) + ") DO " +
         (updates.empty() ? "NOTHING" : "UPDATE SET " + joined(updates));
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

void add_event(const domain::event_record& e, binary_array& rows) {
  rows.begin_row(event_columns);
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
      fresh.begin_row(stream_columns);
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
    out.name.push_back(new_streams);
    out.arrays.push_back(fresh.take());
  }
  if (!moved.empty()) {
    out.name.push_back(old_streams);
    for (auto* array : {&moved, &bases, &versions, &positions}) {
      out.arrays.push_back(array->take());
    }
  }
}

void add_commands(const batch_content& content, type_oid type, batch_statement& out) {
  if (content.commands.empty()) return;
  binary_array rows(type);
  for (const auto& row : content.commands) {
    rows.begin_row(command_columns);
    rows.id(row.key->tenant);
    rows.text(row.key->principal);
    rows.text(row.key->route);
    rows.text(row.key->key);
    rows.bytes(as_view(row.key->request_digest));
    rows.bigint(row.first_position);
    rows.bigint(row.count);
    rows.bigint(row.expires_at_us);
    rows.end_row();
  }
  out.name.push_back(has_commands);
  out.arrays.push_back(rows.take());
}

void add_rows(const batch_content& content, std::span<const type_oid> types, batch_statement& out) {
  const auto rows = last_per_key(content.rows);
  const auto tables = projection_tables();
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const auto& columns = tables[t].columns;
    binary_array array(types[t]);
    for (const auto* row : rows) {
      if (static_cast<std::size_t>(row->table) != t) continue;
      array.begin_row(columns.size());
      for (std::size_t c = 0; c < columns.size(); ++c) {
        array.cell(oid_of(columns[c].type), row->cells[c]);
      }
      array.end_row();
    }
    if (array.empty()) continue;
    out.name.push_back(static_cast<char>(first_table + static_cast<int>(t)));
    out.arrays.push_back(array.take());
  }
}

std::string key_of(const projection_row& row) {
  const auto& columns = projection_tables()[static_cast<std::size_t>(row.table)].columns;
  std::string key = std::to_string(row.table);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (!columns[c].is_key) continue;
    // No text that PostgreSQL accepts holds a NUL, so it separates.
    key.push_back('\0');
    if (row.cells[c]) key += *row.cells[c];
  }
  return key;
}

}  // namespace

void array_text::bare(std::string_view value) {
  separate();
  out_.append(value);
}

void array_text::integer(std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  bare({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void array_text::id(const uuid& value) {
  separate();
  append_hex(out_, {reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
}

void array_text::text(std::string_view value) {
  separate();
  out_.push_back('"');
  for (;;) {
    const auto special = value.find_first_of("\"\\");
    out_.append(value.substr(0, special));
    if (special == value.npos) break;
    out_.push_back('\\');
    out_.push_back(value[special]);
    value.remove_prefix(special + 1);
  }
  out_.push_back('"');
}

void array_text::bytes(std::string_view value) {
  separate();
  out_.append("\"\\\\x");
  append_hex(out_, value);
  out_.push_back('"');
}

std::string array_text::take() {
  out_.push_back('}');
  return std::move(out_);
}

std::vector<const projection_row*> last_per_key(std::span<const projection_row> rows) {
  std::vector<const projection_row*> kept;
  std::unordered_map<std::string, std::size_t> seen;
  kept.reserve(rows.size());
  for (const auto& row : rows) {
    const auto [at, fresh] = seen.try_emplace(key_of(row), kept.size());
    if (fresh) {
      kept.push_back(&row);
    } else {
      kept[at->second] = &row;
    }
  }
  return kept;
}

batch_statement compose_batch(const batch_content& content, const row_types& types) {
  batch_statement out;
  out.name = "append_";
  add_events(content, types.events, out);
  add_streams(content, types.streams, out);
  add_commands(content, types.commands, out);
  add_rows(content, types.projections, out);
  return out;
}

std::string batch_sql(std::string_view name) {
  name.remove_prefix(std::string_view("append_").size());
  std::string sql(events_sql);
  int next = after_events;
  int moved = 0;
  for (const char part : name) {
    if (part == new_streams) {
      sql += ", sn AS (" + insert_sql("reeve.streams", next) + ")";
    } else if (part == old_streams) {
      moved = next;
      sql += ", so AS (" + streams_update(next) + ")";
    } else if (part == has_commands) {
      sql += ", cm AS (" + insert_sql("reeve.commands", next) + ")";
    } else {
      const auto index = static_cast<std::size_t>(part - first_table);
      sql += ", t" + std::to_string(index) + " AS (" +
             upsert_sql(projection_tables()[index], next) + ")";
    }
  }
  sql +=
      " SELECT CASE WHEN (SELECT count(*) FROM ev) <> cardinality($4::reeve.events[])"
      " THEN reeve.refuse_batch('RV001')";
  if (moved != 0) {
    sql += " WHEN (SELECT count(*) FROM so) <> cardinality(" + placeholder(moved, "text") +
           ") THEN reeve.refuse_batch('RV002')";
  }
  return sql + " ELSE 0 END";
}

}  // namespace reeve::persistence
