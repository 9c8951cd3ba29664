// The composition root: takes the command line apart, loads the configuration, runs one command.

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

#include <cstdio>
#include <exception>
#include <signal.h>

namespace {

using namespace reeve;

int usage(const rejection& why) {
  cli::complain(why.detail);
  return cli::exit_usage;
}

/// A server writes them to its log.
void tell(const std::vector<std::string>& warnings) {
  for (const auto& text : warnings) cli::complain(text);
}

/// A password in a flag would stand in every list of processes.
bool has_password(const std::string& url) {
  if (url.find("password") != std::string::npos) return true;
  const auto scheme = url.find("://");
  const auto at = url.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos || at < scheme) return false;
  return url.substr(scheme + 3, at - scheme - 3).find(':') != std::string::npos;
}

int dispatch(const cli::arguments& a, cli::loaded_config& config) {
  if (a.command == "serve") return cli::serve(config);
  if (a.command == "migrate") return cli::migrate(config);
  if (a.command == "accept-database") return cli::accept_database(config);
  if (a.command == "token") return cli::token(config, a.words, a.json);
  if (a.command == "verify") return cli::verify(config, a.verify);
  if (a.command == "replay") return cli::replay(config, a.replay);
  if (a.command == "rebuild") return cli::rebuild(config, a.rebuild);
  if (a.command == "export") return cli::export_log(config, a.exported);
  if (a.command == "gpus") return cli::gpus(a.library, a.json);
  if (a.command == "doctor") return cli::doctor(config, a.json);
  if (a.command == "runs") return cli::runs(config, a.client, a.words);
  if (a.command == "jobs") return cli::jobs(config, a.client, a.words);
  if (a.command == "logs") return cli::logs(config, a.client, a.words);
  if (a.command == "directives") return cli::directives(config, a.client, a.words);
  if (a.command == "allow") return cli::allow(config, a.client, a.words);
  if (a.command == "tokens") return cli::tokens(config, a.client, a.words);
  if (a.command == "secrets") return cli::secrets(config, a.client, a.words);
  if (a.command == "events") return cli::events(config, a.client, a.words);
  if (a.action == "markdown") {
    std::fputs(cli::config_markdown().c_str(), stdout);
    return cli::exit_ok;
  }
  return cli::show_config(config, a.json);
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that is gone fails the write, which is told, instead of ending a command half way.
  ::signal(SIGPIPE, SIG_IGN);
  try {
    const auto arguments = cli::parse_arguments(argc, argv);
    if (arguments.command.empty()) return cli::code_after_output(arguments.exit);
    auto config = cli::load_config(arguments.settings, arguments.config_file);
    if (!config) return usage(config.error());
    if (arguments.command != "serve") tell(config->warnings);
    if (!arguments.database.empty()) {
      if (has_password(arguments.database)) {
        return usage(reject(errc::invalid, "--database: give a password by DATABASE_URL instead"));
      }
      config->values.database_url = arguments.database;
    }
    const int code = dispatch(arguments, *config);
    // How a server ended is told by its code alone, wherever its log goes.
    return arguments.command == "serve" ? code : cli::code_after_output(code);
  } catch (const std::exception&) {
    std::fputs("reeve: an internal error ended the command\n", stderr);
    return cli::exit_collapsed;
  }
}
