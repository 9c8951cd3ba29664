#pragma once
// What `reeve doctor` finds, a row each.

#include "adapters/engine_port.hpp"
#include "base/outcome.hpp"
#include "cli/config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reeve::cli {

struct finding {
  std::string name;
  std::string verdict;  // ok, warn, fail
  std::string seen;
  std::string fix;
};

/// Database, event log and read models: what `reeve serve` refuses fails here for the same reason.
/// Nothing of Reeve's is changed. A private PostgreSQL that nobody runs is started for the look, as
/// for `reeve verify`, and recovers if it was killed; where there is none yet, none is made.
std::vector<finding> check_databases(const config& c);

/// Whether this data folder has the key that the secrets of the database are sealed with. Nothing
/// is made.
finding check_secrets(const config& c, const std::string& owner_url);
/// Whether the file of that key can be used, if it is there: `invalid`, which the server does not
/// start on, and tells in the same words.
outcome<done> judge_secrets_key(const config& c);
/// The same for the doctor, whatever the database says; nothing: it can.
std::optional<finding> unfit_secrets_key(const config& c);

/// The file that names upstreams of language models, and, if it names any, the folder of the socket
/// for jobs: what `reeve serve` refuses fails here in the same words. Nothing is made.
finding check_models(const config& c);

/// Where the server that leads with this data folder answers. Empty: it does not, or the
/// configuration names an address, which is looked at instead.
std::string own_server(const loaded_config& config);
/// The engine of the server that answers there, as it says itself; nothing: it does not say, or the
/// configuration names an engine, which is looked at instead.
std::optional<finding> engine_of_server(const loaded_config& config, const std::string& url);
/// Of whom the server runs as: neither root nor the default user of jobs, since no job runs as the
/// server's own user. The server says the same at its start.
finding judge_user(std::int64_t uid);
/// Of an engine that answers; `where` says by which way.
finding judge_engine(const adapters::engine_version& version, const std::string& where);

}  // namespace reeve::cli
