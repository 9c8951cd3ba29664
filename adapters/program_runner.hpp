#pragma once
// Programs of others, run without a shell, with bounds on their time and their output. One that
// hangs in the kernel cannot be ended by anybody: it is let go of, remembered, and looked for again
// each time; while one is left nothing further is started.

#include "base/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace reeve::adapters {

struct program_call {
  std::vector<std::string> words;  ///< the program's absolute path first
  std::int64_t deadline_ms = 10'000;
  std::size_t output_bytes = 1 << 20;
  std::function<bool()> is_wanted = {};  ///< asked about ten times a second; empty: always
};

struct program_end {
  int exit_code = 0;   ///< -1: ended by a signal
  int signal = 0;      ///< 0: none
  std::string output;  ///< its standard output; standard error is not read
  bool truncated = false;
};

/// One call at a time.
class program_runner {
 public:
  program_runner() = default;
  ~program_runner();
  program_runner(const program_runner&) = delete;
  program_runner& operator=(const program_runner&) = delete;

  /// Nothing of this process is seen by it: its environment is LC_ALL=C and a usual PATH, its
  /// standard input is empty, and it has no other descriptors. Errors: not_found (it is not there
  /// or cannot be executed), timed_out, overloaded (one that was started before is still there),
  /// unavailable (it is not wanted any more, or the kernel cannot start it).
  outcome<program_end> run(const program_call& call);

 private:
  void forget_ended();

  std::vector<pid_t> left_;  // killed, not gone yet
};

}  // namespace reeve::adapters
