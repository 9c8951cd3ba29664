#include "persistence/replay_tables.hpp"

#include "persistence/journal_sql.hpp"

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

}  // namespace

std::vector<replay_table> replay_tables(const std::string& schema) {
  std::vector<replay_table> tables;
  for (const auto& definition : projection_tables()) {
    const std::string live(definition.name);
    tables.push_back({live, schema + "." + live.substr(live.find('.') + 1), definition.columns});
  }
  tables.push_back({"reeve.streams",
                    schema + ".streams",
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
    tx.exec("CREATE TABLE " + table.scratch + " (LIKE " + table.live + ")");
    tx.exec("ALTER TABLE " + table.scratch + " ADD PRIMARY KEY (" + names_of(table, true) + ")");
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

/// Arrays of a column each, 2,000 rows a statement.
void replay_rows::spill_table(pqxx::transaction_base& tx, std::size_t index) {
  constexpr std::size_t rows_at_once = 2000;
  const auto& table = tables_[index];
  std::string arrays;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    arrays += (c == 0 ? "$" : ", $") + std::to_string(c + 1) +
              "::" + std::string(table.columns[c].type) + "[]";
  }
  const auto updates = updates_of(table);
  const std::string sql = "INSERT INTO " + table.scratch + " SELECT * FROM unnest(" + arrays +
                          ") ON CONFLICT (" + names_of(table, true) + ") DO " +
                          (updates.empty() ? "NOTHING" : "UPDATE SET " + updates);
  auto row = rows_[index].begin();
  while (row != rows_[index].end()) {
    std::vector<array_text> columns(table.columns.size());
    for (std::size_t n = 0; n < rows_at_once && row != rows_[index].end(); ++n, ++row) {
      for (std::size_t c = 0; c < columns.size(); ++c) {
        const auto& cell = row->second[c];
        cell ? columns[c].text(*cell) : columns[c].null();
      }
    }
    std::vector<std::string> parameters;
    for (auto& column : columns) parameters.push_back(column.take());
    tx.exec_params(sql, pqxx::prepare::make_dynamic_params(parameters));
  }
  rows_[index].clear();
}

}  // namespace reeve::persistence
