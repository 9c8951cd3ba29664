#include "persistence/row_writer.hpp"

#include "persistence/journal_sql.hpp"

namespace reeve::persistence {

type_oid row_writer::type_of(pqxx::transaction_base& tx, const projection& of) {
  const auto known = types_.find(&of);
  if (known != types_.end()) return known->second;
  const std::string type = "pg_temp." + std::string(of.name) + "_rows";
  tx.exec0("CREATE TYPE " + type + " AS (" + typed_columns_of(of) + ")");
  const auto number = tx.exec1("SELECT '" + type + "'::pg_catalog.regtype::oid")[0].as<type_oid>();
  types_.emplace(&of, number);
  return number;
}

std::size_t row_writer::write(pqxx::transaction_base& tx, const projection& of,
                              const std::string& table, std::span<const projection_row> rows) {
  const auto kept = last_per_key(rows, &of);
  if (kept.empty()) return 0;
  const auto array = rows_array(of, type_of(tx, of), kept);
  const auto sql = upsert_sql(of, table, "$1::pg_temp." + std::string(of.name) + "_rows[]");
  tx.exec_params(sql, pqxx::binarystring(array));
  return kept.size();
}

}  // namespace reeve::persistence
