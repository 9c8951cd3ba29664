#include "cli/commands.hpp"
#include "cli/database.hpp"

#include <cstdio>

namespace reeve::cli {

int migrate(const loaded_config& config) {
  auto db = open_database(config.values, false);
  auto logins =
      db ? prepare_logins(config.values, *db) : outcome<persistence::runtime_logins>(db.error());
  const auto ready = logins ? migrate_database(*db, *logins) : outcome<done>(logins.error());
  if (!ready) {
    std::fputs(("reeve: " + ready.error().detail + "\n").c_str(), stderr);
    return ready.error().code == errc::unavailable ? exit_unreachable : exit_refused;
  }
  std::puts("The schema is up to date.");
  return exit_ok;
}

}  // namespace reeve::cli
