#pragma once
// The first start: a tenant with its default directive and an admin token, whose text goes into a
// file of mode 0600 and nowhere else. Repeated safely until there is an active admin token.

#include "actors/handles.hpp"
#include "base/ids.hpp"
#include "persistence/startup.hpp"

#include <string>

namespace reeve::cli {

/// Answers whether something was made. Errors: those of the commands, `unavailable` if the file
/// cannot be written (the token is then revoked by the next start's new one).
outcome<bool> bootstrap(actors::commands& commands, id_source& ids,
                        const persistence::startup_rows& rows, const std::string& token_file);

}  // namespace reeve::cli
