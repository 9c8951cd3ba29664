#include "persistence/replay_tables.hpp"

#include "persistence/copy_line.hpp"
#include "persistence/journal_sql.hpp"

#include <algorithm>
#include <functional>
#include <pqxx/tablewriter>
#include <utility>

namespace reeve::persistence {
namespace {

constexpr std::size_t most_bytes = std::size_t{16} << 20;  // twice: filling and leaving
constexpr std::size_t block_bytes = 64 << 10;              // of COPY, per message
constexpr std::string_view spill_column = "replay_spill";

void make_staging(pqxx::transaction_base& tx, const replay_table& table) {
  tx.exec("CREATE TEMPORARY TABLE " + table.staging + " (LIKE " + table.live + ", " +
          std::string(spill_column) + " int)");
}

std::string column_names(const std::vector<column>& columns, bool of_keys_only = false) {
  std::string names;
  for (const auto& c : columns) {
    if (c.is_key || !of_keys_only) names += (names.empty() ? "" : ", ") + std::string(c.name);
  }
  return names;
}

std::string key_names_of(const replay_table& table) {
  return column_names(table.columns, true);
}

/// The newest row of each key.
std::string staged_rows_of(const replay_table& table) {
  const auto keys = key_names_of(table);
  return "INSERT INTO " + table.scratch + " (" + column_names(table.columns) +
         ") SELECT DISTINCT ON (" + keys + ") " + column_names(table.columns) + " FROM " +
         table.staging + " ORDER BY " + keys + ", " + std::string(spill_column) + " DESC";
}

/// COPY of lines that are escaped already, in blocks. libpqxx's stream_to takes single cells and
/// escapes them byte by byte, which was a third of a rebuild; only its elder takes whole lines.
class copy_in {
 public:
  copy_in(pqxx::transaction_base& tx, const std::string& table, std::vector<std::string> columns)
      : tx_(tx), table_(table), columns_(std::move(columns)) {
    block_.reserve(block_bytes + 4096);
  }

  void line(std::string_view text, std::string_view last_cell = {}) {
    if (!block_.empty()) block_ += '\n';
    block_ += text;
    if (!last_cell.empty()) (block_ += '\t') += last_cell;
    if (block_.size() >= block_bytes) send();
  }

  void complete() {
    if (!block_.empty()) send();
    if (out_) out_->complete();
  }

 private:
  void send() {
    if (!out_) {
      out_ = std::make_unique<pqxx::tablewriter>(tx_, table_, columns_.begin(), columns_.end());
    }
    out_->write_raw_line(block_);
    block_.clear();
  }

  pqxx::transaction_base& tx_;
  const std::string& table_;
  std::vector<std::string> columns_;  // by name: the table may have more
  std::string block_;
  std::unique_ptr<pqxx::tablewriter> out_;  // one at a time in a transaction
};

}  // namespace

std::vector<replay_table> replay_tables() {
  const std::string schema = "pg_temp";
  std::vector<replay_table> tables;
  for (const auto* one : projections()) {
    const auto scratch = schema + "." + std::string(one->name);
    tables.push_back({table_of(*one), scratch, scratch + "_staging", one->columns});
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

replay_table next_table_of(const projection& of) {
  const std::string name(of.name);
  return {table_of(of), table_of(of) + "__next", "pg_temp." + name + "_staging", of.columns};
}

void make_scratch(pqxx::transaction_base& tx, const std::vector<replay_table>& tables) {
  std::string sql = "SET temp_buffers = '32MB'";
  for (const auto& table : tables) {
    sql += "; CREATE TEMPORARY TABLE " + table.scratch + " (LIKE " + table.live + ")";
  }
  tx.exec(sql);
}

pending_rows::pending_rows(const replay_table& table) : newest_(0, {this}, {this}) {
  for (const auto& c : table.columns) key_columns_ += c.is_key ? 1 : 0;
}

void pending_rows::add(const std::vector<std::optional<std::string>>& cells) {
  row added;
  added.first = text_.size();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) text_ += '\t';
    append_copy_field(text_, cells[i]);
    if (i + 1 == key_columns_) {
      added.key_size = static_cast<std::uint32_t>(text_.size() - added.first);
    }
  }
  added.size = static_cast<std::uint32_t>(text_.size() - added.first);
  rows_.push_back(added);
  const auto [known, is_new] = newest_.insert(rows_.size() - 1);
  if (is_new) return;
  rows_[*known].is_replaced = true;
  newest_.erase(known);
  newest_.insert(rows_.size() - 1);
}

void pending_rows::clear() {
  newest_.clear();
  rows_.clear();
  text_.clear();
}

bool known_keys::add(std::size_t table, std::string_view key) {
  const auto mixed = (std::hash<std::string_view>()(key) + table) * 0x9e3779b97f4a7c15ULL;
  bool known = true;
  for (const auto part : {mixed >> 36, mixed & (bits_.size() - 1)}) {
    auto bit = bits_[part];
    known = known && bit;
    bit = true;
  }
  return known;
}

replay_rows::replay_rows(const std::vector<replay_table>& tables)
    : tables_(tables), is_staged_(tables.size()) {
  for (const auto& table : tables) {
    filling_.push_back(std::make_unique<pending_rows>(table));
    leaving_.push_back(std::make_unique<pending_rows>(table));
  }
}

bool replay_rows::is_full() const {
  std::size_t bytes = 0;
  for (const auto& rows : filling_) bytes += rows->bytes();
  return bytes > most_bytes;
}

void replay_rows::set_aside() {
  std::swap(filling_, leaving_);
  ++spills_;
}

void replay_rows::write(pqxx::transaction_base& tx) {
  for (std::size_t i = 0; i < tables_.size(); ++i) write_table(tx, i);
}

void replay_rows::write_table(pqxx::transaction_base& tx, std::size_t table) {
  // A connection copies into one table at a time, so those for staging wait.
  std::vector<std::string_view> staged;
  std::vector<std::string> columns;
  for (const auto& c : tables_[table].columns) columns.emplace_back(c.name);
  copy_in scratch(tx, tables_[table].scratch, columns);
  leaving_[table]->each([&](std::string_view key, std::string_view line) {
    if (known_.add(table, key)) {
      staged.push_back(line);
    } else {
      scratch.line(line);
    }
  });
  scratch.complete();
  if (!staged.empty()) {
    if (!is_staged_[table]) make_staging(tx, tables_[table]);
    is_staged_[table] = true;
    const auto spill = std::to_string(spills_);
    columns.emplace_back(spill_column);
    copy_in staging(tx, tables_[table].staging, columns);
    for (const auto line : staged) staging.line(line, spill);
    staging.complete();
  }
  leaving_[table]->clear();
}

void replay_rows::merge(pqxx::transaction_base& tx) {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (!is_staged_[i]) continue;
    const auto& table = tables_[i];
    const auto keys = key_names_of(table);
    tx.exec("DELETE FROM " + table.scratch + " WHERE (" + keys + ") IN (SELECT " + keys + " FROM " +
            table.staging + ")");
    tx.exec(staged_rows_of(table));
  }
}

void replay_rows::merge_by_key(pqxx::transaction_base& tx) {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (is_staged_[i]) tx.exec(staged_rows_of(tables_[i]) + on_conflict_sql(tables_[i].columns));
  }
}

}  // namespace reeve::persistence
