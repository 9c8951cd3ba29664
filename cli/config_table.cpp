#include "cli/config_table.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace reeve::cli {
namespace {

using setter = std::function<bool(config&, const std::string&)>;

bool is_text(const std::string& value) {
  return value.size() <= 4096 && value.find('\0') == std::string::npos;
}

setter text(std::string config::*member) {
  return [member](config& c, const std::string& value) {
    c.*member = value;
    return is_text(value);
  };
}

setter folder(std::string config::*member) {
  return [member](config& c, const std::string& value) {
    c.*member = value;
    return is_text(value) && !value.empty();
  };
}

setter number(std::int64_t config::*member, std::int64_t least, std::int64_t most) {
  return [=](config& c, const std::string& value) {
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, c.*member);
    return error == std::errc{} && stop == end && c.*member >= least && c.*member <= most;
  };
}

setter flag(bool config::*member) {
  return [member](config& c, const std::string& value) {
    c.*member = value == "true" || value == "1" || value == "yes" || value == "on";
    return c.*member || value == "false" || value == "0" || value == "no" || value == "off";
  };
}

setter one_of(std::string config::*member, std::vector<std::string> words) {
  return [member, words = std::move(words)](config& c, const std::string& value) {
    c.*member = value;
    return std::find(words.begin(), words.end(), value) != words.end();
  };
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

constexpr const char* yes_or_no = "true or false";
constexpr const char* any_folder = "a folder of at most 4,096 bytes";
constexpr const char* login = "a PostgreSQL URL or key=value text of at most 4,096 bytes";

const std::vector<setting> table = {
    {"listen",
     "--listen",
     "REEVE_LISTEN",
     {},
     false,
     "127.0.0.1:9595",
     "IPv4:port, [IPv6]:port or localhost:port",
     "Where the server listens; port 0 takes a free one.",
     set_listen},
    {"data",
     "--data",
     "REEVE_DATA",
     {},
     false,
     "./var",
     any_folder,
     "Everything that is kept outside PostgreSQL: the private cluster, the token, the keys.",
     folder(&config::data)},
    {"database_url",
     nullptr,
     "DATABASE_URL",
     {},
     true,
     "",
     login,
     "Login of the database's owner; empty starts a private PostgreSQL below `data`.",
     text(&config::database_url)},
    {"writer_url",
     nullptr,
     "REEVE_WRITER_URL",
     {},
     true,
     "",
     login,
     "Runtime login that appends; empty generates one.",
     text(&config::writer_url)},
    {"reader_url",
     nullptr,
     "REEVE_READER_URL",
     {},
     true,
     "",
     login,
     "Runtime login that reads; empty generates one.",
     text(&config::reader_url)},
    {"docker",
     "--docker",
     "REEVE_DOCKER",
     {},
     false,
     "auto",
     "auto, simulated or unix:///path (a path of at most 107 bytes)",
     "The container engine; `auto` takes the one that answers, else the simulated one.",
     set_docker},
    {"logs",
     "--logs",
     "REEVE_LOGS",
     {"CYBER_BRAIN_LOGS"},
     false,
     "./logs",
     any_folder,
     "Log files that `log_triage` may read.",
     folder(&config::logs)},
    {"uploads",
     "--uploads",
     "REEVE_UPLOADS",
     {"CYBER_BRAIN_UPLOADS", "UPLOADS_DIR"},
     false,
     "./uploads",
     any_folder,
     "Uploaded files.",
     folder(&config::uploads)},
    {"mount_roots",
     "--mount-roots",
     "REEVE_MOUNT_ROOTS",
     {},
     false,
     "",
     "absolute folders with colons in between",
     "Folders below which jobs may mount; none forbids mounts.",
     set_roots},
    {"redacted",
     "--redacted",
     "REEVE_REDACTED",
     {"DEBUG_REDACTED_MODE"},
     false,
     "true",
     yes_or_no,
     "Pattern redaction of the logs of jobs; everything else is always redacted.",
     flag(&config::redacted)},
    {"log_level",
     "--log-level",
     "REEVE_LOG_LEVEL",
     {},
     false,
     "info",
     "debug, info, warn or error",
     "The least level of the log lines that are written.",
     one_of(&config::log_level, {"debug", "info", "warn", "error"})},
    {"log_format",
     "--log-format",
     "REEVE_LOG_FORMAT",
     {},
     false,
     "json",
     "json or text",
     "The form of the log lines.",
     one_of(&config::log_format, {"json", "text"})},
    {"allow_plain_http",
     "--allow-plain-http",
     "REEVE_ALLOW_PLAIN_HTTP",
     {},
     false,
     "false",
     yes_or_no,
     "Permits plain HTTP beyond loopback, to listen and to send a token.",
     flag(&config::allow_plain_http)},
    {"rate_per_s",
     "--rate-per-s",
     "REEVE_RATE_PER_S",
     {},
     false,
     "2000",
     "1 to 1000000",
     "Requests a second of one token.",
     number(&config::rate_per_s, 1, 1'000'000)},
    {"max_connections",
     "--max-connections",
     "REEVE_MAX_CONNECTIONS",
     {},
     false,
     "1024",
     "1 to 65536",
     "Connections at one time.",
     number(&config::max_connections, 1, 65536)},
    {"threads",
     "--threads",
     "REEVE_THREADS",
     {},
     false,
     "2",
     "1 to 64",
     "Threads of the actors.",
     number(&config::threads, 1, 64)},
    {"job_log_bytes",
     "--job-log-bytes",
     "REEVE_JOB_LOG_BYTES",
     {},
     false,
     "1048576",
     "1024 to 67108864",
     "Bytes that are kept of a container's output.",
     number(&config::job_log_bytes, 1024, 64 << 20)},
    {"drain_s",
     "--drain-s",
     "REEVE_DRAIN_S",
     {},
     false,
     "10",
     "0 to 300",
     "Seconds that requests in flight get when the server stops.",
     number(&config::drain_s, 0, 300)},
    {"reconcile_s",
     "--reconcile-s",
     "REEVE_RECONCILE_S",
     {},
     false,
     "30",
     "1 to 3600",
     "Seconds between two comparisons of the engine with the log.",
     number(&config::reconcile_s, 1, 3600)},
    {"orphan_s",
     "--orphan-s",
     "REEVE_ORPHAN_S",
     {},
     false,
     "60",
     "1 to 86400",
     "Seconds until a container or volume of Reeve's that belongs to no active run is removed.",
     number(&config::orphan_s, 1, 86'400)},
    {"refused_waits",
     "--refused-waits",
     "REEVE_REFUSED_WAITS",
     {},
     false,
     "false",
     "true or false",
     "A database that is refused (exit code 78) is told by /readyz until a signal comes, instead "
     "of "
     "an exit: for a process manager that restarts whatever ends.",
     flag(&config::refused_waits)},
    {"test_reader_delay_ms",
     nullptr,
     "REEVE_TEST_READER_DELAY_MS",
     {},
     false,
     "0",
     "0 to 10000",
     "For tests only: holds every reader back before it answers.",
     number(&config::reader_delay_ms, 0, 10'000)},
};

}  // namespace

const std::vector<setting>& settings() {
  return table;
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

}  // namespace reeve::cli
