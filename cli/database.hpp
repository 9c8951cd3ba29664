#pragma once
// The database that a sub-command works on: DATABASE_URL, or the private PostgreSQL, which is
// started for as long as the command needs it if no server runs it.

#include "base/outcome.hpp"
#include "cli/config.hpp"
#include "persistence/private_postgres.hpp"
#include "persistence/roles.hpp"

#include <functional>
#include <memory>
#include <string>

namespace reeve::cli {

struct database {
  std::unique_ptr<persistence::private_postgres> own;  // null = somebody else runs it
  std::string owner_url;
  bool is_private = false;
};

/// Root becomes the owner of the private one's folder first, for good: what only root may write is
/// opened before. A command: a private PostgreSQL that runs is used, else it is started for it.
/// Where there is none, none is made (`unavailable`): a command that was pointed elsewhere would
/// look at an empty one. One of DATABASE_URL is reached for once, so that whatever keeps the
/// command out is told in words.
outcome<database> open_database(const config& c);
/// For the server, whose own the private PostgreSQL must be. It waits for commands that use it;
/// `is_ended` is asked meanwhile, and true ends the wait.
outcome<database> open_database_to_serve(const config& c, const std::function<bool()>& is_ended);

/// Says what is wrong with DATABASE_URL, if something is; it may take seconds.
outcome<done> reach_database(const database& db);

/// The runtime logins, made where they are missing.
outcome<persistence::runtime_logins> prepare_logins(const config& c, const database& db);
/// Brings the schema up to date: the leader's, or a command's that was asked for it. `leader_pid`:
/// PostgreSQL's process that holds the leader's lock for it; `fenced`: it does no more.
outcome<done> migrate_database(const database& db, const persistence::runtime_logins& logins,
                               int leader_pid);

/// Folders of the server's state, below config::data.
std::string cluster_folder(const config& c);
std::string token_file(const config& c);
std::string system_token_file(const config& c);
/// A token that `reeve token reset` asks for.
std::string token_reset_file(const config& c);
/// Written by a server that leads; means something while somebody holds the identity only.
std::string endpoint_file(const config& c);
std::string signing_key_file(const config& c);
std::string secrets_key_file(const config& c);
std::string heads_file(const config& c);
std::string server_id_file(const config& c);
/// Cluster and timeline that were led last, and a state that an operator accepted.
std::string known_database_file(const config& c);
std::string accepted_database_file(const config& c);
/// There while the lease of a leader that this server succeeded may run.
std::string hold_file(const config& c);

/// Where the server that leads with this data folder says that it listens. Empty: there is none, or
/// that cannot be seen. What a server that died left behind names a port that is anybody's.
std::string leading_server(const config& c);

}  // namespace reeve::cli
