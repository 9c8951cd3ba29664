#include "persistence/row_writer.hpp"

#include "persistence/journal_sql.hpp"

namespace reeve::persistence {

namespace {

std::string type_of(const projection& of) {
  return "pg_temp." + std::string(of.name) + "_rows";
}

}  // namespace

row_writer::row_writer(pqxx::connection& connection, const std::vector<const projection*>& list) {
  std::string make, ask;
  for (const auto* of : list) {
    make += "CREATE TYPE " + type_of(*of) + " AS (" + typed_columns_of(*of) + ");";
    ask += (ask.empty() ? "SELECT '" : ", '") + type_of(*of) + "'::pg_catalog.regtype::oid";
  }
  const auto row = pqxx::nontransaction(connection).exec1(make + ask);
  for (std::size_t i = 0; i < list.size(); ++i) {
    types_.emplace(list[i], row[static_cast<int>(i)].as<type_oid>());
  }
}

std::size_t row_writer::write(pqxx::transaction_base& tx, const projection& of,
                              const std::string& table, std::span<const projection_row> rows) {
  const auto kept = last_per_key(rows, &of);
  if (kept.empty()) return 0;
  const auto array = rows_array(of, types_.at(&of), kept);
  const auto sql = upsert_sql(of, table, "$1::" + type_of(of) + "[]");
  tx.exec_params(sql, pqxx::binarystring(array));
  return kept.size();
}

}  // namespace reeve::persistence
