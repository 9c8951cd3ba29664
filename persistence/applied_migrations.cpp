#include "persistence/applied_migrations.hpp"

#include "base/digest.hpp"
#include "embedded/migrations.hpp"
#include "persistence/advisory_locks.hpp"

#include <charconv>

namespace reeve::persistence {

int number_of(std::string_view migration) {
  int number = 0;
  std::from_chars(migration.data(), migration.data() + migration.size(), number);
  return number;
}

applied_map read_applied(pqxx::transaction_base& tx) {
  applied_map applied;
  for (const auto& r : tx.exec("SELECT number, sha256 FROM reeve.migrations ORDER BY number")) {
    applied[r[0].as<int>()] = r[1].as<std::string>();
  }
  return applied;
}

outcome<done> check_applied(const applied_map& applied) {
  const auto known = embedded::migrations();
  const int newest = known.empty() ? 0 : number_of(known.back().name);
  if (!applied.empty() && applied.rbegin()->first > newest) {
    return reject(errc::conflict, "the database's schema is newer than this program: " +
                                      std::to_string(applied.rbegin()->first) + " against " +
                                      std::to_string(newest) + "; use the newer program");
  }
  for (const auto& m : known) {
    const auto found = applied.find(number_of(m.name));
    if (found == applied.end() || found->second == to_hex(sha256(m.sql))) continue;
    return reject(errc::conflict, "migration " + std::string(m.name) +
                                      " was applied with another text than this program has");
  }
  return done{};
}

outcome<done> check_schema_again(pqxx::connection& writer) {
  pqxx::work tx(writer);
  const auto row = tx.exec1(std::string("SELECT pg_catalog.pg_try_advisory_xact_lock_shared(") +
                            schema_lock_key +
                            "), COALESCE(pg_catalog.has_table_privilege("
                            "pg_catalog.to_regclass('reeve.migrations')::oid, 'SELECT'), false)");
  if (!row[0].as<bool>()) return reject(errc::unavailable, "the schema is being changed");
  if (!row[1].as<bool>()) return done{};
  return check_applied(read_applied(tx));
}

}  // namespace reeve::persistence
