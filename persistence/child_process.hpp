#pragma once
// Programs of PostgreSQL as children of this process. Inside persistence/ only.

#include <string>
#include <sys/types.h>
#include <vector>

namespace reeve::persistence {

struct child_options {
  std::vector<std::string> arguments;  // the first one is the program's path
  std::string log_file;                // stdout and stderr are appended to it
  std::string run_as;                  // empty = the same user
  int death_signal = 0;                // sent to it when the forking thread ends; 0 = none
};

/// -1 if it could not be forked. A program that is not there ends with 127.
pid_t spawn_child(const child_options& options);

/// Its exit code, or 128 + signal; -1 if it is still there after `timeout_ms`.
int wait_child(pid_t child, int timeout_ms);

/// Running, and not a zombie.
bool is_running(pid_t pid);

}  // namespace reeve::persistence
