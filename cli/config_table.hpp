#pragma once
// The one table of settings. The parser, the flags, `reeve config show` and the documentation are
// made of it, so that they cannot drift.

#include "base/outcome.hpp"
#include "cli/config.hpp"

#include <functional>
#include <string>
#include <vector>

namespace reeve::cli {

/// What of the host's files and folders a value names, if those are Reeve's own: no job mounts
/// them. Relative ones are the working directory's, and empty ones are none.
using named_paths = std::function<std::vector<std::string>(const config&)>;

struct setting {
  std::string name;                // in the TOML file
  std::string flag;                // "--listen"; empty: never from the command line
  std::string variable;            // "REEVE_LISTEN"
  std::vector<const char*> older;  // variables that are accepted with a warning
  bool is_secret = false;
  std::string standard;  // the default, which the struct of the values has
  std::string allowed;   // for errors and the documentation
  std::string text;      // one sentence for the documentation
  /// False if the text is not what `allowed` says.
  std::function<bool(config&, const std::string&)> set;
  named_paths paths;  // null: it names none
};

const std::vector<setting>& settings();

/// Whether an address (as in `listen`, without its port) is reachable from this machine only.
bool is_loopback(const std::string& host);

}  // namespace reeve::cli
