#include "persistence/log_rights.hpp"

#include "persistence/pg_session.hpp"

namespace reeve::persistence {

outcome<log_rights> look_at_log_rights(const std::string& url) {
  try {
    auto connection = connect_session(url, "reeve_rights");
    pqxx::nontransaction tx(*connection);
    log_rights found;
    found.role = tx.exec1("SELECT writer FROM reeve.runtime_roles")[0].as<std::string>();
    if (!tx.exec_params("SELECT pg_catalog.has_schema_privilege($1::name, 'reeve', 'USAGE')",
                        found.role)[0][0]
             .as<bool>()) {
      found.missing.emplace_back("USAGE ON SCHEMA reeve");
    }
    for (const auto& row : tx.exec_params(missing_rights_sql, found.role)) {
      found.missing.emplace_back(row[0].c_str());
    }
    return found;
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the rights on the log of this database cannot be looked at");
  }
}

}  // namespace reeve::persistence
