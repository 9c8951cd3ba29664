#pragma once
// The first start: a tenant with its default directive and an admin token, whose text goes into a
// file of mode 0600 and nowhere else. Repeated safely until there is an active admin token. The
// same for the system tenant, whose administrators alone let auditors read every tenant's events.

#include "actors/command_port.hpp"
#include "base/ids.hpp"
#include "persistence/startup.hpp"

#include <string>

namespace reeve::cli {

struct bootstrap_files {
  std::string token;         // of the first tenant
  std::string system_token;  // of the system tenant
};

/// Answers whether the first tenant's token was made; tenants that it makes join the rows. Errors:
/// those of the commands, `unavailable` if a file cannot be written (the token is then revoked by
/// the next start's new one).
outcome<bool> bootstrap(actors::command_port& commands, id_source& ids,
                        persistence::startup_rows& rows, const bootstrap_files& files);

}  // namespace reeve::cli
