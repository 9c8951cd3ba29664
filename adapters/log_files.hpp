#pragma once
// Reads log files below one folder (a tenant's, tenant_logs.hpp) and nothing else. Names are
// relative; every part is opened on its own with O_NOFOLLOW from the folder's descriptor, so
// neither ".." nor a symbolic link, also one that is swapped in meanwhile, leads out of the folder.
// Only regular files are read: a FIFO or a device could block or have effects. Blocking I/O: call
// it from a detached thread.

#include "adapters/log_files_port.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::adapters {

struct log_file_limits {
  std::size_t files = 1000;
  int depth = 4;                                    // folders below the log folder
  std::int64_t file_bytes = std::int64_t{4} << 30;  // of a larger file its last part is read
  std::size_t line_bytes = std::size_t{64} * 1024;  // a longer line is handed over in parts
};

/// A file or folder, whatever it is called.
struct file_identity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const file_identity&) const = default;
};

/// What is not read below a log folder, although it is there.
struct log_exclusions {
  std::vector<file_identity> kept_out;  // the server's own, wherever they turn up
  bool tenant_folders = false;          // what is called by an id at the top: other tenants' logs
};

class log_folder final : public log_files {
 public:
  /// `unavailable` if there is no such folder, it may not be read or is kept out.
  static outcome<log_folder> open(const std::string& path, log_file_limits limits = {},
                                  log_exclusions exclusions = {});
  /// The folder of that name right in this one, with the same limits; what is kept out here is so
  /// there. `not_found`, or `forbidden` where it is a link, no folder or kept out.
  outcome<log_folder> folder(const std::string& name) const;
  ~log_folder() override;
  log_folder(log_folder&& other) noexcept;
  log_folder& operator=(log_folder&& other) noexcept;

  outcome<log_file_list> list(std::optional<time_us> since = std::nullopt) const override;
  outcome<log_file_reading> read(
      const std::string& name, std::optional<time_us> since,
      const std::function<bool(std::string_view)>& receive) const override;

 private:
  log_folder(int fd, log_file_limits limits, log_exclusions exclusions)
      : fd_(fd), limits_(limits), exclusions_(std::move(exclusions)) {}
  int fd_ = -1;
  log_file_limits limits_;
  log_exclusions exclusions_;
};

}  // namespace reeve::adapters
