#include "persistence/child_process.hpp"

#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace reeve::persistence {
namespace {

struct user_ids {
  uid_t uid = 0;
  gid_t gid = 0;
  bool change = false;
};

user_ids ids_of(const std::string& user) {
  if (user.empty() || ::geteuid() != 0) return {};
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return {};
  return {entry->pw_uid, entry->pw_gid, true};
}

/// After the fork: only calls that are safe there.
[[noreturn]] void become(const child_options& options, const user_ids& user, char* const* argv,
                         pid_t parent) {
  const int log = ::open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (log < 0 || nothing < 0) _exit(126);
  ::dup2(nothing, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  ::close_range(3, ~0U, 0);
  if (user.change &&
      (::setgroups(0, nullptr) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0)) {
    _exit(126);
  }
  // After the change of user, which clears it.
  if (options.death_signal != 0) {
    ::prctl(PR_SET_PDEATHSIG, options.death_signal);
    if (::getppid() != parent) _exit(125);
  }
  ::setsid();
  if (::chdir("/") != 0) _exit(126);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(argv[0], argv);
  _exit(127);
}

}  // namespace

pid_t spawn_child(const child_options& options) {
  std::vector<char*> argv;
  for (const auto& argument : options.arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const auto user = ids_of(options.run_as);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(options, user, argv.data(), parent);
  return child;
}

int wait_child(pid_t child, int timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    int status = 0;
    const pid_t done = ::waitpid(child, &status, WNOHANG);
    if (done == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (done < 0) return 0;
    if (std::chrono::steady_clock::now() >= deadline) return -1;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bool is_running(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("State:")) continue;
    return line.find('Z') == std::string::npos && line.find('X') == std::string::npos;
  }
  return false;
}

}  // namespace reeve::persistence
