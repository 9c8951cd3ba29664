#pragma once
// The scratch tables of a replay and the rows on their way into it. Inside persistence/ only.

#include "persistence/append_port.hpp"
#include "persistence/projection.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace reeve::persistence {

/// A table that is replayed: the projections, and reeve.streams.
struct replay_table {
  std::string live;     // with its schema
  std::string scratch;  // with its schema
  std::string staging;  // rows whose key may be in the scratch table already; made for the first
  std::vector<column> columns;
};

std::vector<replay_table> replay_tables();

/// The table that is to take a projection's place, as a target of the same rows.
replay_table next_table_of(const projection& of);

/// In the session's own temporary schema: nothing of it outlives the session, however that ends,
/// and nothing of it is made durable. Without keys or indexes: comparing needs none.
void make_scratch(pqxx::transaction_base& tx, const std::vector<replay_table>& tables);

/// Rows of one table on their way out, as lines of COPY; the newest one of each key counts.
class pending_rows {
 public:
  /// Key columns come first in every table.
  explicit pending_rows(const replay_table& table);
  pending_rows(const pending_rows&) = delete;
  pending_rows& operator=(const pending_rows&) = delete;

  void add(const std::vector<std::optional<std::string>>& cells);
  std::size_t bytes() const { return text_.size() + rows_.size() * bytes_of_a_row; }
  void clear();
  /// Calls `take(key, line)` for each row that counts, in the order in which they came; lines have
  /// no newline.
  template <class Take>
  void each(Take take) const {
    for (const auto& r : rows_) {
      if (!r.is_replaced) take(key_of(r), std::string_view(text_).substr(r.first, r.size));
    }
  }

 private:
  struct row {
    std::size_t first = 0;  // in text_
    std::uint32_t key_size = 0;
    std::uint32_t size = 0;
    bool is_replaced = false;
  };
  struct same_key {
    const pending_rows* rows;
    std::size_t operator()(std::size_t i) const {
      return std::hash<std::string_view>()(rows->key_of(rows->rows_[i]));
    }
    bool operator()(std::size_t a, std::size_t b) const {
      return rows->key_of(rows->rows_[a]) == rows->key_of(rows->rows_[b]);
    }
  };
  /// About that much: itself, and its node and bucket in `newest_`.
  static constexpr std::size_t bytes_of_a_row = 72;
  std::string_view key_of(const row& r) const {
    return std::string_view(text_).substr(r.first, r.key_size);
  }

  std::size_t key_columns_ = 0;
  std::string text_;
  std::vector<row> rows_;
  std::unordered_set<std::size_t, same_key, same_key> newest_;  // indexes into rows_
};

/// What has been in the scratch tables, as a Bloom filter: it may take a key for known that is not,
/// never the other way round. Of a fixed size, whatever the log's length: one key in a hundred is
/// mistaken after 15 million, and every mistake costs a sorted row and no more.
class known_keys {
 public:
  /// Whether the key may have been here before; from now on it has.
  bool add(std::size_t table, std::string_view key);

 private:
  std::vector<bool> bits_ = std::vector<bool>(std::size_t{1} << 28);  // 32 MiB
};

/// The rows of all tables: the newest one of a key, in memory up to a limit, then in the scratch
/// tables. A spill adds rows there and changes none. What may be there already goes into the
/// staging table, to be merged once, at the end: as a rule that is little, since runs that are over
/// never change.
class replay_rows {
 public:
  explicit replay_rows(const std::vector<replay_table>& tables);

  void add(std::size_t table, const std::vector<std::optional<std::string>>& cells) {
    filling_[table]->add(cells);
  }
  bool is_full() const;
  /// Sets aside what `write` then writes, possibly on another thread, while more is added.
  /// Not before the last `write` is over.
  void set_aside();
  void write(pqxx::transaction_base& tx);
  /// The last step: no key stands twice afterwards. Looks at each row of the scratch tables.
  void merge(pqxx::transaction_base& tx);
  /// The same for tables that have got their keys meanwhile: looks at the rows that change only.
  void merge_by_key(pqxx::transaction_base& tx);

 private:
  using per_table = std::vector<std::unique_ptr<pending_rows>>;
  void write_table(pqxx::transaction_base& tx, std::size_t table);

  const std::vector<replay_table>& tables_;
  per_table filling_, leaving_;
  known_keys known_;
  std::vector<bool> is_staged_;
  int spills_ = 0;
};

}  // namespace reeve::persistence
