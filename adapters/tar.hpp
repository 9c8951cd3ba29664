#pragma once
// Writes ustar archives (POSIX.1-1988) in memory, for what is put into a container: a few files
// with mode and owner. Reading archives is not done here.

#include "base/outcome.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace reeve::adapters {

enum class tar_kind : char { file = '0', symlink = '2', directory = '5' };

/// `name` is relative, without empty or ".." parts ("./" alone, the directory that the archive is
/// unpacked into, is allowed for a directory). `content` is a file's bytes or a link's target.
struct tar_entry {
  tar_kind kind = tar_kind::file;
  std::string name;
  std::string content = {};
  std::uint32_t mode = 0644;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t modified_s = 0;  ///< seconds since the epoch, 0..8^11-1
};

struct tar_limits {
  std::size_t entries = 10'000;
  std::size_t bytes = 256 << 20;  ///< of the whole archive
};

/// `invalid` for a name, `too_large` beyond the limits; `field` is "/INDEX/name" or "/INDEX".
outcome<std::string> make_tar(std::span<const tar_entry> entries, const tar_limits& limits = {});

}  // namespace reeve::adapters
