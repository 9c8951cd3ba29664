#pragma once
// The server's configuration: TOML file, then environment, then flags, in rising order. One table
// (config_table.cpp) yields the parser, `reeve config show` and docs/configuration.md.

#include "actors/tree_children.hpp"
#include "base/outcome.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::cli {

struct config {
  std::string listen = "127.0.0.1:9595";  // address:port; port 0 = any free one
  std::string data = "./var/data";        // everything that the server keeps outside PostgreSQL
  std::string database_url;               // owner's login; empty = a private PostgreSQL below data
  std::string writer_url;                 // runtime logins; empty = generated
  std::string reader_url;
  std::string docker = "auto";  // auto, simulated, unix:///path
  std::string logs = "./logs";  // files that log_triage may read
  std::string uploads = "./uploads";
  bool redacted = true;  // pattern redaction of the logs of jobs
  std::string llm;       // file with what is known of language models; empty = nothing
  /// With the socket for jobs that call language models; empty = `llm` below data.
  std::string llm_socket_folder;
  std::vector<std::string> mount_roots;  // folders that jobs may mount; none = no mounts
  std::string log_level = "info";        // debug, info, warn, error
  std::string log_format = "json";       // json, text
  bool allow_plain_http = false;         // plain HTTP beyond loopback
  std::int64_t rate_per_s = 2000;        // requests of one token
  std::int64_t max_connections = 1024;
  std::int64_t buffered_bytes = std::int64_t{32} * 1024 * 1024;  // of requests and answers
  std::int64_t token_share_percent = 25;  // of these and the like, for one token
  std::int64_t address_share_percent = 75;
  std::int64_t drain_s = 10;            // in-flight requests at a stop
  actors::tree_settings tree;           // what its actors say that may be set
  bool refused_waits = false;           // a refused database is told until a signal comes
  std::int64_t reader_delay_ms = 0;     // test hook: holds a reader back before it answers
  std::vector<std::string> read_files;  // that values came from: the TOML file, a password's
};

/// One row of the table, with where the value came from.
struct config_row {
  std::string name;      // "listen", as in the TOML file
  std::string flag;      // "--listen", or empty: secrets never come from flags
  std::string variable;  // "REEVE_LISTEN"
  std::string value;     // secrets as "[redacted]"
  std::string origin;    // default, file, environment NAME, flag
  std::string text;      // one sentence for the documentation
};

struct loaded_config {
  config values;
  std::vector<config_row> rows;
  std::vector<std::string> warnings;  // older names that were accepted
};

/// `flags`: name → text, as the command line had them. `file`: path of the TOML file, empty = none.
/// invalid: names the setting, where it came from and what is allowed; unknown keys are refused.
outcome<loaded_config> load_config(const std::map<std::string, std::string>& flags,
                                   const std::string& file);

/// The documentation, as Markdown; docs/configuration.md is its output.
std::string config_markdown();

}  // namespace reeve::cli
