// The way past a refusal (exit code 78): an operator says that the database as it is now is the one
// to go on from, although it is older than what was signed.

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/output.hpp"
#include "persistence/admission.hpp"

#include <cstdio>

namespace reeve::cli {
namespace {

int tell(const rejection& why) {
  complain(why.detail);
  return why.code == errc::unavailable ? exit_unreachable : exit_refused;
}

}  // namespace

int accept_database(const loaded_config& config) {
  auto db = open_database(config.values);
  if (!db) return tell(db.error());
  const auto file = accepted_database_file(config.values);
  const auto seen = persistence::look_at_refused(
      {heads_file(config.values), known_database_file(config.values), file}, db->owner_url);
  if (!seen) return tell(seen.error());
  const auto last = persistence::read_last_head(heads_file(config.values));
  if (!last) return tell(last.error());
  if (auto ok = persistence::write_known(file, *seen); !ok) return tell(ok.error());
  std::printf("The log ends at position %lld.\n", static_cast<long long>(seen->position));
  if (*last) {
    std::printf("It was signed up to position %lld: events that are not in it are given up.\n",
                static_cast<long long>((*last)->position));
  }
  std::puts("The next start goes on from exactly this state, and writes into the log that it did.");
  return exit_ok;
}

}  // namespace reeve::cli
