#pragma once
// Standard output as a command finds it: a file that can be read meanwhile, or a device that is
// full. Both until the end of the scope.

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <stdio_ext.h>
#include <string>
#include <unistd.h>

namespace standard_output {

class redirected {
 public:
  explicit redirected(const std::string& path) {
    std::fflush(stdout);
    before_ = ::dup(STDOUT_FILENO);
    const int to = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (before_ < 0 || to < 0 || ::dup2(to, STDOUT_FILENO) < 0) std::abort();
    ::close(to);
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
};

}  // namespace standard_output
