#include "adapters/program_runner.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace reeve::adapters {
namespace {

using steady = std::chrono::steady_clock;
constexpr int tick_ms = 100;
// How long the end of a killed program is waited for.
constexpr auto kill_grace = std::chrono::seconds(1);

class pipe_end {
 public:
  explicit pipe_end(int fd) : fd_(fd) {}
  ~pipe_end() { close(); }
  pipe_end(const pipe_end&) = delete;
  pipe_end& operator=(const pipe_end&) = delete;
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

/// What posix_spawn is told: a group of its own, no blocked signals, no descriptors of ours.
class spawn_orders {
 public:
  explicit spawn_orders(int output) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_addopen(&files_, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files_, output, 1);
    ::posix_spawn_file_actions_addopen(&files_, 2, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&files_, 3);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~spawn_orders() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  spawn_orders(const spawn_orders&) = delete;
  spawn_orders& operator=(const spawn_orders&) = delete;

  int spawn(pid_t& child, const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    char language[] = "LC_ALL=C";
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char* const environment[] = {language, path, nullptr};
    return ::posix_spawn(&child, arguments[0], &files_, &attributes_, arguments.data(),
                         environment);
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

enum class reading { more, over, broken };

reading read_some(int fd, std::size_t most, program_end& into) {
  std::array<char, 16384> bytes;
  const auto got = ::read(fd, bytes.data(), bytes.size());
  if (got == 0) return reading::over;
  if (got < 0) return errno == EAGAIN || errno == EINTR ? reading::more : reading::broken;
  const auto taken = std::min(static_cast<std::size_t>(got), most - into.output.size());
  into.output.append(bytes.data(), taken);
  if (taken < static_cast<std::size_t>(got)) into.truncated = true;
  return reading::more;
}

/// Its status, once it has ended; then it is gone.
std::optional<int> ended(pid_t child) {
  int status = 0;
  const auto found = ::waitpid(child, &status, WNOHANG);
  if (found == child) return status;
  // Somebody else has taken its end away: nothing is known of it.
  return found < 0 && errno == ECHILD ? std::optional(-1) : std::nullopt;
}

std::optional<int> ended_by(pid_t child, steady::time_point until,
                            const std::function<bool()>& is_wanted = {}) {
  for (;;) {
    if (const auto status = ended(child)) return status;
    if (steady::now() >= until || (is_wanted && !is_wanted())) return std::nullopt;
    ::poll(nullptr, 0, 5);
  }
}

void tell_end(int status, program_end& into) {
  into.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  into.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

program_runner::~program_runner() {
  forget_ended();
}

void program_runner::forget_ended() {
  std::erase_if(left_, [](pid_t child) { return ended(child).has_value(); });
}

outcome<program_end> program_runner::run(const program_call& call) {
  forget_ended();
  if (!left_.empty()) {
    return reject(errc::overloaded, "a program that was started before does not end");
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return reject(errc::unavailable, "no pipe could be made");
  }
  pipe_end ours(ends[0]), its(ends[1]);
  // Only our end may give up early; a program is not made for that.
  ::fcntl(its.get(), F_SETFL, 0);
  pid_t child = -1;
  const int failed = spawn_orders(its.get()).spawn(child, call.words);
  its.close();
  if (failed != 0) {
    const bool gone = failed == ENOENT || failed == EACCES || failed == ENOTDIR ||
                      failed == ENOEXEC || failed == ELOOP;
    return reject(gone ? errc::not_found : errc::unavailable, "the program cannot be started");
  }
  const auto until = steady::now() + std::chrono::milliseconds(call.deadline_ms);
  program_end end;
  auto state = reading::more;
  while (state == reading::more && !end.truncated && steady::now() < until) {
    if (call.is_wanted && !call.is_wanted()) break;
    pollfd look{ours.get(), POLLIN, 0};
    if (::poll(&look, 1, tick_ms) > 0) state = read_some(ours.get(), call.output_bytes, end);
  }
  const bool whole = state == reading::over;
  auto status = whole ? ended_by(child, until, call.is_wanted) : std::nullopt;
  if (status) {
    tell_end(*status, end);
    return end;
  }
  ::kill(-child, SIGKILL);
  status = ended_by(child, steady::now() + kill_grace);
  if (!status) left_.push_back(child);
  if (call.is_wanted && !call.is_wanted()) {
    return reject(errc::unavailable, "the program is not wanted any more");
  }
  if (!end.truncated) return reject(errc::timed_out, "the program did not end in time");
  end.exit_code = -1;
  return end;
}

}  // namespace reeve::adapters
