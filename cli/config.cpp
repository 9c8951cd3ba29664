#include "cli/config.hpp"

#include "cli/config_file.hpp"
#include "cli/config_table.hpp"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <sys/stat.h>

namespace reeve::cli {
namespace {

struct found_value {
  std::string value;
  std::string origin;
};

/// An empty variable is an unset one: compose files hand on what nobody set.
std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

rejection bad(const std::string& name, const std::string& origin, const std::string& allowed) {
  return reject(errc::invalid, name + " (" + origin + "): " + allowed + " is needed", name);
}

outcome<std::string> postgres_password(loaded_config& loaded) {
  const auto file = variable("POSTGRES_PASSWORD_FILE");
  if (!file) return variable("POSTGRES_PASSWORD").value_or("");
  loaded.values.read_files.push_back(*file);
  auto password = read_secret_file(*file);
  if (!password.empty()) return password;
  return bad("database_url", "environment POSTGRES_PASSWORD_FILE", "a file with the password");
}

/// DATABASE_URL from its parts, as compose files have them.
outcome<std::optional<found_value>> database_from_parts(loaded_config& loaded) {
  const auto host = variable("POSTGRES_HOST");
  if (!host) return std::optional<found_value>();
  const auto port = variable("POSTGRES_PORT").value_or("5432");
  int number = 0;
  const char* end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, number);
  if (error != std::errc{} || stop != end || number < 1 || number > 65535) {
    return bad("database_url", "environment POSTGRES_PORT", "a port");
  }
  const auto password = postgres_password(loaded);
  if (!password) return password.error();
  std::string url = "host=" + quoted_value(*host) + " port=" + port +
                    " user=" + quoted_value(variable("POSTGRES_USER").value_or("postgres")) +
                    " dbname=" + quoted_value(variable("POSTGRES_DB").value_or("reeve"));
  if (!password->empty()) url += " password=" + quoted_value(*password);
  return std::optional(found_value{std::move(url), "environment POSTGRES_*"});
}

outcome<std::optional<found_value>> from_environment(const setting& s, loaded_config& loaded) {
  if (auto value = variable(s.variable.c_str())) {
    return std::optional(found_value{*value, "environment " + s.variable});
  }
  for (const char* name : s.older) {
    auto value = variable(name);
    if (!value) continue;
    loaded.warnings.push_back(std::string(name) + " is an older name: use " + s.variable);
    return std::optional(found_value{*value, std::string("environment ") + name});
  }
  if (s.name == "database_url") return database_from_parts(loaded);
  return std::optional<found_value>();
}

/// A password in clear, with everything around it, is not shown at all.
std::string shown(const setting& s, const std::string& value) {
  return s.is_secret && !value.empty() ? "[redacted]" : value;
}

void warn_if_readable(const std::string& file, loaded_config& loaded) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0 || (found.st_mode & 077) == 0) return;
  const auto text = file + " holds a login and others may read it: chmod 600 " + file;
  if (loaded.warnings.empty() || loaded.warnings.back() != text) loaded.warnings.push_back(text);
}

outcome<done> check_whole(const config& c) {
  const auto host = c.listen.substr(0, c.listen.rfind(':'));
  if (is_loopback(host) || c.allow_plain_http) return done{};
  return reject(errc::invalid,
                "listen: " + c.listen +
                    " is reachable from other machines, and tokens would travel in clear; put a "
                    "TLS proxy in front, or permit it with REEVE_ALLOW_PLAIN_HTTP=true",
                "listen");
}

}  // namespace

outcome<loaded_config> load_config(const std::map<std::string, std::string>& flags,
                                   const std::string& file) {
  loaded_config loaded;
  auto from_file = read_config_file(file);
  if (!from_file) return from_file.error();
  if (!file.empty()) loaded.values.read_files.push_back(file);
  for (const auto& s : settings()) {
    found_value found{s.standard, "default"};
    std::string told = found.origin;
    if (const auto it = from_file->find(s.name); it != from_file->end()) {
      found = {it->second, "file"};
      told = "file " + file;
      from_file->erase(it);
    }
    auto env = from_environment(s, loaded);
    if (!env) return env.error();
    if (*env) found = std::move(**env);
    if (const auto it = flags.find(s.name); it != flags.end() && !s.flag.empty()) {
      found = {it->second, "flag"};
    }
    if (found.origin != "file") told = found.origin == "flag" ? s.flag : found.origin;
    if (found.origin == "file" && s.is_secret) warn_if_readable(file, loaded);
    if (!s.set(loaded.values, found.value)) return bad(s.name, told, s.allowed);
    loaded.rows.push_back(
        {s.name, s.flag, s.variable, shown(s, found.value), found.origin, s.text});
  }
  if (!from_file->empty()) {
    const auto& key = from_file->begin()->first;
    return reject(errc::invalid,
                  file + ": there is no setting " + key + "; `reeve config show` lists them", key);
  }
  if (auto ok = check_whole(loaded.values); !ok) return ok.error();
  return loaded;
}

std::string config_markdown() {
  const auto code = [](const std::string& text) {
    return text.empty() ? std::string() : "`" + text + "`";
  };
  std::string out =
      "# Configuration\n\n"
      "This page is the output of `reeve config markdown`.\n\n"
      "In rising order: a TOML file (`--config FILE` or `REEVE_CONFIG`), the environment, flags. "
      "`reeve config show` says where each value comes from. Every key stands at the top level of "
      "the file; an unknown one is refused. Secrets never come from flags; whoever can see the "
      "processes of a machine can read those.\n\n"
      "| TOML key | environment | flag | default | allowed | what |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const auto& s : settings()) {
    out += "| " + code(s.name) + " | " + code(s.variable);
    for (const char* name : s.older) out += ", " + code(name) + " (older)";
    out += " | " + code(s.flag) + " | " + code(s.standard) + " | " + s.allowed + " | " + s.text +
           " |\n";
  }
  out +=
      "\nInstead of `DATABASE_URL`: `POSTGRES_HOST`, `POSTGRES_PORT` (5432), `POSTGRES_USER` "
      "(postgres), `POSTGRES_PASSWORD` or `POSTGRES_PASSWORD_FILE`, and `POSTGRES_DB` (reeve). "
      "Older names are accepted with a warning. `reeve migrate`, `accept-database`, `verify`, "
      "`replay`, `rebuild` and `export` also take `--database URL`, for a URL without a "
      "password.\n\n"
      "The commands that talk to a server (`runs`, `jobs`, `directives`, `allow`, `tokens`, "
      "`events`) find it by `--url`, `REEVE_URL`, the file `endpoint` in `data` while the server "
      "that wrote it "
      "leads, else http://127.0.0.1:9595; and their token by `REEVE_TOKEN`, `REEVE_TOKEN_FILE`, "
      "else the file `token` in `data`, which is only sent to the server of that folder or to a "
      "loopback address that `--url` or `REEVE_URL` names.\n";
  return out;
}

}  // namespace reeve::cli
