#pragma once
// The port to log files below one folder. Blocking: called from a thread that may wait.

#include "base/outcome.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::adapters {

struct log_file {
  std::string name;  // relative, parts separated by '/'
  std::int64_t bytes = 0;
  time_us modified_at = 0;
};

struct log_file_list {
  std::vector<log_file> files;  // by name
  bool truncated = false;       // there are more than the limit, or folders too deep
};

struct log_file_reading {
  std::int64_t bytes = 0;
  std::int64_t lines = 0;
  bool unchanged = false;  // not modified since the given time: nothing was read
  bool truncated = false;  // its beginning was left out: larger than the limit
  bool stopped = false;    // the receiver wanted no more
  /// "gzip", "an archive of zip", …: it is no text, and nothing of it was handed over. Else empty.
  std::string_view no_text = {};
};

class log_files {
 public:
  virtual ~log_files() = default;

  /// Regular files with sane names (UTF-8, no control characters, not hidden). `since` leaves out
  /// those that were not modified since.
  virtual outcome<log_file_list> list(std::optional<time_us> since) const = 0;

  /// Gives every line without its newline until `receive` answers false. What is appended while it
  /// reads is left for the next time. Lines before `since` in a file that was modified later are
  /// handed over too: log_triage sees to them by the time at their start.
  /// Errors: invalid (a name that is absolute, empty or has "." or ".." or odd characters),
  /// not_found, forbidden (a symbolic link, not a regular file, no permission), unavailable (I/O).
  virtual outcome<log_file_reading> read(
      const std::string& name, std::optional<time_us> since,
      const std::function<bool(std::string_view)>& receive) const = 0;
};

}  // namespace reeve::adapters
