#pragma once
// The sub-commands, one file each. They print to stdout, errors to stderr, and answer an exit code.

#include "cli/config.hpp"

#include <string>
#include <vector>

namespace reeve::cli {

/// What scripts may rely on.
enum exit_code : int {
  exit_ok = 0,
  exit_run_failed = 1,
  exit_usage = 2,
  exit_not_found = 3,
  exit_refused = 4,
  exit_unreachable = 5,
  exit_not_built = 6,   // a read model could not be built
  exit_collapsed = 70,  // the supervision tree gave up: start again
  exit_fenced = 75,     // another server writes, or the database is away: start again
  exit_database = 78    // the database is older than what is known of it: a restart changes nothing
};

int serve(const loaded_config& config);
int migrate(const loaded_config& config);
int accept_database(const loaded_config& config);

/// A new admin token for whoever may write the data folder.
int token(const loaded_config& config, const std::vector<std::string>& words, bool json);

struct verify_options {
  std::string from;   // file, "-" = standard input, empty = the database
  std::string heads;  // file of signed heads; empty = the data folder's
  std::string key;    // public key; empty = the data folder's
  bool json = false;
};
int verify(const loaded_config& config, const verify_options& options);

struct replay_options {
  std::string until;  // position or RFC 3339 time; empty = the head, with comparison
  bool json = false;
};
int replay(const loaded_config& config, const replay_options& options);

struct rebuild_options {
  std::string name;  // empty = all of them
  bool json = false;
};
int rebuild(const loaded_config& config, const rebuild_options& options);

struct export_options {
  std::string to = "-";
  std::string tenant;  // only this tenant's events whole
  bool zstd = false;
};
int export_log(const loaded_config& config, const export_options& options);

int show_config(const loaded_config& config, bool json);
int doctor(const loaded_config& config, bool json);
/// `library`: what the driver's library says, for the process that asks for it in JSON.
int gpus(bool library, bool json);

/// Commands of a client of a running server.
struct client_options {
  std::string url;    // empty = the data folder's server, then http://127.0.0.1:9595
  std::string token;  // empty = REEVE_TOKEN, then the data folder's token
  bool json = false;
  std::string output;  // table, json, ndjson; empty = table, or json if `json`
};
int runs(const loaded_config& config, const client_options& client,
         const std::vector<std::string>& words);
int jobs(const loaded_config& config, const client_options& client,
         const std::vector<std::string>& words);
int logs(const loaded_config& config, const client_options& client,
         const std::vector<std::string>& words);
int directives(const loaded_config& config, const client_options& client,
               const std::vector<std::string>& words);
int allow(const loaded_config& config, const client_options& client,
          const std::vector<std::string>& words);
int tokens(const loaded_config& config, const client_options& client,
           const std::vector<std::string>& words);
int secrets(const loaded_config& config, const client_options& client,
            const std::vector<std::string>& words);
int events(const loaded_config& config, const client_options& client,
           const std::vector<std::string>& words);

}  // namespace reeve::cli
