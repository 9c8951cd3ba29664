#include "bench/server_process.hpp"

#include "bench/http_load.hpp"

#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace reeve::bench {
namespace {

using namespace std::chrono_literals;

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// As root: becomes the user that bench/run names, since the server refuses root.
bool drop_privileges() {
  if (::geteuid() != 0) return true;
  const char* name = std::getenv("REEVE_BENCH_USER");
  const passwd* user = name == nullptr ? nullptr : ::getpwnam(name);
  return user != nullptr && ::initgroups(name, user->pw_gid) == 0 && ::setgid(user->pw_gid) == 0 &&
         ::setuid(user->pw_uid) == 0;
}

[[noreturn]] void become_server(const settings& s, const std::string& url, const std::string& data,
                                const std::string& docker) {
  const int log = ::open((data + ".log").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  if (!drop_privileges() || ::chdir("/") != 0) std::_Exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setenv("DATABASE_URL", url.c_str(), 1);
  ::setenv("REEVE_LOG_LEVEL", "warn", 1);
  // One token sends everything here.
  ::setenv("REEVE_RATE_PER_S", "1000000", 1);
  ::execl(s.reeve.c_str(), "reeve", "serve", "--data", data.c_str(), "--listen", "127.0.0.1:0",
          "--docker", docker.c_str(), nullptr);
  std::_Exit(127);
}

}  // namespace

server_process::server_process(const settings& s, const std::string& name,
                               const std::string& docker, database which) {
  url_ = "postgresql:///" + name;
  url_ += "?host=" + s.cluster;
  url_ += "&user=reeve";
  if (which == database::create) {
    auto system_url = url_;
    system_url.replace(system_url.find("///") + 3, name.size(), "postgres");
    query(system_url, "CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8'");
  }
  const std::string data = s.folder + "/server-" + name;
  // An earlier server's would name a port where nobody listens.
  ::unlink((data + "/endpoint").c_str());
  const auto begin = mono_us();
  pid_ = ::fork();
  if (pid_ == 0) become_server(s, url_, data, docker);
  await_ready(data);
  ready_ms_ = static_cast<double>(mono_us() - begin) / 1000;
}

void server_process::await_ready(const std::string& data) {
  const auto end = mono_us() + 60'000'000;
  while (mono_us() < end) {
    const auto url = first_line(data + "/endpoint");
    token_ = first_line(data + "/token");
    if (!url.empty() && !token_.empty()) {
      port_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
      if (ask(port_, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").status == 200) return;
    }
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) break;
    std::this_thread::sleep_for(2ms);
  }
  std::ifstream log(data + ".log");
  give_up("the server does not start: " + std::string(std::istreambuf_iterator<char>(log), {}));
}

server_process::~server_process() {
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < 750; ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) return;
    std::this_thread::sleep_for(20ms);
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string server_process::request(const std::string& line, const std::string& body) const {
  std::string text = line;
  text += " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ";
  text += token_;
  if (!body.empty()) {
    text += "\r\nContent-Type: application/json\r\nContent-Length: ";
    text += std::to_string(body.size());
  }
  text += "\r\n\r\n";
  text += body;
  return text;
}

}  // namespace reeve::bench
