#include "adapters/docker_engine.hpp"
#include "adapters/rest_client.hpp"
#include "base/time.hpp"
#include "cli/commands.hpp"
#include "cli/config_file.hpp"
#include "cli/database.hpp"
#include "codec/json_writer.hpp"
#include "persistence/migrate.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace reeve::cli {
namespace {

namespace fs = std::filesystem;

struct finding {
  std::string name;
  std::string verdict;  // ok, warn, fail
  std::string seen;
  std::string fix;
};

finding check_data(const config& c) {
  std::error_code ignored;
  const fs::path folder = fs::absolute(c.data);
  const auto where = fs::exists(folder, ignored) ? folder : folder.parent_path();
  if (::access(where.c_str(), W_OK) != 0) {
    return {"data folder", "fail", where.string() + " is not writable",
            "choose another one with REEVE_DATA, or give it to the server's user"};
  }
  const auto space = fs::space(where, ignored);
  const auto free_mib = space.available >> 20;
  const std::string seen = folder.string() + ", " + std::to_string(free_mib) + " MiB free";
  if (free_mib < 1024) return {"data folder", "warn", seen, "free at least 1 GiB"};
  return {"data folder", "ok", seen, ""};
}

finding check_database(const config& c) {
  if (!c.database_url.empty()) {
    auto safe = persistence::check_database(c.database_url);
    if (safe) return {"database", "ok", "DATABASE_URL answers, its settings are safe", ""};
    return {"database", "fail", safe.error().detail, "see docs/configuration.md, DATABASE_URL"};
  }
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    if (!fs::exists(entry.path() / "bin/postgres", ignored)) continue;
    if (::geteuid() == 0) {
      return {"database", "warn", "a private PostgreSQL does not run as root",
              "start the server as another user, or with ./run"};
    }
    return {"database", "ok", "a private PostgreSQL " + entry.path().filename().string(), ""};
  }
  return {"database", "fail", "no DATABASE_URL and no PostgreSQL is installed",
          "apt-get install postgresql, or set DATABASE_URL"};
}

std::string socket_of(const config& c) {
  constexpr std::string_view scheme = "unix://";
  return c.docker.starts_with(scheme) ? c.docker.substr(scheme.size()) : "/var/run/docker.sock";
}

finding check_engine(const config& c) {
  if (c.docker == "simulated") {
    return {"engine", "warn", "simulated: no container really runs", "set REEVE_DOCKER=auto"};
  }
  const auto path = socket_of(c);
  const char* missing = c.docker == "auto" ? "warn" : "fail";
  if (::access(path.c_str(), F_OK) != 0) {
    return {"engine", missing, path + " is not there", "install docker.io and start it"};
  }
  if (::access(path.c_str(), R_OK | W_OK) != 0) {
    return {"engine", missing, path + " may not be used by this user",
            "add the user to the socket's group"};
  }
  adapters::docker_options options;
  options.socket_path = path;
  adapters::docker_engine engine(options);
  std::promise<outcome<adapters::engine_version>> promise;
  auto answer = promise.get_future();
  engine.version_info(reply_slot<adapters::engine_version>(
      [&](outcome<adapters::engine_version> v) { promise.set_value(std::move(v)); }));
  const auto version = answer.get();
  if (!version) return {"engine", "fail", "no answer at " + path, "is dockerd running?"};
  const std::string seen = "Docker " + version->version + ", API " + version->api_version;
  if (version->live_restore) return {"engine", "ok", seen + ", live restore", ""};
  return {"engine", "warn", seen + ", without live restore",
          "start dockerd with --live-restore: containers then survive its restarts"};
}

finding check_port(const config& c) {
  adapters::rest_request request;
  request.url = "http://" + c.listen + "/livez";
  request.timeout_s = 3;
  const auto answer = adapters::call_rest(request);
  if (!answer) return {"port", "ok", c.listen + " is free", ""};
  if (answer->body.find("alive") != std::string::npos) {
    return {"port", "ok", "a Reeve answers at " + c.listen, ""};
  }
  return {"port", "fail", "another program answers at " + c.listen, "choose another REEVE_LISTEN"};
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

finding check_clock() {
  // A clock before the release of this program is wrong.
  constexpr time_us release = 1'767'225'600 * us_per_second;  // 2026-01-01
  const auto now = real_clock().now_us();
  if (now > release) return {"clock", "ok", format_time(now), ""};
  return {"clock", "fail", format_time(now), "set the clock, best by NTP"};
}

finding check_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto seen = std::to_string(limit.rlim_cur) + " open files";
  if (limit.rlim_cur >= 4096) return {"limits", "ok", seen, ""};
  return {"limits", "warn", seen, "raise it to 4096 for many connections: ulimit -n 4096"};
}

finding check_logs(const config& c) {
  std::error_code ignored;
  if (fs::is_directory(c.logs, ignored)) return {"log folder", "ok", c.logs, ""};
  return {"log folder", "ok", c.logs + " is not there: log_triage reads containers only", ""};
}

void print(const std::vector<finding>& all, bool json) {
  codec::json_writer out;
  out.begin_object().key("checks").begin_array();
  for (const auto& f : all) {
    out.begin_object().key("name").value(f.name).key("verdict").value(f.verdict);
    out.key("seen").value(f.seen).key("fix").value(f.fix).end_object();
    if (json) continue;
    std::printf("%-5s %-12s %s\n", f.verdict.c_str(), f.name.c_str(), f.seen.c_str());
    if (!f.fix.empty()) std::printf("      %-12s → %s\n", "", f.fix.c_str());
  }
  if (json) std::puts(out.end_array().end_object().take().c_str());
}

}  // namespace

int doctor(const loaded_config& config, bool json) {
  const auto& c = config.values;
  const std::vector<finding> all{check_data(c), check_database(c), check_engine(c),
                                 check_port(c), check_cgroups(),   check_clock(),
                                 check_files(), check_logs(c)};
  print(all, json);
  for (const auto& f : all) {
    if (f.verdict == "fail") return exit_run_failed;
  }
  return exit_ok;
}

}  // namespace reeve::cli
