#pragma once
// A child process. It dies with the thread that started it (the death signal follows the thread),
// so start children on the test's own thread.

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace support {

struct process_options {
  std::vector<std::string> command;          // an absolute path, or a name to look up in PATH
  std::map<std::string, std::string> set{};  // on top of our own environment
  std::vector<std::string> unset{};
  std::filesystem::path stdout_file{"/dev/null"};  // appended to
  std::filesystem::path stderr_file{"/dev/null"};
  bool drop_privileges = true;  // run as the service user when we are root
};

class process {
 public:
  explicit process(const process_options& options);
  /// SIGKILL and wait, if it still runs.
  ~process();
  process(process&& other) noexcept;
  process& operator=(process&& other) noexcept;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);
  /// The wait status's meaning: an exit status, or 128 + the signal that ended it. Nothing when it
  /// still runs at the deadline.
  std::optional<int> wait(std::chrono::milliseconds deadline);
  /// SIGKILL, and gone when this returns.
  void kill_hard();

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

struct finished {
  int status = 0;
  std::string output;  // stdout and stderr together
};
/// Runs to the end; what takes longer than `deadline` is killed and throws.
finished run_to_end(process_options options, std::chrono::milliseconds deadline);

/// The children of a process at this moment.
std::vector<pid_t> children_of(pid_t parent);
/// False for a zombie too.
bool process_runs(pid_t pid);

}  // namespace support
