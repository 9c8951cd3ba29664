#pragma once
// The command line, taken apart. The one unit behind it includes CLI11.

#include "cli/commands.hpp"

#include <map>
#include <string>
#include <vector>

namespace reeve::cli {

struct arguments {
  std::string command;  // serve, verify, …; empty = there is nothing to do, exit with `exit`
  int exit = 0;
  std::map<std::string, std::string> settings;  // by the names of the configuration
  std::string config_file;
  std::string database;  // --database of the offline commands
  bool json = false;
  bool library = false;  // of gpus
  std::string action;    // of config: show, markdown
  /// Of runs, directives, allow, tokens and events, in one form whatever the user wrote: the
  /// action, what it is about, then options, each followed by its value if it has one.
  std::vector<std::string> words;
  verify_options verify;
  replay_options replay;
  rebuild_options rebuild;
  export_options exported;
  client_options client;
};

/// Prints help, version and errors itself.
arguments parse_arguments(int argc, char** argv);

}  // namespace reeve::cli
