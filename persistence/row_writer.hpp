#pragma once
// Rows of projections into a table, outside the append: for followers, and for what is built beside
// the live tables. Inside persistence/ only.

#include "persistence/append_port.hpp"
#include "persistence/pg_binary.hpp"
#include "persistence/projection.hpp"

#include <map>
#include <pqxx/pqxx>
#include <span>
#include <string>

namespace reeve::persistence {

class row_writer {
 public:
  /// The row types live as long as the session.
  explicit row_writer(pqxx::connection& connection) : connection_(connection) {}

  /// Rows of `of` among `rows`, into `table`; of each key the last one. Answers how many there
  /// were.
  std::size_t write(pqxx::transaction_base& tx, const projection& of, const std::string& table,
                    std::span<const projection_row> rows);

 private:
  type_oid type_of(pqxx::transaction_base& tx, const projection& of);
  pqxx::connection& connection_;
  std::map<const projection*, type_oid> types_;
};

}  // namespace reeve::persistence
