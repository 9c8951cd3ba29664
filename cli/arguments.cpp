#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>

namespace reeve::cli {
namespace {

constexpr const char* version_text = "reeve 0.1.0";

void add_setting(CLI::App& app, arguments& out, const std::string& name, const std::string& flag,
                 const std::string& text) {
  app.add_option_function<std::string>(
      flag, [&out, name](const std::string& value) { out.settings[name] = value; }, text);
}

void add_server(CLI::App& app, arguments& out) {
  auto* serve = app.add_subcommand("serve", "Run the server");
  add_setting(*serve, out, "listen", "--listen", "address:port; port 0 takes a free one");
  add_setting(*serve, out, "docker", "--docker", "auto, simulated or unix:///path");
  add_setting(*serve, out, "logs", "--logs", "folder of log files");
  add_setting(*serve, out, "uploads", "--uploads", "folder of uploads");
  add_setting(*serve, out, "redacted", "--redacted", "pattern redaction of job logs");
  add_setting(*serve, out, "mount_roots", "--mount-roots", "folders that jobs may mount");
  add_setting(*serve, out, "log_level", "--log-level", "debug, info, warn, error");
  add_setting(*serve, out, "log_format", "--log-format", "json, text");
}

void add_offline(CLI::App& app, arguments& out) {
  auto* migrate = app.add_subcommand("migrate", "Bring the database's schema up to date");
  migrate->add_option("--database", out.database, "login of the owner, without a password");
  auto* verify = app.add_subcommand("verify", "Check the hash chain and every checkpoint");
  verify->add_option("--database", out.database, "login of the owner, without a password");
  verify->add_option("--from", out.verify.from, "an exported log; - is standard input");
  verify->add_option("--heads", out.verify.heads, "file of signed heads");
  verify->add_option("--key", out.verify.key, "public key of the checkpoints, base64url");
  auto* replay = app.add_subcommand("replay", "Rebuild the read models and compare them");
  replay->add_option("--database", out.database, "login of the owner, without a password");
  replay->add_option("--until", out.replay.until, "a position or an RFC 3339 time");
  auto* exported = app.add_subcommand("export", "Write the log as NDJSON");
  exported->add_option("--database", out.database, "login of the owner, without a password");
  exported->add_option("--to", out.exported.to, "a file; - is standard output");
  exported->add_option("--tenant", out.exported.tenant, "only this tenant's events whole");
  exported->add_flag("--zstd", out.exported.zstd, "compress");
  auto* config = app.add_subcommand("config", "show: the configuration; markdown: its page");
  config->add_option("action", out.action)->check(CLI::IsMember({"show", "markdown"}));
  app.add_subcommand("doctor", "Check what the server stands on, with fixes");
  app.add_subcommand("version", "Print the version");
}

void add_clients(CLI::App& app, arguments& out) {
  for (const auto& [name, text] :
       {std::pair<const char*, const char*>{"runs", "launch, list, show, cancel, logs, artifacts"},
        {"directives", "list, show, create, revise, archive"},
        {"allow", "image, container, list, remove"},
        {"events", "Read the log; --follow goes on"}}) {
    auto* sub = app.add_subcommand(name, text);
    sub->prefix_command();
    (void)sub;
  }
  app.add_option("--url", out.client.url, "the server; default: the data folder's endpoint");
}

}  // namespace

arguments parse_arguments(int argc, char** argv) {
  arguments out;
  CLI::App app{"Reeve: an event-sourced orchestration server", "reeve"};
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", version_text);
  app.add_option("--config", out.config_file, "TOML file")->envname("REEVE_CONFIG");
  add_setting(app, out, "data", "--data", "folder of the server's state");
  app.add_flag("--json", out.json, "answer in JSON");
  add_server(app, out);
  add_offline(app, out);
  add_clients(app, out);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    out.exit = app.exit(e) == 0 ? exit_ok : exit_usage;
    return out;
  }
  const auto* sub = app.get_subcommands().front();
  out.command = sub->get_name();
  out.words = sub->remaining();
  if (out.command == "version") {
    out.command.clear();
    std::puts(version_text);
  }
  out.verify.json = out.replay.json = out.client.json = out.json;
  return out;
}

}  // namespace reeve::cli
