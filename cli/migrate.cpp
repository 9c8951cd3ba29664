#include "base/test_point.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/output.hpp"
#include "persistence/leader_lock.hpp"

#include <cstdio>

namespace reeve::cli {
namespace {

/// Only who holds the leader's lock changes the schema: a server that leads would go on with
/// statements that were made for another one.
outcome<done> migrate(const config& c) {
  auto db = open_database(c);
  if (!db) return db.error();
  const auto lock = persistence::leader_lock::take(db->owner_url);
  if (!lock && lock.error().code == errc::conflict) {
    return reject(errc::conflict,
                  "a server leads this log, and the schema is not changed under it. It brings the "
                  "schema up to date when it starts; to do it by hand, stop it first");
  }
  if (!lock) return lock.error();
  test_point("migrate");
  auto logins = prepare_logins(c, *db);
  if (!logins) return logins.error();
  return migrate_database(*db, *logins, lock->holder());
}

}  // namespace

int migrate(const loaded_config& config) {
  const auto ready = migrate(config.values);
  if (!ready) {
    complain(ready.error().detail);
    return ready.error().code == errc::unavailable ? exit_unreachable : exit_refused;
  }
  std::puts("The schema is up to date.");
  return exit_ok;
}

}  // namespace reeve::cli
