#pragma once
// A socket with a name in a folder (unix domain) on which something listens.

#include "base/outcome.hpp"

#include <cstddef>
#include <string>
#include <sys/types.h>

namespace reeve {

/// What the system takes for a name of a socket, with the folders in front.
inline constexpr std::size_t most_socket_path = 107;

class local_socket {
 public:
  /// Listens; every user may connect who can reach the folder. A socket that is there already is
  /// replaced: whoever listened there does so no more for newcomers. Anything else there is left
  /// alone: `conflict`. `invalid`: the path is too long; `unavailable`, with the system's words.
  static outcome<local_socket> listen(const std::string& path);

  local_socket(local_socket&& other) noexcept;
  local_socket& operator=(local_socket&&) = delete;
  /// Removes the name, unless somebody else has it by now.
  ~local_socket();

  /// The descriptor, non-blocking, to its new owner.
  int release();

 private:
  explicit local_socket(std::string path) : path_(std::move(path)) {}
  outcome<done> bind_it();

  std::string path_;  // empty: it was moved from
  int fd_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;  // 0: it has no name of ours
};

}  // namespace reeve
