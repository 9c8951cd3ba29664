#include "persistence/stored_projections.hpp"

#include "persistence/pg_session.hpp"
#include "persistence/read_models.hpp"

namespace reeve::persistence {

std::map<const projection*, stored_state> read_stored(pqxx::transaction_base& tx) {
  std::map<const projection*, stored_state> found;
  for (const auto* of : projections()) found[of];
  for (const auto& row : tx.exec("SELECT name, version, columns, state, checkpoint,"
                                 " asked_at_us IS NOT NULL FROM reeve.projections")) {
    for (auto& [of, state] : found) {
      if (of->name != row[0].c_str()) continue;
      state.is_known = true;
      state.version = row[1].as<int>();
      state.has_same_columns = columns_of(*of) == row[2].c_str();
      state.is_stale = std::string_view(row[3].c_str()) == "stale";
      state.checkpoint = row[4].as<domain::position>();
      state.is_asked = row[5].as<bool>();
    }
  }
  return found;
}

void register_empty(pqxx::transaction_base& tx) {
  for (const auto* of : projections()) {
    const std::string source(of->source);
    tx.exec_params0(
        "INSERT INTO reeve.projections (name, version, columns, state, checkpoint)"
        " SELECT $1, $2, $3, 'live', reeve.head() WHERE NOT EXISTS (SELECT 1 FROM reeve.streams"
        " WHERE stream >= $4 AND stream < $5) ON CONFLICT (name) DO NOTHING",
        std::string(of->name), of->version, columns_of(*of), source + "-", source + ".");
  }
}

outcome<std::vector<stored_projection>> stored_projections(const std::string& url) {
  try {
    auto connection = connect_session(url, "reeve_projections");
    pqxx::read_transaction tx(*connection);
    std::vector<stored_projection> all;
    for (const auto& [of, state] : read_stored(tx)) {
      const bool differs = state.version != of->version || !state.has_same_columns;
      all.push_back({std::string(of->name),
                     !state.is_known  ? "new"
                     : state.is_stale ? "stale"
                     : differs        ? "building"
                                      : "live",
                     state.is_asked});
    }
    return all;
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the read models of this database cannot be looked at");
  }
}

outcome<done> ask_rebuild(const std::string& owner_url, const std::string& name) {
  bool is_known = name.empty();
  for (const auto* of : projections()) is_known = is_known || of->name == name;
  if (!is_known) return reject(errc::not_found, "there is no read model " + name);
  try {
    auto connection = connect_session(owner_url, "reeve_projections");
    pqxx::nontransaction(*connection)
        .exec_params0(
            "UPDATE reeve.projections SET asked_at_us ="
            " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
            " WHERE $1 = '' OR name = $1",
            name);
    return done{};
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the read models of this database cannot be reached");
  }
}

}  // namespace reeve::persistence
