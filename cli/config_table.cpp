#include "cli/config_table.hpp"

#include "cli/engine_choice.hpp"
#include "persistence/login_files.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>

namespace reeve::cli {
namespace {

using setter = std::function<bool(config&, const std::string&)>;

bool is_text(const std::string& value) {
  return value.size() <= 4096 && value.find('\0') == std::string::npos;
}

/// Said by every row, so that no path is forgotten.
constexpr std::nullptr_t no_path = nullptr;

/// A row with what is made of its name: orphan_s is --orphan-s and REEVE_ORPHAN_S.
setting named(std::string name, std::string standard, std::string allowed, std::string about,
              setter set, named_paths paths) {
  std::string flag = "--" + name, variable = "REEVE_" + name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  std::transform(variable.begin(), variable.end(), variable.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return {std::move(name), std::move(flag),     std::move(variable), {},
          false,           std::move(standard), std::move(allowed),  std::move(about),
          std::move(set),  std::move(paths)};
}

setting older(setting row, std::vector<const char*> names) {
  row.older = std::move(names);
  return row;
}

/// Whoever can see the processes of a machine reads its flags.
setting no_flag(setting row, const char* variable) {
  row.flag.clear();
  row.variable = variable;
  return row;
}

setting login(const char* name, const char* variable, std::string config::*member,
              const char* about) {
  auto row =
      no_flag(named(
                  name, config{}.*member,
                  "a PostgreSQL URL or key=value text of at most 4,096 bytes", about,
                  [member](config& c, const std::string& value) {
                    c.*member = value;
                    return is_text(value);
                  },
                  [member](const config& c) { return persistence::files_of_login(c.*member); }),
              variable);
  row.is_secret = true;
  return row;
}

setting folder(const char* name, std::string config::*member, const char* about) {
  return named(
      name, config{}.*member, "a folder of at most 4,096 bytes", about,
      [member](config& c, const std::string& value) {
        c.*member = value;
        return is_text(value) && !value.empty();
      },
      [member](const config& c) { return std::vector{c.*member}; });
}

setting file(const char* name, std::string config::*member, const char* about) {
  return named(
      name, config{}.*member, "a file of at most 4,096 bytes, or nothing", about,
      [member](config& c, const std::string& value) {
        c.*member = value;
        return is_text(value);
      },
      [member](const config& c) { return std::vector{c.*member}; });
}

setting flag(const char* name, bool config::*member, const char* about) {
  return named(
      name, config{}.*member ? "true" : "false", "true or false", about,
      [member](config& c, const std::string& value) {
        c.*member = value == "true" || value == "1" || value == "yes" || value == "on";
        return c.*member || value == "false" || value == "0" || value == "no" || value == "off";
      },
      no_path);
}

setting one_of(const char* name, std::string config::*member, std::vector<std::string> words,
               const char* allowed, const char* about) {
  return named(
      name, config{}.*member, allowed, about,
      [member, words = std::move(words)](config& c, const std::string& value) {
        c.*member = value;
        return std::find(words.begin(), words.end(), value) != words.end();
      },
      no_path);
}

/// `owner` finds whose setting it is.
template <class Owner>
setting number(const number_setting<Owner>& of, Owner& (*owner)(config&)) {
  config plain;
  return named(
      of.name, std::to_string(owner(plain).*of.member),
      std::to_string(of.least) + " to " + std::to_string(of.most), of.text,
      [of, owner](config& c, const std::string& text) {
        auto& value = owner(c).*of.member;
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        return error == std::errc{} && stop == end && value >= of.least && value <= of.most;
      },
      no_path);
}

setting number(const char* name, std::int64_t config::*member, std::int64_t least,
               std::int64_t most, const char* about) {
  return number<config>({name, member, least, most, about}, [](config& c) -> config& { return c; });
}

/// sun_path has 108 bytes with its NUL.
bool set_docker(config& c, const std::string& value) {
  c.docker = value;
  if (value == "auto" || value == "simulated") return true;
  constexpr std::string_view scheme = "unix://";
  return value.starts_with("unix:///") && value.size() <= scheme.size() + 107 && is_text(value);
}

/// The server listens on addresses, not on names: `localhost` becomes the one that it means.
bool set_listen(config& c, const std::string& value) {
  const auto colon = value.rfind(':');
  if (colon == std::string::npos) return false;
  std::string host = value.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  unsigned char address[16];
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const bool known =
      bracketed ? ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), address) == 1
                : ::inet_pton(AF_INET, host.c_str(), address) == 1;
  int port = -1;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data() + colon + 1, end, port);
  c.listen = host + value.substr(colon);
  return known && error == std::errc{} && stop == end && port >= 0 && port <= 65535;
}

bool set_roots(config& c, const std::string& value) {
  c.mount_roots.clear();
  for (std::size_t begin = 0; begin < value.size();) {
    const auto end = std::min(value.find(':', begin), value.size());
    c.mount_roots.push_back(value.substr(begin, end - begin));
    if (!c.mount_roots.back().starts_with('/')) return false;
    begin = end + 1;
  }
  return is_text(value);
}

using table = std::vector<setting>;

table of_places() {
  return {
      named("listen", config{}.listen, "IPv4:port, [IPv6]:port or localhost:port",
            "Where the server listens; port 0 takes a free one.", set_listen, no_path),
      folder("data", &config::data,
             "Everything that is kept outside PostgreSQL: the private cluster, the token, the "
             "keys."),
      login("database_url", "DATABASE_URL", &config::database_url,
            "Login of the database's owner; empty starts a private PostgreSQL below `data`."),
      login("writer_url", "REEVE_WRITER_URL", &config::writer_url,
            "Runtime login that appends; empty generates one."),
      login("reader_url", "REEVE_READER_URL", &config::reader_url,
            "Runtime login that reads; empty generates one."),
      named("docker", config{}.docker,
            "auto, simulated or unix:///path (a path of at most 107 bytes)",
            "The container engine; `auto` takes the one that answers, else the simulated one.",
            set_docker, [](const config& c) { return std::vector{engine_socket(c.docker)}; }),
      older(
          folder("logs", &config::logs,
                 "Log files that `log_triage` may read: the first tenant's, and every other one's "
                 "in a folder that is called by its id."),
          {"CYBER_BRAIN_LOGS"}),
      older(folder("uploads", &config::uploads, "Uploaded files."),
            {"CYBER_BRAIN_UPLOADS", "UPLOADS_DIR"}),
      file("llm", &config::llm,
           "JSON file with the prices of language models and the servers that have them; see "
           "docs/clients.md and docs/operations.md."),
      named(
          "llm_socket_folder", "", "a folder of at most 96 bytes, or nothing",
          "Folder for the socket through which jobs call language models, if `llm` names "
          "upstreams; "
          "empty takes `llm` below `data`. Nothing else may lie in it, and the container engine "
          "must see it under the same path.",
          [](config& c, const std::string& value) {
            c.llm_socket_folder = value;
            return is_text(value);
          },
          [](const config& c) { return std::vector{c.llm_socket_folder}; }),
      named("mount_roots", "", "absolute folders with colons in between",
            "Folders below which jobs may mount, but for what is Reeve's own: the first tenant's, "
            "and every other one's in folders that are called by its id; none forbids mounts.",
            set_roots, no_path),
  };
}

table of_output() {
  return {
      older(flag("redacted", &config::redacted,
                 "Pattern redaction of the logs of jobs; everything else is always redacted."),
            {"DEBUG_REDACTED_MODE"}),
      one_of("log_level", &config::log_level, {"debug", "info", "warn", "error"},
             "debug, info, warn or error", "The least level of the log lines that are written."),
      one_of("log_format", &config::log_format, {"json", "text"}, "json or text",
             "The form of the log lines."),
  };
}

table of_gateway() {
  return {
      flag("allow_plain_http", &config::allow_plain_http,
           "Permits plain HTTP beyond loopback, to listen and to send a token."),
      number("rate_per_s", &config::rate_per_s, 1, 1'000'000, "Requests a second of one token."),
      number(
          "max_connections", &config::max_connections, 1, 65536,
          "Connections at one time; one more takes the place of the one that waits longest for a "
          "request."),
      number(
          "buffered_bytes", &config::buffered_bytes, 1 << 20, std::int64_t{1} << 32,
          "Bytes of requests that are being read and of answers that clients have not taken yet, "
          "at one time."),
      number("token_share_percent", &config::token_share_percent, 1, 100,
             "Percent that one token may have of all connections, requests in work, streams, "
             "downloads and `buffered_bytes`."),
      number("address_share_percent", &config::address_share_percent, 1, 100,
             "The same for one address (of IPv6 its /64); 100 where a proxy makes one of all."),
      number("drain_s", &config::drain_s, 0, 300,
             "Seconds that requests in flight get when the server stops. "
             "Those that are not answered by then get 503, within 1 s."),
  };
}

template <class... Owners>
table of_owners(const std::tuple<Owners...>&) {
  table rows;
  const auto add = [&rows]<class Owner>(const Owner*) {
    for (const auto& one : Owner::settings()) {
      rows.push_back(
          number<Owner>(one, [](config& c) -> Owner& { return std::get<Owner>(c.tree); }));
    }
  };
  (add(static_cast<const Owners*>(nullptr)), ...);
  return rows;
}

table of_process() {
  return {
      flag("refused_waits", &config::refused_waits,
           "A database that is refused (exit code 78) is told by /readyz until a signal comes, "
           "instead of an exit: for a process manager that restarts whatever ends."),
      no_flag(number("test_reader_delay_ms", &config::reader_delay_ms, 0, 10'000,
                     "For tests only: holds every reader back before it answers."),
              "REEVE_TEST_READER_DELAY_MS"),
  };
}

table all_settings() {
  table all;
  for (auto& part :
       {of_places(), of_output(), of_gateway(), of_owners(actors::tree_settings{}), of_process()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

const std::vector<setting>& settings() {
  static const table all = all_settings();
  return all;
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

}  // namespace reeve::cli
