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
#include <vector>

namespace reeve::persistence {

class row_writer {
 public:
  /// For rows of `list`. Makes their row types, which live as long as the session: here, where no
  /// transaction that is undone could take them with it.
  row_writer(pqxx::connection& connection, const std::vector<const projection*>& list);

  /// Rows of `of` among `rows`, into `table`; of each key the last one. Answers how many there
  /// were.
  std::size_t write(pqxx::transaction_base& tx, const projection& of, const std::string& table,
                    std::span<const projection_row> rows);

 private:
  std::map<const projection*, type_oid> types_;
};

}  // namespace reeve::persistence
