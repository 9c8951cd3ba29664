#include "cli/doctor.hpp"

#include "adapters/docker/docker_engine.hpp"
#include "adapters/rest_client.hpp"
#include "base/time.hpp"
#include "cli/act_as.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/marker_guard.hpp"
#include "cli/output.hpp"
#include "cli/server_identity.hpp"
#include "codec/json_writer.hpp"
#include "domain/runs/task_params.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace reeve::cli {
namespace {

namespace fs = std::filesystem;

/// The folder itself, or the nearest one above it that exists.
fs::path existing(const std::string& path) {
  std::error_code ignored;
  auto at = fs::absolute(path, ignored);
  while (!at.empty() && at != at.root_path() && !fs::exists(at, ignored)) at = at.parent_path();
  return at;
}

finding check_data(const config& c) {
  const auto where = existing(c.data);
  if (!fs::is_directory(where) || ::access(where.c_str(), W_OK | X_OK) != 0) {
    return {"data folder", "fail", where.string() + " is not a folder that may be written",
            "choose another one with REEVE_DATA, or give it to the server's user"};
  }
  std::error_code failed;
  const auto space = fs::space(where, failed);
  if (failed) return {"data folder", "fail", where.string() + ": " + failed.message(), "mount it"};
  const auto free_mib = space.available >> 20;
  const std::string seen = c.data + ", " + std::to_string(free_mib) + " MiB free";
  if (free_mib >= 1024) return {"data folder", "ok", seen, ""};
  return {"data folder", free_mib < 64 ? "fail" : "warn", seen, "free at least 1 GiB there"};
}

std::string socket_of(const config& c) {
  constexpr std::string_view scheme = "unix://";
  if (c.docker.starts_with(scheme)) return c.docker.substr(scheme.size());
  const char* host = std::getenv("DOCKER_HOST");
  const bool named = host != nullptr && std::string_view(host).starts_with(scheme);
  return named ? host + scheme.size() : "/var/run/docker.sock";
}

outcome<adapters::engine_version> version_at(const std::string& path) {
  auto promise = std::make_shared<std::promise<outcome<adapters::engine_version>>>();
  auto answer = promise->get_future();
  adapters::docker_options options;
  options.socket_path = path;
  adapters::docker_engine engine(options);
  engine.version_info(reply_slot<adapters::engine_version>(
      [promise](outcome<adapters::engine_version> v) { promise->set_value(std::move(v)); }));
  return answer.get();
}

/// "1.41" is newer than "1.40", and "1.100" than both.
bool is_old_api(const std::string& version) {
  int major = 0;
  int minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &major, &minor) != 2) return true;
  return major < 1 || (major == 1 && minor < 40);
}

finding check_engine(const config& c) {
  if (c.docker == "simulated") {
    return {"engine", "warn", "simulated: no container really runs",
            "set REEVE_DOCKER=auto or unix:///path where containers are to run"};
  }
  const auto path = socket_of(c);
  // `auto` starts all the same, with the simulated engine.
  const char* missing = c.docker == "auto" ? "warn" : "fail";
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) {
    return {"engine", missing, path + " is no socket, or its folder may not be entered",
            "install docker.io and start it, or set REEVE_DOCKER=unix:///path"};
  }
  if (::access(path.c_str(), R_OK | W_OK) != 0) {
    return {"engine", missing, path + " may not be used by this user",
            "add the user to the socket's group: usermod -aG docker USER"};
  }
  const auto version = version_at(path);
  if (!version) {
    return {"engine", missing, "no answer at " + path, "is dockerd running, and not frozen?"};
  }
  return judge_engine(*version, path);
}

/// Whether the server could listen; tried and given back at once.
bool is_free(const std::string& host, int port) {
  const bool six = host.starts_with('[');
  sockaddr_in6 to6{};
  sockaddr_in to4{};
  to6.sin6_family = AF_INET6;
  to4.sin_family = AF_INET;
  to6.sin6_port = to4.sin_port = htons(static_cast<std::uint16_t>(port));
  const auto text = six ? host.substr(1, host.size() - 2) : host;
  ::inet_pton(six ? AF_INET6 : AF_INET, text.c_str(),
              six ? static_cast<void*>(&to6.sin6_addr) : static_cast<void*>(&to4.sin_addr));
  const int fd = ::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const bool good =
      ::bind(fd, six ? reinterpret_cast<sockaddr*>(&to6) : reinterpret_cast<sockaddr*>(&to4),
             six ? sizeof to6 : sizeof to4) == 0 &&
      ::listen(fd, 1) == 0;
  ::close(fd);
  return good;
}

finding check_port(const config& c, const std::string& own) {
  if (!own.empty()) return {"port", "ok", "the server of this data folder answers at " + own, ""};
  const auto colon = c.listen.rfind(':');
  const auto host = c.listen.substr(0, colon);
  const int port = std::atoi(c.listen.c_str() + colon + 1);
  if (is_free(host, port)) return {"port", "ok", c.listen + " is free", ""};
  adapters::rest_request request;
  request.url = "http://" + c.listen + "/livez";
  request.timeout_s = 3;
  const auto answer = adapters::call_rest(request);
  if (answer && answer->status == 200 && answer->body == R"({"status":"alive"})") {
    if (server_identity::is_held(server_id_file(c))) {
      return {"port", "ok", "a Reeve answers at " + c.listen, ""};
    }
    return {"port", "warn",
            "a Reeve answers at " + c.listen + ", and none is seen to run on this data folder",
            "name its folder with REEVE_DATA, or choose another REEVE_LISTEN"};
  }
  return {"port", "fail",
          c.listen +
              " cannot be listened on: taken, not of this machine, or below "
              "1024 without the privilege",
          "choose another REEVE_LISTEN"};
}

finding check_cgroups() {
  std::error_code ignored;
  if (fs::exists("/sys/fs/cgroup/cgroup.controllers", ignored)) {
    return {"cgroups", "ok", "version 2", ""};
  }
  if (fs::exists("/sys/fs/cgroup/memory", ignored)) {
    return {"cgroups", "ok", "version 1", ""};
  }
  return {"cgroups", "warn", "none are mounted here", "containers need them on the engine's host"};
}

/// Of this kernel, which is the engine's as well where its socket is a local one.
finding check_marker() {
  const auto version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1U);
  const auto told = marker_guard_of(version);
  constexpr const char* fix =
      "Linux 5.19 or later with landlock in /sys/kernel/security/lsm, if jobs may do that";
  return {"markers", told.is_guarded ? "ok" : "warn", told.seen, told.is_guarded ? "" : fix};
}

finding check_clock() {
  // A clock before the release of this program is wrong.
  constexpr time_us release = 1'767'225'600 * us_per_second;  // 2026-01-01
  const auto now = real_clock().now_us();
  if (now > release) return {"clock", "ok", format_time(now), ""};
  return {"clock", "fail", format_time(now), "set the clock, best by NTP"};
}

finding check_files(const config& c) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  // One for each connection, and some for the database, the engine and files.
  const auto needed = static_cast<rlim_t>(c.max_connections) + 256;
  const auto seen = std::to_string(limit.rlim_cur) + " open files, " +
                    std::to_string(c.max_connections) + " connections";
  if (limit.rlim_cur >= needed) return {"open files", "ok", seen, ""};
  return {"open files", "warn", seen,
          "ulimit -n " + std::to_string(needed) + ", or a smaller REEVE_MAX_CONNECTIONS"};
}

finding check_memory() {
  std::ifstream in("/proc/meminfo");
  std::string name;
  std::int64_t kib = -1;
  std::string unit;
  while (in >> name >> kib) {
    std::getline(in, unit);
    if (name == "MemAvailable:") break;
    kib = -1;
  }
  if (kib < 0) return {"memory", "warn", "/proc/meminfo cannot be read", "mount /proc"};
  const auto seen = std::to_string(kib >> 10) + " MiB available";
  if (kib >= 512 << 10) return {"memory", "ok", seen, ""};
  return {"memory", "warn", seen, "server and PostgreSQL need 512 MiB beside the jobs"};
}

finding check_logs(const config& c) {
  std::error_code ignored;
  if (!fs::exists(c.logs, ignored)) {
    return {"log folder", "ok", c.logs + " is not there: log_triage reads containers only", ""};
  }
  if (fs::is_directory(c.logs, ignored) && ::access(c.logs.c_str(), R_OK | X_OK) == 0) {
    return {"log folder", "ok", c.logs, ""};
  }
  return {"log folder", "warn", c.logs + " is not a folder that may be read",
          "set REEVE_LOGS, or let the server's user read it"};
}

bool has_failed(const std::vector<finding>& all) {
  return std::any_of(all.begin(), all.end(), [](const auto& f) { return f.verdict == "fail"; });
}

void print(const std::vector<finding>& all, bool json) {
  if (!json) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& f : all) {
      rows.push_back({f.verdict, f.name, printable(f.seen)});
      if (!f.fix.empty()) rows.push_back({"", "", "fix: " + printable(f.fix)});
    }
    std::fputs(aligned(rows).c_str(), stdout);
    return;
  }
  codec::json_writer out;
  out.begin_object().key("ok").value(!has_failed(all)).key("checks").begin_array();
  for (const auto& f : all) {
    out.begin_object().key("name").value(f.name).key("verdict").value(f.verdict);
    out.key("seen").value(f.seen).key("fix").value(f.fix).end_object();
  }
  print_json(out.end_array().end_object().take());
}

}  // namespace

finding judge_user(std::int64_t uid) {
  if (uid == 0) {
    return {"user", "warn", "root: the server refuses to run so",
            "run this as the server's user; ./run starts the server as the user reeve"};
  }
  const auto of_jobs = domain::user_numbers{}.uid;
  if (uid != of_jobs) return {"user", "ok", "not root", ""};
  const auto number = std::to_string(of_jobs);
  return {"user", "warn",
          "the server's user is " + number + ", as which jobs run by default: those are refused",
          "run the server as a user of its own, or name another `user` in every container task"};
}

finding judge_engine(const adapters::engine_version& version, const std::string& where) {
  const auto seen = "Docker " + version.version + ", API " + version.api_version + ", " + where;
  if (is_old_api(version.api_version)) {
    return {"engine", "fail", seen, "API 1.40 or later is needed: upgrade the engine"};
  }
  if (version.live_restore) return {"engine", "ok", seen + ", live restore", ""};
  return {"engine", "warn", seen + ", without live restore",
          "start dockerd with --live-restore: containers then survive its restarts"};
}

int doctor(const loaded_config& config, bool json) {
  const auto& c = config.values;
  // What root may do says nothing of the server; where this fails, the next line tells.
  (void)act_as_owner_of(c.data);
  std::vector<finding> all{judge_user(::geteuid()), check_data(c)};
  for (auto& one : check_databases(c)) all.push_back(std::move(one));
  const auto own = own_server(config);
  const auto told = engine_of_server(config, own);
  for (auto&& one :
       {told ? *told : check_engine(c), check_port(c, own), check_cgroups(), check_marker(),
        check_clock(), check_files(c), check_memory(), check_logs(c), check_models(c)}) {
    all.push_back(one);
  }
  print(all, json);
  return has_failed(all) ? exit_run_failed : exit_ok;
}

}  // namespace reeve::cli
