#include "cli/config.hpp"

#include <charconv>
#include <cstdlib>
#include <functional>
#include <optional>

#include "base/log.hpp"
#include "cli/config_file.hpp"

namespace reeve::cli {
namespace {

using setter = std::function<outcome<done>(config&, const std::string&)>;

/// One setting. The parser, `reeve config show` and the documentation are made of these.
struct setting {
  const char* name;
  const char* flag;      // nullptr: never from the command line
  const char* variable;
  const char* older;     // an accepted older variable, or nullptr
  bool is_secret;
  const char* standard;  // the default, for the documentation
  setter set;
  const char* text;
};

rejection bad(std::string detail) { return reject(errc::invalid, std::move(detail)); }

setter text(std::string config::*member) {
  return [member](config& c, const std::string& value) -> outcome<done> {
    if (value.find('\0') != std::string::npos || value.size() > 4096) {
      return bad("at most 4,096 bytes are allowed");
    }
    c.*member = value;
    return done{};
  };
}

setter number(std::int64_t config::*member, std::int64_t least, std::int64_t most) {
  return [=](config& c, const std::string& value) -> outcome<done> {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
    if (error != std::errc{} || end != value.data() + value.size() || n < least || n > most) {
      return bad("a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                 " is needed");
    }
    c.*member = n;
    return done{};
  };
}

setter flag(bool config::*member) {
  return [member](config& c, const std::string& value) -> outcome<done> {
    const bool yes = value == "true" || value == "1" || value == "yes" || value == "on";
    const bool no = value == "false" || value == "0" || value == "no" || value == "off";
    if (!yes && !no) return bad("true or false is needed");
    c.*member = yes;
    return done{};
  };
}

setter one_of(std::string config::*member, std::vector<std::string> words) {
  return [member, words = std::move(words)](config& c, const std::string& value) -> outcome<done> {
    std::string all;
    for (const auto& word : words) {
      if (word == value) {
        c.*member = value;
        return done{};
      }
      all += (all.empty() ? "" : ", ") + word;
    }
    return bad("one of " + all + " is needed");
  };
}

outcome<done> set_docker(config& c, const std::string& value) {
  if (value != "auto" && value != "simulated" && !value.starts_with("unix:///")) {
    return bad("auto, simulated or unix:///path is needed");
  }
  c.docker = value;
  return done{};
}

outcome<done> set_listen(config& c, const std::string& value) {
  const auto colon = value.rfind(':');
  int port = -1;
  if (colon != std::string::npos && colon > 0) {
    const auto* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data() + colon + 1, end, port);
    if (error != std::errc{} || stop != end) port = -1;
  }
  if (port < 0 || port > 65535) return bad("address:port is needed, such as 127.0.0.1:9595");
  c.listen = value;
  return done{};
}

outcome<done> set_roots(config& c, const std::string& value) {
  c.mount_roots.clear();
  for (std::size_t begin = 0; begin < value.size();) {
    const auto end = std::min(value.find(':', begin), value.size());
    const auto root = value.substr(begin, end - begin);
    if (!root.starts_with('/')) return bad("absolute folders with colons in between are needed");
    c.mount_roots.push_back(root);
    begin = end + 1;
  }
  return done{};
}

const std::vector<setting>& settings() {
  static const std::vector<setting> all{
      {"listen", "--listen", "REEVE_LISTEN", nullptr, false, "127.0.0.1:9595", set_listen,
       "Address and port; port 0 takes a free one."},
      {"data", "--data", "REEVE_DATA", nullptr, false, "./var", text(&config::data),
       "Folder of everything that is kept outside PostgreSQL: the private cluster, tokens, keys."},
      {"database_url", nullptr, "DATABASE_URL", nullptr, true, "",
       text(&config::database_url),
       "Login of the database's owner; empty starts a private PostgreSQL below `data`."},
      {"writer_url", nullptr, "REEVE_WRITER_URL", nullptr, true, "", text(&config::writer_url),
       "Runtime login that appends; empty generates one."},
      {"reader_url", nullptr, "REEVE_READER_URL", nullptr, true, "", text(&config::reader_url),
       "Runtime login that reads; empty generates one."},
      {"docker", "--docker", "REEVE_DOCKER", nullptr, false, "auto", set_docker,
       "The container engine: auto, simulated, or unix:///path of a socket."},
      {"logs", "--logs", "REEVE_LOGS", "CYBER_BRAIN_LOGS", false, "./logs", text(&config::logs),
       "Folder of log files that log_triage may read."},
      {"uploads", "--uploads", "REEVE_UPLOADS", "CYBER_BRAIN_UPLOADS", false, "./uploads",
       text(&config::uploads), "Folder of uploads."},
      {"redacted", "--redacted", "REEVE_REDACTED", "DEBUG_REDACTED_MODE", false, "true",
       flag(&config::redacted),
       "Pattern redaction of the logs of jobs; everything else is always redacted."},
      {"mount_roots", "--mount-roots", "REEVE_MOUNT_ROOTS", nullptr, false, "", set_roots,
       "Folders below which jobs may mount, with colons in between; none forbids mounts."},
      {"log_level", "--log-level", "REEVE_LOG_LEVEL", nullptr, false, "info",
       one_of(&config::log_level, {"debug", "info", "warn", "error"}), "Least level of log lines."},
      {"log_format", "--log-format", "REEVE_LOG_FORMAT", nullptr, false, "json",
       one_of(&config::log_format, {"json", "text"}), "Form of log lines."},
      {"allow_plain_http", nullptr, "REEVE_ALLOW_PLAIN_HTTP", nullptr, false, "false",
       flag(&config::allow_plain_http), "Permits plain HTTP on addresses beyond loopback."},
      {"rate_per_s", nullptr, "REEVE_RATE_PER_S", nullptr, false, "2000",
       number(&config::rate_per_s, 1, 1'000'000), "Requests of one token per second."},
      {"max_connections", nullptr, "REEVE_MAX_CONNECTIONS", nullptr, false, "1024",
       number(&config::max_connections, 1, 65536), "Connections at one time."},
      {"threads", nullptr, "REEVE_THREADS", nullptr, false, "2",
       number(&config::threads, 1, 64), "Threads of the actors."},
      {"job_log_bytes", nullptr, "REEVE_JOB_LOG_BYTES", nullptr, false, "1048576",
       number(&config::job_log_bytes, 1024, 64 << 20), "Bytes kept of a container's output."},
      {"drain_s", nullptr, "REEVE_DRAIN_S", nullptr, false, "10", number(&config::drain_s, 0, 300),
       "Seconds that requests in flight get when the server stops."},
      {"test_reader_delay_ms", nullptr, "REEVE_TEST_READER_DELAY_MS", nullptr, false, "0",
       number(&config::reader_delay_ms, 0, 10'000),
       "For tests: holds a reader back before it answers."},
  };
  return all;
}

struct found_value {
  std::string value;
  std::string origin;
};

/// DATABASE_URL from its parts, as compose files have them.
std::optional<found_value> database_from_parts() {
  const char* host = std::getenv("POSTGRES_HOST");
  if (host == nullptr || *host == '\0') return std::nullopt;
  const auto part = [](const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? otherwise : value);
  };
  std::string password = part("POSTGRES_PASSWORD", "");
  if (const auto file = part("POSTGRES_PASSWORD_FILE", ""); !file.empty()) {
    password = read_secret_file(file);
  }
  std::string url = "host=" + quoted_value(host) + " port=" + part("POSTGRES_PORT", "5432") +
                    " user=" + quoted_value(part("POSTGRES_USER", "postgres")) +
                    " dbname=" + quoted_value(part("POSTGRES_DB", "reeve"));
  if (!password.empty()) url += " password=" + quoted_value(password);
  return found_value{url, "environment POSTGRES_*"};
}

std::optional<found_value> from_environment(const setting& s, loaded_config& loaded) {
  if (const char* value = std::getenv(s.variable); value != nullptr && *value != '\0') {
    return found_value{value, std::string("environment ") + s.variable};
  }
  if (std::string_view(s.variable) == "DATABASE_URL") return database_from_parts();
  std::vector<const char*> older{s.older};
  if (std::string_view(s.variable) == "REEVE_UPLOADS") older.push_back("UPLOADS_DIR");
  for (const char* name : older) {
    if (name == nullptr) continue;
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    loaded.warnings.push_back(std::string(name) + " is an older name of " + s.variable);
    return found_value{value, std::string("environment ") + name};
  }
  return std::nullopt;
}

outcome<done> check_whole(const config& c) {
  const auto host = c.listen.substr(0, c.listen.rfind(':'));
  const bool loopback = host == "localhost" || host.starts_with("127.") || host == "[::1]";
  if (loopback || c.allow_plain_http) return done{};
  return reject(errc::invalid,
                "listen: plain HTTP beyond loopback (" + c.listen +
                    ") needs REEVE_ALLOW_PLAIN_HTTP=true; put a TLS proxy in front",
                "listen");
}

}  // namespace

outcome<loaded_config> load_config(const std::map<std::string, std::string>& flags,
                                   const std::string& file) {
  loaded_config loaded;
  auto from_file = read_config_file(file);
  if (!from_file) return from_file.error();
  for (const auto& s : settings()) {
    found_value found{s.standard, "default"};
    if (auto it = from_file->find(s.name); it != from_file->end()) {
      found = {it->second, "file"};
      from_file->erase(it);
    }
    if (auto env = from_environment(s, loaded)) found = *env;
    if (auto it = flags.find(s.name); it != flags.end()) found = {it->second, "flag"};
    if (found.origin != "default") {
      if (auto ok = s.set(loaded.values, found.value); !ok) {
        return reject(errc::invalid,
                      std::string(s.name) + " (" + found.origin + "): " + ok.error().detail,
                      s.name);
      }
    }
    const bool hide = s.is_secret && !found.value.empty();
    loaded.rows.push_back({s.name, s.flag == nullptr ? "" : s.flag, s.variable,
                           hide ? "[redacted]" : found.value, found.origin, s.text});
  }
  if (!from_file->empty()) {
    return reject(errc::invalid, file + ": there is no setting " + from_file->begin()->first,
                  from_file->begin()->first);
  }
  if (auto ok = check_whole(loaded.values); !ok) return ok.error();
  return loaded;
}

std::string config_markdown() {
  std::string out =
      "# Configuration\n\nIn rising order: a TOML file (`--config FILE` or `REEVE_CONFIG`), the "
      "environment, flags. `reeve config show` says where each value comes from. Secrets never come "
      "from flags. This page is the output of `reeve config markdown`.\n\n"
      "| TOML key | environment | flag | default | what |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& s : settings()) {
    out += std::string("| `") + s.name + "` | `" + s.variable + "` | " +
           (s.flag == nullptr ? "" : "`" + std::string(s.flag) + "`") + " | " +
           (*s.standard == '\0' ? "" : "`" + std::string(s.standard) + "`") + " | " + s.text +
           " |\n";
  }
  out +=
      "\n`DATABASE_URL` may also be given by `POSTGRES_HOST`, `POSTGRES_PORT`, `POSTGRES_USER`, "
      "`POSTGRES_PASSWORD` (or `POSTGRES_PASSWORD_FILE`) and `POSTGRES_DB`. The older names "
      "`CYBER_BRAIN_LOGS`, `CYBER_BRAIN_UPLOADS`, `UPLOADS_DIR` and `DEBUG_REDACTED_MODE` are "
      "accepted with a warning.\n";
  return out;
}

}  // namespace reeve::cli
