#pragma once
// Reads log files below one folder (REEVE_LOGS) and nothing else. Names are relative; every part
// is opened on its own with O_NOFOLLOW from the folder's descriptor, so neither ".." nor a symbolic
// link, also one that is swapped in meanwhile, leads out of the folder. Only regular files are
// read: a FIFO or a device could block or have effects. Blocking I/O: call it from a detached
// thread.

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
};

struct log_file_limits {
  std::size_t files = 1000;
  int depth = 4;                               // folders below the log folder
  std::int64_t file_bytes = 64 * 1024 * 1024;  // of a larger file its last part is read
  std::size_t line_bytes = 64 * 1024;          // a longer line is handed over in parts
};

class log_folder {
 public:
  /// `unavailable` if there is no such folder or it may not be read.
  static outcome<log_folder> open(const std::string& path, log_file_limits limits = {});
  ~log_folder();
  log_folder(log_folder&& other) noexcept;
  log_folder& operator=(log_folder&& other) noexcept;

  /// Regular files with sane names (UTF-8, no control characters, not hidden). `since` leaves out
  /// those that were not modified since.
  outcome<log_file_list> list(std::optional<time_us> since = std::nullopt) const;

  /// Gives every line without its newline until `receive` answers false. What is appended while it
  /// reads is left for the next time. Lines before `since` in a file that was modified later are
  /// handed over too: log_triage sees to them by the time at their start.
  /// Errors: invalid (a name that is absolute, empty or has "." or ".." or odd characters),
  /// not_found, forbidden (a symbolic link, not a regular file, no permission), unavailable (I/O).
  outcome<log_file_reading> read(const std::string& name, std::optional<time_us> since,
                                 const std::function<bool(std::string_view)>& receive) const;

 private:
  log_folder(int fd, log_file_limits limits) : fd_(fd), limits_(limits) {}
  int fd_ = -1;
  log_file_limits limits_;
};

}  // namespace reeve::adapters
