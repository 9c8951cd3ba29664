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

// $1 and $2 are leaves and hashes, $3..$6 predecessor, its hash, the epoch, the time before the
// first event's; then come the arrays.
constexpr std::string_view events_sql =
    "WITH fence AS MATERIALIZED (SELECT 1 FROM reeve.events"
    " WHERE position = $3::bigint AND hash = $4::bytea AND epoch = $5::bigint),"
    " ev AS (INSERT INTO reeve.events (position, epoch, stream, version, type, schema_version,"
    " tenant, payload, payload_format, key_id, principal, command_id, request_digest,"
    " correlation_id, causation_id, traceparent, recorded_at_us, leaf, hash)"
    " SELECT $3::bigint + u.n, $5::bigint, u.stream, u.version, u.type, u.schema_version, u.tenant,"
    " u.payload, u.payload_format, u.key_id, u.principal, u.command_id, u.request_digest,"
    " u.correlation_id, u.causation_id, u.traceparent, $6::bigint + u.n,"
    " substring($1::bytea FROM (u.n * 32 - 31)::int FOR 32),"
    " substring($2::bytea FROM (u.n * 32 - 31)::int FOR 32)"
    " FROM unnest($7::text[], $8::bigint[], $9::text[], $10::int[], $11::uuid[], $12::text[],"
    " $13::int[], $14::uuid[], $15::text[], $16::uuid[], $17::bytea[], $18::uuid[],"
    " $19::bigint[], $20::text[]) WITH ORDINALITY AS u(stream, version, type, schema_version,"
    " tenant, payload, payload_format, key_id, principal, command_id, request_digest,"
    " correlation_id, causation_id, traceparent, n)"
    " WHERE EXISTS (SELECT 1 FROM fence) RETURNING 1)";
constexpr int events_params = 20;

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

std::string upsert_sql(const table_definition& table, int& next) {
  std::vector<std::string> names, keys, arrays, updates;
  for (const auto& column : table.columns) {
    names.emplace_back(column.name);
    arrays.push_back(placeholder(next++, column.type));
    if (column.is_key) {
      keys.emplace_back(column.name);
    } else {
      updates.push_back(std::string(column.name) + " = excluded." + std::string(column.name));
    }
  }
  std::string sql = "INSERT INTO " + std::string(table.name) + " (" + joined(names) +
                    ") SELECT * FROM unnest(" + joined(arrays) + ") ON CONFLICT (" + joined(keys) +
                    ") DO ";
  // A row that is all key is already as it should be.
  return sql + (updates.empty() ? "NOTHING" : "UPDATE SET " + joined(updates));
}

std::string streams_insert(int& next) {
  const int p = next;
  next += 4;
  return "INSERT INTO reeve.streams (stream, tenant, version, position) SELECT * FROM unnest(" +
         placeholder(p, "text") + ", " + placeholder(p + 1, "uuid") + ", " +
         placeholder(p + 2, "bigint") + ", " + placeholder(p + 3, "bigint") + ")";
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

std::string commands_insert(int& next) {
  static constexpr std::array types{"uuid",  "text",   "text",   "text",
                                    "bytea", "bigint", "bigint", "bigint"};
  std::vector<std::string> arrays;
  for (const auto* type : types) arrays.push_back(placeholder(next++, type));
  return "INSERT INTO reeve.commands (tenant, principal, route, key, request_digest,"
         " first_position, count, expires_at_us) SELECT * FROM unnest(" +
         joined(arrays) + ")";
}

void add_events(const batch_content& content, batch_statement& out) {
  std::array<array_text, 14> a;
  out.leaves.reserve(content.events.size() * 32);
  out.hashes.reserve(content.events.size() * 32);
  for (const auto& e : content.events) {
    a[0].text(e.stream);
    a[1].integer(e.version);
    a[2].text(e.type);
    a[3].integer(e.schema_version);
    a[4].id(e.tenant);
    a[5].text(e.payload);
    a[6].integer(e.payload_format);
    e.key_id ? a[7].id(*e.key_id) : a[7].null();
    a[8].text(e.meta.principal);
    a[9].id(e.meta.command_id);
    e.meta.request_digest ? a[10].bytes(as_view(*e.meta.request_digest)) : a[10].null();
    a[11].id(e.meta.correlation_id);
    e.meta.causation_id ? a[12].integer(*e.meta.causation_id) : a[12].null();
    a[13].text(e.meta.traceparent);
    out.leaves.append(as_view(e.leaf));
    out.hashes.append(as_view(e.hash));
  }
  out.params.push_back(std::to_string(content.predecessor));
  out.params.push_back("\\x" + to_hex(content.predecessor_hash));
  out.params.push_back(std::to_string(content.epoch));
  out.params.push_back(std::to_string(content.events.front().recorded_at_us - 1));
  for (auto& array : a) out.params.push_back(array.take());
}

void add_streams(const batch_content& content, batch_statement& out) {
  std::array<array_text, 4> fresh, moved;
  bool any_fresh = false, any_moved = false;
  for (const auto& move : content.moves) {
    auto& to = move.base == 0 ? fresh : moved;
    (move.base == 0 ? any_fresh : any_moved) = true;
    to[0].text(move.stream);
    move.base == 0 ? to[1].id(move.tenant) : to[1].integer(move.base);
    to[2].integer(move.version);
    to[3].integer(move.position);
  }
  if (any_fresh) {
    out.name.push_back(new_streams);
    for (auto& array : fresh) out.params.push_back(array.take());
  }
  if (any_moved) {
    out.name.push_back(old_streams);
    for (auto& array : moved) out.params.push_back(array.take());
  }
}

void add_commands(const batch_content& content, batch_statement& out) {
  if (content.commands.empty()) return;
  std::array<array_text, 8> a;
  for (const auto& row : content.commands) {
    a[0].id(row.key->tenant);
    a[1].text(row.key->principal);
    a[2].text(row.key->route);
    a[3].text(row.key->key);
    a[4].bytes(as_view(row.key->request_digest));
    a[5].integer(row.first_position);
    a[6].integer(row.count);
    a[7].integer(row.expires_at_us);
  }
  out.name.push_back(has_commands);
  for (auto& array : a) out.params.push_back(array.take());
}

void add_rows(const batch_content& content, batch_statement& out) {
  const auto rows = last_per_key(content.rows);
  const auto tables = projection_tables();
  for (std::size_t t = 0; t < tables.size(); ++t) {
    std::vector<array_text> arrays(tables[t].columns.size());
    bool any = false;
    for (const auto* row : rows) {
      if (static_cast<std::size_t>(row->table) != t) continue;
      any = true;
      for (std::size_t c = 0; c < arrays.size(); ++c) {
        row->cells[c] ? arrays[c].text(*row->cells[c]) : arrays[c].null();
      }
    }
    if (!any) continue;
    out.name.push_back(static_cast<char>(first_table + static_cast<int>(t)));
    for (auto& array : arrays) out.params.push_back(array.take());
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

batch_statement compose_batch(const batch_content& content) {
  batch_statement out;
  out.name = "append_";
  add_events(content, out);
  add_streams(content, out);
  add_commands(content, out);
  add_rows(content, out);
  return out;
}

std::string batch_sql(std::string_view name) {
  name.remove_prefix(std::string_view("append_").size());
  std::string sql(events_sql);
  int next = events_params + 1;
  bool moved = false;
  for (const char part : name) {
    if (part == new_streams) {
      sql += ", sn AS (" + streams_insert(next) + ")";
    } else if (part == old_streams) {
      moved = true;
      sql += ", so AS (" + streams_update(next) + ")";
    } else if (part == has_commands) {
      sql += ", cm AS (" + commands_insert(next) + ")";
    } else {
      const auto index = static_cast<std::size_t>(part - first_table);
      sql += ", t" + std::to_string(index) + " AS (" +
             upsert_sql(projection_tables()[index], next) + ")";
    }
  }
  // The counts are of arrays that are there anyway: $7 are the streams of the events.
  sql +=
      " SELECT CASE WHEN (SELECT count(*) FROM ev) <> cardinality($7::text[])"
      " THEN reeve.refuse_batch('RV001')";
  if (moved) {
    const int at = events_params + 1 + (name.find(new_streams) == name.npos ? 0 : 4);
    sql += " WHEN (SELECT count(*) FROM so) <> cardinality(" + placeholder(at, "text") +
           ") THEN reeve.refuse_batch('RV002')";
  }
  return sql + " ELSE 0 END";
}

}  // namespace reeve::persistence
