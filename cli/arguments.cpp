#include "cli/arguments.hpp"

#include "cli/config_table.hpp"
#include "cli/near_miss.hpp"
#include "cli/output.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <utility>

namespace reeve::cli {
namespace {

constexpr const char* version_text = "reeve 0.1.0";

/// Fills `words` from what was given to the action that was called.
class action_builder {
 public:
  action_builder(CLI::App& app, arguments& out, const char* name, const char* text)
      : app_(app.add_subcommand(name, text)), out_(out), name_(name) {
    app_->callback([self = parts_, app = app_, &out = out_, name = name_] {
      std::vector<std::string> words;
      if (app->get_parent()->get_parent() != nullptr) words.push_back(name);
      for (const auto& part : *self) part(words);
      out.words = std::move(words);
    });
  }

  action_builder& plain(const char* name, const char* text, bool required = true) {
    auto value = std::make_shared<std::string>();
    app_->add_option(name, *value, text)->required(required);
    parts_->push_back([value](std::vector<std::string>& words) {
      if (!value->empty()) words.push_back(*value);
    });
    return *this;
  }

  /// May be repeated if `many`.
  action_builder& option(const std::string& name, const char* text, bool many = false) {
    auto values = std::make_shared<std::vector<std::string>>();
    auto* made = app_->add_option(name, *values, text)->type_size(1);
    if (!many) made->expected(1);
    if (many) made->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    parts_->push_back([values, name](std::vector<std::string>& words) {
      for (const auto& value : *values) {
        words.push_back(name);
        words.push_back(value);
      }
    });
    return *this;
  }

  action_builder& flag(const std::string& name, const char* text) {
    auto given = std::make_shared<bool>(false);
    app_->add_flag(name, *given, text);
    parts_->push_back([given, name](std::vector<std::string>& words) {
      if (*given) words.push_back(name);
    });
    return *this;
  }

 private:
  using part = std::function<void(std::vector<std::string>&)>;
  CLI::App* app_;
  arguments& out_;
  std::string name_;
  std::shared_ptr<std::vector<part>> parts_ = std::make_shared<std::vector<part>>();
};

CLI::App& group(CLI::App& app, const char* name, const char* text) {
  return *app.add_subcommand(name, text)->require_subcommand(1)->fallthrough();
}

/// Flags of the settings; `data` belongs to every command.
void add_settings(CLI::App& app, arguments& out) {
  for (const auto& s : settings()) {
    if (s.flag.empty() || s.name == "data") continue;
    app.add_option_function<std::string>(
           s.flag, [&out, name = s.name](const std::string& value) { out.settings[name] = value; },
           s.text + " " + s.variable)
        ->type_name("");
  }
}

void add_server(CLI::App& app, arguments& out) {
  add_settings(*app.add_subcommand("serve", "Run the server"), out);
  auto* config = app.add_subcommand("config", "The configuration and where it comes from");
  config->add_option("action", out.action, "show, or markdown for the page of documentation")
      ->check(CLI::IsMember({"show", "markdown"}));
  add_settings(*config, out);
  add_settings(*app.add_subcommand("doctor", "Check what the server stands on, with fixes"), out);
}

void add_gpus(CLI::App& app, arguments& out) {
  auto* gpus = app.add_subcommand("gpus", "The GPUs of this machine, as a gpu_report reads them");
  // For a server that has a process of its own look at the library: not for people.
  gpus->add_flag("--library", out.library, "")->group("");
}

void add_offline(CLI::App& app, arguments& out) {
  auto* migrate = app.add_subcommand("migrate", "Bring the database's schema up to date");
  auto* accept = app.add_subcommand(
      "accept-database", "Go on from a database that is older than what is known (exit code 78)");
  auto* verify = app.add_subcommand(
      "verify", "Check the hash chain, every checkpoint, and the outputs that the events name");
  verify->add_option("--from", out.verify.from, "an exported log; - is standard input");
  verify->add_option("--heads", out.verify.heads, "file of signed heads");
  verify->add_option("--key", out.verify.key, "public key of the checkpoints, base64url");
  auto* replay = app.add_subcommand("replay", "Rebuild the read models and compare them");
  replay->add_option("--until", out.replay.until, "a position or an RFC 3339 time");
  auto* rebuild = app.add_subcommand("rebuild", "Build read models anew from the log");
  rebuild->add_option("name", out.rebuild.name, "one of them; all without a name");
  auto* exported = app.add_subcommand("export", "Write the log as NDJSON");
  exported->add_option("--to", out.exported.to, "a file; - is standard output");
  exported->add_option("--tenant", out.exported.tenant, "only this tenant's events whole");
  exported->add_flag("--zstd", out.exported.zstd, "compress");
  for (auto* one : {migrate, accept, verify, replay, rebuild, exported}) {
    one->add_option("--database", out.database, "login of the owner, without a password");
  }
}

void add_token(CLI::App& app, arguments& out) {
  auto& token =
      group(app, "token",
            "A new admin token, for who may write the server's data folder; else `reeve tokens`");
  action_builder(token, out, "reset", "A new admin token, printed once; the others stay")
      .flag("--system", "of the system tenant");
}

void add_runs(CLI::App& app, arguments& out) {
  auto& runs = group(app, "runs", "Launch and watch runs");
  action_builder(runs, out, "launch", "Launch a run, by default of the tenant's directive")
      .option("--directive", "id of a directive")
      .option("--task", "a task kind; may be repeated", true)
      .option("--file", "the whole request as JSON; - is standard input")
      .option("--since", "last_success or a time: only what is new since then")
      .option("--label", "KEY=VALUE; may be repeated", true)
      .flag("--wait", "until the run is over; exit 1 if it was no success");
  action_builder(runs, out, "list", "List runs, newest first")
      .option("--status", "pending, running, success, failed, partial, cancelled")
      .option("--directive", "id of a directive")
      .option("--label", "KEY:VALUE")
      .option("--limit", "how many, 50 by default");
  action_builder(runs, out, "show", "Show a run with its jobs").plain("id", "the run");
  action_builder(runs, out, "wait", "Wait until a run is over").plain("id", "the run");
  action_builder(runs, out, "cancel", "Cancel a run").plain("id", "the run");
  action_builder(runs, out, "retry", "Launch the same again").plain("id", "the run");
  action_builder(runs, out, "logs", "The stored output of a job, or of a run's jobs one by one")
      .plain("id", "the job or the run")
      .option("--stream", "stdout or stderr: its lines only");
  action_builder(runs, out, "artifacts", "List a job's artifacts, or write one to stdout")
      .plain("job", "the job")
      .plain("name", "the artifact", false);
}

void add_jobs(CLI::App& app, arguments& out) {
  auto& jobs = group(app, "jobs", "Look at jobs, and decide about those that are quarantined");
  action_builder(jobs, out, "list", "List jobs, newest first")
      .option("--status", "pending, running, success, failed, cancelled")
      .option("--run", "id of a run")
      .option("--limit", "how many, 50 by default")
      .flag("--quarantined", "only those whose work is quarantined: three crashes interrupted it");
  action_builder(jobs, out, "show", "Show a job").plain("id", "the job");
  action_builder(jobs, out, "logs", "The output of a job")
      .plain("id", "the job")
      .option("--attempt", "the number of an attempt, else the last one")
      .option("--stream", "stdout or stderr: its lines only")
      .flag("--follow", "as it comes, until the job has ended");
  action_builder(jobs, out, "retry", "Let quarantined work be tried again")
      .plain("id", "the job")
      .option("--reason", "why");
  action_builder(jobs, out, "discard", "Give quarantined work up: its job fails")
      .plain("id", "the job")
      .option("--reason", "why");
}

void add_logs(CLI::App& app, arguments& out) {
  auto& logs = group(app, "logs", "Search what jobs printed");
  action_builder(logs, out, "search", "Search the stored output of jobs, newest run first")
      .plain("text", "what a line has to hold")
      .option("--run", "id of a run")
      .option("--job", "id of a job")
      .option("--directive", "id of a directive")
      .option("--since", "a time: what was stored then or later")
      .option("--until", "a time: what was stored before")
      .option("--stream", "stdout or stderr: its lines only")
      .option("--limit", "how many lines, 50 by default")
      .flag("--ignore-case", "A to Z are as good as a to z");
}

void add_directives(CLI::App& app, arguments& out) {
  auto& group_of = group(app, "directives", "Named, versioned instructions");
  action_builder(group_of, out, "list", "List directives").option("--limit", "how many");
  action_builder(group_of, out, "show", "Show a directive").plain("id", "the directive");
  action_builder(group_of, out, "create", "Create one").plain("file", "JSON; - is standard input");
  action_builder(group_of, out, "revise", "Make a new version")
      .plain("id", "the directive")
      .plain("file", "JSON; - is standard input");
  action_builder(group_of, out, "archive", "Archive one").plain("id", "the directive");
}

void add_allow(CLI::App& app, arguments& out) {
  auto& allow = group(app, "allow", "What tasks may start and touch");
  action_builder(allow, out, "image", "Allow an image to be started")
      .plain("reference", "such as localhost:1/box:1")
      .option("--reason", "why")
      .flag("--host-network", "containers of it may use the host's network")
      .flag("--root", "containers of it may run as user or group 0")
      .flag("--llm", "containers of it may call language models through Reeve");
  action_builder(allow, out, "container", "Allow tasks to touch a container")
      .plain("name", "its name")
      .option("--reason", "why")
      .flag("--by-name", "whichever container has the name, not only the one that has it now");
  action_builder(allow, out, "list", "List the entries")
      .plain("what", "images or containers")
      .option("--limit", "how many");
  action_builder(allow, out, "remove", "Deactivate an entry")
      .plain("what", "images or containers")
      .plain("id", "the entry");
  action_builder(allow, out, "resolve",
                 "Let an entry stand for the image of that name as it is now")
      .plain("id", "the entry");
}

void add_tokens(CLI::App& app, arguments& out) {
  auto& tokens = group(app, "tokens", "Who may call the server; only an administrator may ask");
  action_builder(tokens, out, "create", "Make a token for somebody; it is printed once")
      .plain("name", "whose it is: letters, digits and . _ -")
      .option("--role", "viewer (by default), operator, admin, auditor or node");
  action_builder(tokens, out, "list", "List tokens, newest first, without what opens")
      .option("--limit", "how many, 50 by default")
      .flag("--active", "only those that are not revoked");
  action_builder(tokens, out, "revoke", "End a token: it opens nothing from then on")
      .plain("id", "the token");
}

void add_secrets(CLI::App& app, arguments& out) {
  auto& secrets = group(app, "secrets", "What jobs get by name and nobody is shown");
  action_builder(secrets, out, "put", "Keep a secret, or a new version of one, from standard input")
      .plain("name", "its name: letters, digits and . _ -")
      .option("--file", "take the value from this file; one line end behind it is left out");
  action_builder(secrets, out, "list", "List secrets, newest first, without their values")
      .option("--limit", "how many, 50 by default")
      .flag("--active", "only those that are not deleted");
  action_builder(secrets, out, "show", "Show a secret without its value").plain("name", "its name");
  action_builder(secrets, out, "delete", "Destroy all values of a secret")
      .plain("name", "its name");
}

void add_clients(CLI::App& app, arguments& out) {
  add_runs(app, out);
  add_jobs(app, out);
  add_logs(app, out);
  add_directives(app, out);
  add_allow(app, out);
  add_tokens(app, out);
  add_secrets(app, out);
  action_builder(app, out, "events", "Read the log")
      .option("--after", "a position: what comes behind it, else the newest ones")
      .option("--type", "only this type")
      .option("--stream", "only this stream")
      .option("--limit", "how many, 50 by default")
      .flag("--follow", "go on with what happens");
}

void add_common(CLI::App& app, arguments& out) {
  app.set_version_flag("--version", version_text);
  app.add_option("--config", out.config_file, "TOML file (REEVE_CONFIG)")->envname("REEVE_CONFIG");
  app.add_option_function<std::string>(
         "--data", [&out](const std::string& value) { out.settings["data"] = value; },
         "folder of the server's state (REEVE_DATA)")
      ->type_name("");
  app.add_option("--url", out.client.url, "the server, for commands of a client (REEVE_URL)");
  app.add_flag("--json", out.json, "answer in JSON");
  app.add_option("-o,--output", out.client.output, "table, json, or ndjson for lists")
      ->check(CLI::IsMember({"table", "json", "ndjson"}));
}

std::vector<const CLI::App*> commands_of(const CLI::App* at) {
  return at->get_subcommands([](const CLI::App*) { return true; });
}

/// "reeve runs launch".
std::string called(const CLI::App* at) {
  const auto* parent = at->get_parent();
  return parent == nullptr ? "reeve" : called(parent) + " " + at->get_name();
}

/// The innermost command that words name, and the first word that names none.
std::pair<const CLI::App*, std::string> descend(const CLI::App* at,
                                                const std::vector<std::string>& words) {
  for (const auto& word : words) {
    const auto* from = at;
    for (const auto* one : commands_of(from)) {
      if (one->get_name() == word) at = one;
    }
    if (at == from) return {at, word};
  }
  return {at, ""};
}

/// Of this level, else of the next one: who writes `reeve launch` means `reeve runs launch`.
std::string suggestion(const CLI::App* at, const std::string& word) {
  auto level = commands_of(at);
  while (!level.empty()) {
    std::vector<std::string> names;
    names.reserve(level.size());
    for (const auto* one : level) names.push_back(one->get_name());
    const auto near = nearest_of(word, names);
    std::string text;
    std::vector<const CLI::App*> below;
    for (const auto* one : level) {
      const bool is_near = std::find(near.begin(), near.end(), one->get_name()) != near.end();
      if (is_near) text += (text.empty() ? "`" : " or `") + called(one) + "`";
      for (const auto* next : commands_of(one)) below.push_back(next);
    }
    if (!text.empty()) return text;
    level = std::move(below);
  }
  return "";
}

std::string no_command(const CLI::App* at, const std::string& word) {
  const auto meant = suggestion(at, word);
  return "there is no command `" + called(at) + " " + word + "`" +
         (meant.empty() ? ": " : "; do you mean " + meant + "? ") + "`" + called(at) +
         " --help` lists them";
}

std::string what_is_wrong(const CLI::App& app, const CLI::ParseError& e) {
  const CLI::App* at = &app;
  for (auto named = at->get_subcommands(); !named.empty(); named = at->get_subcommands()) {
    at = named.front();
  }
  const auto left = app.remaining(true);
  if (at->get_name() == "help") {
    const auto [known, word] = descend(&app, at->remaining());
    if (!word.empty()) return no_command(known, word);
  }
  if (at->get_require_subcommand_min() > 0) {
    if (left.empty()) return "a command is needed: `" + called(at) + " --help` lists them";
    if (!left.front().starts_with('-')) return no_command(at, left.front());
    return "there is no option " + left.front() + " here: see `" + called(at) + " --help`";
  }
  return std::string(e.what()) + ": see `" + called(at) + " --help`";
}

/// The innermost command of those that were named, so that its help is the one that is shown.
void add_help(CLI::App& app) {
  auto* help = app.add_subcommand("help", "The help of a command");
  help->fallthrough(false)->allow_extras();
  help->callback([&app, help] {
    const auto [at, unknown] = descend(&app, help->remaining());
    if (!unknown.empty()) throw CLI::ExtrasError("help", {unknown});
    // App::help would show that of this very command.
    const auto text = at->get_formatter()->make_help(at, called(at), CLI::AppFormatMode::Normal);
    std::fputs(text.c_str(), stdout);
    throw CLI::Success();
  });
  app.add_subcommand("version", "Print the version")->callback([] {
    std::puts(version_text);
    throw CLI::Success();
  });
}

}  // namespace

arguments parse_arguments(int argc, char** argv) {
  arguments out;
  CLI::App app{"Reeve: an event-sourced orchestration server", "reeve"};
  app.require_subcommand(1)->fallthrough();
  add_common(app, out);
  add_server(app, out);
  add_offline(app, out);
  add_gpus(app, out);
  add_token(app, out);
  add_clients(app, out);
  add_help(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const bool is_asked = e.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    // Help and version: CLI11 prints them.
    is_asked ? (void)app.exit(e) : complain(what_is_wrong(app, e));
    out.exit = is_asked ? exit_ok : exit_usage;
    return out;
  }
  out.command = app.get_subcommands().front()->get_name();
  out.json = out.json || out.client.output == "json" || out.client.output == "ndjson";
  out.verify.json = out.replay.json = out.rebuild.json = out.client.json = out.json;
  return out;
}

}  // namespace reeve::cli
