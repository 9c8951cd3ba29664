#include "cli/database.hpp"

#include "cli/act_as.hpp"
#include "cli/config_file.hpp"
#include "cli/server_identity.hpp"
#include "persistence/login_refusal.hpp"
#include "persistence/migrate.hpp"

#include <unistd.h>

namespace reeve::cli {

namespace {

outcome<database> open_with(const config& c, persistence::private_postgres_options options) {
  database db;
  if (!c.database_url.empty()) {
    db.owner_url = c.database_url;
    return db;
  }
  db.is_private = true;
  if (auto ok = act_as_owner_of(c.data); !ok) return ok.error();
  options.folder = cluster_folder(c);
  auto started = persistence::private_postgres::start(options);
  if (started) {
    db.own = std::move(*started);
    db.owner_url = db.own->owner_url();
    return db;
  }
  if (started.error().code == errc::not_found) {
    return reject(errc::unavailable,
                  "no database lies in the data folder " + c.data +
                      ": REEVE_DATA names the server's (./run keeps it in ./var/data, or says "
                      "where), DATABASE_URL another database; a server's first start makes one");
  }
  const bool may_share = options.use == persistence::folder_use::look;
  if (!may_share || started.error().code != errc::conflict) return started.error();
  db.owner_url = persistence::private_postgres::owner_url_of(options.folder);
  return db;
}

}  // namespace

outcome<database> open_database(const config& c) {
  persistence::private_postgres_options options;
  options.use = persistence::folder_use::look;
  auto db = open_with(c, options);
  if (!db) return db;
  if (auto ok = reach_database(*db); !ok) return ok.error();
  return db;
}

outcome<database> open_database_to_serve(const config& c, const std::function<bool()>& is_ended) {
  persistence::private_postgres_options options;
  options.is_ended = is_ended;
  return open_with(c, options);
}

outcome<done> reach_database(const database& db) {
  if (db.is_private) return done{};
  auto reached = persistence::reach_database(db.owner_url);
  if (reached || reached.error().code != errc::invalid) return reached;
  return reject(errc::invalid, "DATABASE_URL: " + reached.error().detail);
}

outcome<persistence::runtime_logins> prepare_logins(const config& c, const database& db) {
  persistence::roles_options roles;
  roles.owner_url = db.owner_url;
  roles.writer_url = c.writer_url;
  roles.reader_url = c.reader_url;
  roles.secrets_file = c.data + "/roles";
  roles.peer = db.is_private;
  return persistence::ensure_roles(roles);
}

outcome<done> migrate_database(const database& db, const persistence::runtime_logins& logins,
                               int leader_pid) {
  auto migrated =
      persistence::migrate({db.owner_url, logins.writer_role, logins.reader_role, leader_pid});
  if (!migrated) return migrated.error();
  return done{};
}

std::string cluster_folder(const config& c) {
  return c.data + "/pg";
}
std::string token_file(const config& c) {
  return c.data + "/token";
}
std::string system_token_file(const config& c) {
  return c.data + "/system-token";
}
std::string token_reset_file(const config& c) {
  return c.data + "/token-reset";
}

std::string endpoint_file(const config& c) {
  return c.data + "/endpoint";
}
std::string signing_key_file(const config& c) {
  return c.data + "/signing.key";
}
std::string secrets_key_file(const config& c) {
  return c.data + "/secrets.key";
}
std::string heads_file(const config& c) {
  return c.data + "/heads.ndjson";
}
std::string server_id_file(const config& c) {
  return c.data + "/server-id";
}
std::string known_database_file(const config& c) {
  return c.data + "/database";
}
std::string hold_file(const config& c) {
  return c.data + "/hold";
}
std::string accepted_database_file(const config& c) {
  return c.data + "/accepted-database";
}

std::string leading_server(const config& c) {
  const bool runs = server_identity::is_held(server_id_file(c));
  return runs ? read_secret_file(endpoint_file(c)) : std::string();
}

}  // namespace reeve::cli
