#pragma once
// The scratch schema of a replay and the rows on their way into it. Inside persistence/ only.

#include "persistence/append.hpp"
#include "persistence/projection_tables.hpp"

#include <map>
#include <pqxx/pqxx>
#include <string>
#include <unordered_map>
#include <vector>

namespace reeve::persistence {

/// A table that is replayed: the projections, and reeve.streams.
struct replay_table {
  std::string live;     // with its schema
  std::string scratch;  // with its schema
  std::string staging;  // with its schema: rows whose key may be in the scratch table already
  std::vector<column> columns;
};

std::vector<replay_table> replay_tables(const std::string& schema);

/// Without keys: a table gets its key when its first rows are in, which is much cheaper. Nothing of
/// it outlives the replay, so nothing of it needs to outlive a crash.
void make_scratch(pqxx::transaction_base& tx, const std::string& schema,
                  const std::vector<replay_table>& tables);

/// The newest row per key, in memory up to a limit, then in the scratch tables.
class replay_rows {
 public:
  explicit replay_rows(const std::vector<replay_table>& tables)
      : tables_(tables), rows_(tables.size()) {}

  void add(std::size_t table, std::vector<std::optional<std::string>> cells);
  bool is_full() const { return bytes_ > most_bytes; }
  /// Writes everything into the scratch tables.
  void spill(pqxx::transaction_base& tx);

 private:
  static constexpr std::size_t most_bytes = std::size_t{192} << 20;
  void spill_table(pqxx::transaction_base& tx, std::size_t table);
  void copy_into(const std::string& name, pqxx::transaction_base& tx, std::size_t table);

  const std::vector<replay_table>& tables_;
  std::vector<std::unordered_map<std::string, std::vector<std::optional<std::string>>>> rows_;
  std::vector<bool> is_keyed_ = std::vector<bool>(tables_.size());
  std::size_t bytes_ = 0;
};

}  // namespace reeve::persistence
