#include "adapters/mount_source.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace reeve::adapters {
namespace {

namespace fs = std::filesystem;

bool is_at_or_below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder == "/" ? folder : folder + "/");
}

using inode = std::pair<dev_t, ino_t>;

std::optional<inode> inode_of(const fs::path& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return std::nullopt;
  return inode(about.st_dev, about.st_ino);
}

/// Whether the folder is the path's own or one above it, under whatever name.
bool leads_through(fs::path path, const std::optional<inode>& folder) {
  if (!folder) return false;
  for (;;) {
    if (inode_of(path) == folder) return true;
    if (path == path.parent_path()) return false;
    path = path.parent_path();
  }
}

/// As far as it is there without links; the rest as it is written.
fs::path resolved(const std::string& path) {
  std::error_code failed;
  auto real = fs::weakly_canonical(fs::absolute(path, failed), failed);
  if (failed) real = fs::absolute(path, failed).lexically_normal();
  if (!real.has_filename() && real.has_relative_path()) real = real.parent_path();
  return real;
}

bool touches(const std::string& source, const std::string& own) {
  const auto real = resolved(own);
  return is_at_or_below(source, real.string()) || is_at_or_below(real.string(), source) ||
         leads_through(source, inode_of(real)) || leads_through(real, inode_of(source));
}

/// Root or this process, which no job runs as.
bool is_ours(const struct stat& of) {
  return of.st_uid == 0 || of.st_uid == ::geteuid();
}

/// Whether nobody whom a job may run as can put something else into the place of the path: the
/// engine goes by its name again, after the last look.
bool stays(fs::path path) {
  struct stat one {
  }, above{};
  if (::lstat(path.c_str(), &one) != 0) return false;
  for (; path != path.parent_path(); path = path.parent_path(), one = above) {
    if (::lstat(path.parent_path().c_str(), &above) != 0 || !is_ours(above)) return false;
    const bool others_write = (above.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    // In such a folder only the owner of a name, or of the folder, gives it away.
    const bool is_kept = (above.st_mode & S_ISVTX) != 0 && is_ours(one);
    if (others_write && !is_kept) return false;
  }
  return true;
}

}  // namespace

bool may_mount(const std::string& source, const mount_rules& rules) {
  std::error_code missing;
  const auto real = fs::canonical(source, missing);
  if (missing || real.string() != source || !stays(real)) return false;
  return std::any_of(rules.roots.begin(), rules.roots.end(),
                     [&](const auto& root) { return is_at_or_below(source, root); }) &&
         std::none_of(rules.own.begin(), rules.own.end(),
                      [&](const auto& own) { return touches(source, own); });
}

}  // namespace reeve::adapters
