#include "persistence/stored_projections.hpp"

#include "persistence/advisory_locks.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/projection_build.hpp"
#include "persistence/read_models.hpp"

namespace reeve::persistence {

std::map<const projection*, stored_state> read_stored(pqxx::transaction_base& tx) {
  std::map<const projection*, stored_state> found;
  for (const auto* of : projections()) found[of];
  for (const auto& row :
       tx.exec("SELECT name, version, columns, state, checkpoint,"
               " COALESCE(asked_at_us, 0), COALESCE(failure, '') FROM reeve.projections")) {
    for (auto& [of, state] : found) {
      if (of->name != row[0].c_str()) continue;
      state.is_known = true;
      state.version = row[1].as<int>();
      state.has_same_columns = columns_of(*of) == row[2].c_str();
      state.is_stale = std::string_view(row[3].c_str()) == "stale";
      state.checkpoint = row[4].as<domain::position>();
      state.asked_at_us = row[5].as<std::int64_t>();
      state.failure = row[6].c_str();
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

void note_failure(pqxx::transaction_base& tx, const projection& of, std::int64_t asked_at_us,
                  const std::string& why) {
  tx.exec_params0(
      "INSERT INTO reeve.projections AS p (name, version, columns, state, checkpoint, failure)"
      " VALUES ($1, 0, '', 'building', 0, $2) ON CONFLICT (name) DO UPDATE SET"
      " failure = excluded.failure, asked_at_us = NULL"
      " WHERE COALESCE(p.asked_at_us, 0) = $3",
      std::string(of.name), why, asked_at_us);
}

outcome<std::vector<stored_projection>> stored_projections(const std::string& url) {
  try {
    auto connection = connect_session(url, "reeve_projections");
    pqxx::read_transaction tx(*connection);
    if (tx.exec1("SELECT to_regclass('reeve.projections') IS NULL")[0].as<bool>()) {
      return reject(errc::not_found, "no server has led here");
    }
    std::vector<stored_projection> all;
    for (const auto& [of, state] : read_stored(tx)) {
      const bool differs = state.version != of->version || !state.has_same_columns;
      all.push_back({std::string(of->name),
                     !state.is_known  ? "new"
                     : state.is_stale ? "stale"
                     : differs        ? "building"
                                      : "live",
                     state.is_asked(), state.failure});
    }
    return all;
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the read models of this database cannot be looked at");
  }
}

namespace {

outcome<std::vector<const projection*>> projections_called(const std::string& name) {
  const auto all = projections();
  std::vector<const projection*> list(all.begin(), all.end());
  if (name.empty()) return list;
  std::erase_if(list, [&name](const auto* of) { return of->name != name; });
  if (list.empty()) return reject(errc::not_found, "there is no read model " + name);
  return list;
}

}  // namespace

outcome<done> ask_rebuild(const std::string& owner_url, const std::string& name) {
  const auto list = projections_called(name);
  if (!list) return list.error();
  try {
    auto connection = connect_session(owner_url, "reeve_projections");
    pqxx::work tx(*connection);
    for (const auto* of : *list) {
      tx.exec_params0(
          "INSERT INTO reeve.projections (name, version, columns, state, checkpoint, asked_at_us)"
          " VALUES ($1, 0, '', 'building', 0,"
          " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) ON CONFLICT (name)"
          " DO UPDATE SET asked_at_us = excluded.asked_at_us, failure = NULL",
          std::string(of->name));
    }
    tx.commit();
    return done{};
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the read models of this database cannot be reached");
  }
}

outcome<bool> is_building(const std::string& url) {
  try {
    auto connection = connect_session(url, "reeve_projections");
    pqxx::nontransaction tx(*connection);
    return !tx.exec(std::string("SELECT 1 FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d"
                                " ON d.oid = l.database WHERE d.datname = current_database()"
                                " AND l.locktype = 'advisory' AND l.granted"
                                " AND ((l.classid::bigint << 32) | l.objid::bigint) = ") +
                    build_lock_key)
                .empty();
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the database cannot be reached");
  }
}

outcome<done> build_here(const std::string& owner_url, const std::string& name,
                         const std::function<int()>& holder) {
  const auto list = projections_called(name);
  if (!list) return list.error();
  build_options options;
  options.owner_url = owner_url;
  options.list = *list;
  options.holder = holder;
  const auto together = build_projections(options);
  if (together) return done{};
  if (together.error().code == errc::fenced) return together.error();
  std::string failed;
  for (const auto* of : *list) {
    options.list = {of};
    const auto alone = list->size() > 1 ? build_projections(options) : together;
    if (alone) continue;
    if (alone.error().code == errc::fenced) return alone.error();
    failed += (failed.empty() ? "" : "; ") + std::string(of->name) + ": " + alone.error().detail;
  }
  if (failed.empty()) return done{};
  return reject(errc::internal, failed);
}

}  // namespace reeve::persistence
