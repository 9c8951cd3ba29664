#include "tests/support/process.hpp"

#include "tests/support/environment.hpp"
#include "tests/support/eventually.hpp"

#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace support {

namespace fs = std::filesystem;

namespace {

using string_list = std::vector<std::string>;

string_list environment_for(const process_options& options) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& name : options.unset) variables.erase(name);
  for (const auto& [name, value] : options.set) variables[name] = value;
  string_list list;
  for (const auto& [name, value] : variables) list.push_back(name + "=" + value);
  return list;
}

std::vector<char*> pointers(string_list& list) {
  std::vector<char*> out;
  for (auto& text : list) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

int open_log(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), file.string());
  return fd;
}

/// Runs in the child: only calls that are safe after fork().
[[noreturn]] void become(const std::optional<unprivileged>& user, pid_t parent, int out, int err,
                         char* const* command, char* const* environment) {
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  if (user && (::setgroups(0, nullptr) != 0 || ::setresgid(user->gid, user->gid, user->gid) != 0 ||
               ::setresuid(user->uid, user->uid, user->uid) != 0)) {
    ::_exit(126);
  }
  // After the change of user, which clears it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(125);
  ::execvpe(command[0], command, environment);
  ::_exit(127);
}

}  // namespace

process::process(const process_options& options) {
  string_list command = options.command;
  string_list environment = environment_for(options);
  const auto command_pointers = pointers(command);
  const auto environment_pointers = pointers(environment);
  const auto user = options.drop_privileges ? service_user() : std::nullopt;
  const int out = open_log(options.stdout_file);
  const int err = open_log(options.stderr_file);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    become(user, parent, out, err, command_pointers.data(), environment_pointers.data());
  }
  const int why = errno;
  ::close(out);
  ::close(err);
  if (pid_ < 0) throw std::system_error(why, std::generic_category(), "fork");
}

process::~process() {
  kill_hard();
}

process::process(process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

process& process::operator=(process&& other) noexcept {
  if (this == &other) return *this;
  kill_hard();
  pid_ = std::exchange(other.pid_, -1);
  status_ = other.status_;
  return *this;
}

bool process::running() {
  return pid_ > 0 && !wait(0ms);
}

void process::signal(int number) {
  // A reaped child's pid may be somebody else's by now.
  if (running()) ::kill(pid_, number);
}

std::optional<int> process::wait(std::chrono::milliseconds deadline) {
  if (pid_ < 0 || status_) return status_;
  eventually(deadline, [&] {
    int raw = 0;
    if (::waitpid(pid_, &raw, WNOHANG) != pid_) return false;
    status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return true;
  });
  return status_;
}

void process::kill_hard() {
  if (pid_ < 0 || status_) return;
  ::kill(pid_, SIGKILL);
  wait(10s);
}

finished run_to_end(process_options options, std::chrono::milliseconds deadline) {
  const scratch_dir folder(work_dir(), "run");
  options.stdout_file = options.stderr_file = folder.path() / "output";
  process child(options);
  const auto status = child.wait(deadline * time_factor());
  if (!status) {
    child.kill_hard();
    throw std::runtime_error(options.command.front() + " did not end in time:\n" +
                             contents_of(folder.path() / "output"));
  }
  return {*status, contents_of(folder.path() / "output")};
}

bool process_runs(pid_t pid) {
  const std::string text = contents_of("/proc/" + std::to_string(pid) + "/status");
  const auto at = text.find("State:\t");
  return at != std::string::npos && text[at + 7] != 'Z' && text[at + 7] != 'X';
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  const fs::path tasks = "/proc/" + std::to_string(parent) + "/task";
  std::error_code gone;
  for (const auto& task : fs::directory_iterator(tasks, gone)) {
    std::istringstream list(contents_of(task.path() / "children"));
    for (pid_t pid = 0; list >> pid;) found.push_back(pid);
  }
  return found;
}

}  // namespace support
