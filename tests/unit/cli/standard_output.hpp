#pragma once
// Standard output as a command finds it: a file that can be read meanwhile, a device that is full,
// or a pipe. All until the end of the scope.

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <stdio_ext.h>
#include <string>
#include <unistd.h>

namespace standard_output {

class redirected {
 public:
  explicit redirected(const std::string& path)
      : redirected(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    ::close(own_);
  }
  /// The caller's, who closes it.
  explicit redirected(int to) : own_(to) {
    std::fflush(stdout);
    before_ = ::dup(STDOUT_FILENO);
    if (before_ < 0 || to < 0 || ::dup2(to, STDOUT_FILENO) < 0) std::abort();
  }
  ~redirected() {
    // What could not be written must not come out later, in the middle of a test's report.
    if (std::fflush(stdout) != 0) ::__fpurge(stdout);
    std::clearerr(stdout);
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }
  redirected(const redirected&) = delete;
  redirected& operator=(const redirected&) = delete;

 private:
  int before_ = -1;
  int own_ = -1;
};

}  // namespace standard_output
