#include "persistence/replay_tables.hpp"

#include <array>
#include <utility>

namespace reeve::persistence {
namespace {

std::string key_of(const replay_table& table,
                   const std::vector<std::optional<std::string>>& cells) {
  std::string key;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!table.columns[i].is_key) continue;
    key += cells[i].value_or("");
    key += '\0';
  }
  return key;
}

std::string names_of(const replay_table& table, bool only_keys) {
  std::string names;
  for (const auto& c : table.columns) {
    if (only_keys && !c.is_key) continue;
    names += (names.empty() ? "" : ", ") + std::string(c.name);
  }
  return names;
}

std::string updates_of(const replay_table& table) {
  std::string sets;
  for (const auto& c : table.columns) {
    if (c.is_key) continue;
    const std::string name(c.name);
    sets += (sets.empty() ? "" : ", ") + name + " = excluded." + name;
  }
  return sets;
}

using cells_of_row = std::vector<std::optional<std::string>>;

/// libpqxx takes the cells of a line as a tuple only: one writer for each number of them.
constexpr std::size_t most_columns = 32;

template <std::size_t Columns>
void write_line(pqxx::stream_to& out, const cells_of_row& cells) {
  std::array<const char*, Columns> line{};
  for (std::size_t c = 0; c < Columns; ++c) line[c] = cells[c] ? cells[c]->c_str() : nullptr;
  out << line;
}

template <std::size_t... Fewer>
auto writers(std::index_sequence<Fewer...>) {
  return std::array{&write_line<Fewer + 1>...};
}

}  // namespace

std::vector<replay_table> replay_tables(const std::string& schema) {
  std::vector<replay_table> tables;
  for (const auto& definition : projection_tables()) {
    const std::string live(definition.name);
    const auto scratch = schema + "." + live.substr(live.find('.') + 1);
    tables.push_back({live, scratch, scratch + "_staging", definition.columns});
  }
  tables.push_back({"reeve.streams",
                    schema + ".streams",
                    schema + ".streams_staging",
                    {{"stream", "text", true},
                     {"tenant", "uuid"},
                     {"version", "bigint"},
                     {"position", "bigint"}}});
  return tables;
}

void make_scratch(pqxx::transaction_base& tx, const std::string& schema,
                  const std::vector<replay_table>& tables) {
  tx.exec("CREATE SCHEMA " + schema);
  for (const auto& table : tables) {
    for (const auto& name : {table.scratch, table.staging}) {
      tx.exec("CREATE UNLOGGED TABLE " + name + " (LIKE " + table.live + ")");
    }
  }
}

void replay_rows::add(std::size_t table, std::vector<std::optional<std::string>> cells) {
  std::size_t size = 128;
  for (const auto& cell : cells) size += cell ? cell->size() + 32 : 32;
  auto& row = rows_[table][key_of(tables_[table], cells)];
  for (const auto& cell : row) bytes_ -= std::min(bytes_, cell ? cell->size() + 32 : 32);
  bytes_ += size;
  row = std::move(cells);
}

void replay_rows::spill(pqxx::transaction_base& tx) {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (!rows_[i].empty()) spill_table(tx, i);
  }
  bytes_ = 0;
}

void replay_rows::copy_into(const std::string& name, pqxx::transaction_base& tx,
                            std::size_t index) {
  const auto columns = tables_[index].columns.size();
  const auto write = writers(std::make_index_sequence<most_columns>()).at(columns - 1);
  pqxx::stream_to out(tx, name);
  for (const auto& [key, cells] : rows_[index]) write(out, cells);
  out.complete();
}

/// The first rows of a table have keys of their own. What comes later may replace them.
void replay_rows::spill_table(pqxx::transaction_base& tx, std::size_t index) {
  const auto& table = tables_[index];
  const auto keys = names_of(table, true);
  if (!is_keyed_[index]) {
    copy_into(table.scratch, tx, index);
    tx.exec("ALTER TABLE " + table.scratch + " ADD PRIMARY KEY (" + keys + ")");
    is_keyed_[index] = true;
  } else {
    copy_into(table.staging, tx, index);
    const auto updates = updates_of(table);
    tx.exec("INSERT INTO " + table.scratch + " SELECT * FROM " + table.staging + " ON CONFLICT (" +
            keys + ") DO " + (updates.empty() ? "NOTHING" : "UPDATE SET " + updates));
    tx.exec("TRUNCATE " + table.staging);
  }
  rows_[index].clear();
}

}  // namespace reeve::persistence
