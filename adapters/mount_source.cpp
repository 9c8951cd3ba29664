#include "adapters/mount_source.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
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

/// The path's own and those of the folders above it.
std::vector<inode> inodes_up(fs::path path) {
  std::vector<inode> all;
  for (;; path = path.parent_path()) {
    if (const auto one = inode_of(path)) all.push_back(*one);
    if (path == path.parent_path()) return all;
  }
}

/// What is looked at, with its numbers.
struct asked_path {
  std::string path;
  std::vector<inode> up;
  std::optional<inode> own = inode_of(path);

  bool is_in(const std::optional<inode>& folder) const {
    return folder && std::find(up.begin(), up.end(), *folder) != up.end();
  }
};

bool touches(const asked_path& source, const std::string& own) {
  const auto real = resolved(own);
  return is_at_or_below(source.path, real.string()) || is_at_or_below(real.string(), source.path) ||
         source.is_in(inode_of(real)) || leads_through(real, source.own);
}

/// Root or this process, which no job runs as.
bool is_ours(const struct stat& of) {
  return of.st_uid == 0 || of.st_uid == ::geteuid();
}

/// Whether nobody whom a job may run as can put something else into the place of the path: the
/// engine goes by its name again, after the last look.
bool stays_as(fs::path path, struct stat one) {
  struct stat above {};
  for (; path != path.parent_path(); path = path.parent_path(), one = above) {
    if (::lstat(path.parent_path().c_str(), &above) != 0 || !is_ours(above)) return false;
    const bool others_write = (above.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    // In such a folder only the owner of a name, or of the folder, gives it away.
    const bool is_kept = (above.st_mode & S_ISVTX) != 0 && is_ours(one);
    if (others_write && !is_kept) return false;
  }
  return true;
}

bool stays(const fs::path& path) {
  struct stat one {};
  return ::lstat(path.c_str(), &one) == 0 && stays_as(path, one);
}

std::string below(const std::string& root, const std::string& name) {
  return root == "/" ? root + name : root + "/" + name;
}

/// Whatever is called by an id right below a root. Nothing: that cannot be told.
std::optional<std::vector<std::string>> tenant_folders(const std::string& root) {
  std::error_code failed;
  fs::directory_iterator entry(root, failed);
  std::vector<std::string> found;
  if (failed == std::errc::no_such_file_or_directory || failed == std::errc::not_a_directory) {
    return found;
  }
  for (int names = 0; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    if (++names > max_root_names) return std::nullopt;
    const auto name = entry->path().filename().string();
    if (parse_uuid(name)) found.push_back(below(root, name));
  }
  if (failed) return std::nullopt;
  return found;
}

/// Whether one of the folders called by an id right below the root is the path, lies above it or,
/// where the path `holds_root`, in it. Most often with one look at each.
bool is_in(const std::vector<std::string>& folders, const asked_path& source, bool holds_root) {
  if (holds_root) return !folders.empty();
  return std::any_of(folders.begin(), folders.end(), [&](const auto& folder) {
    struct stat one {};
    if (::lstat(folder.c_str(), &one) != 0) return true;
    if (S_ISLNK(one.st_mode)) return touches(source, folder);
    return source.is_in(inode(one.st_dev, one.st_ino));
  });
}

/// Whether the path lies where the tenant may mount, and in or above no folder of another one:
/// roots may lie in each other, and each has folders of tenants.
bool is_open_to(const asked_path& source, const std::vector<std::string>& roots, const uuid& tenant,
                bool has_root) {
  const auto name = to_string(tenant);
  bool is_below = false;
  for (const auto& root : roots) {
    const auto own = below(root, name);
    is_below = is_below || is_at_or_below(source.path, has_root ? root : own);
    auto folders = tenant_folders(root);
    if (!folders) return false;
    if (!has_root) std::erase(*folders, own);
    if (is_in(*folders, source, leads_through(root, source.own))) return false;
  }
  return is_below;
}

}  // namespace

bool can_list_root(const std::string& root) {
  return tenant_folders(root).has_value();
}

bool stays_in_place(const std::string& path) {
  fs::path there = path;
  struct stat one {};
  while (::lstat(there.c_str(), &one) != 0) {
    if (there == there.parent_path()) return false;
    // This process would make what is missing.
    one.st_uid = ::geteuid();
    struct stat above {};
    if (::lstat(there.parent_path().c_str(), &above) == 0) break;
    there = there.parent_path();
  }
  return stays_as(there, one);
}

bool may_mount(const std::string& source, const mount_rules& rules, const uuid& tenant,
               bool has_root) {
  std::error_code missing;
  const auto real = fs::canonical(source, missing);
  if (missing || real.string() != source || !stays(real)) return false;
  const asked_path asked{source, inodes_up(real)};
  return is_open_to(asked, rules.roots, tenant, has_root) &&
         std::none_of(rules.own.begin(), rules.own.end(),
                      [&](const auto& own) { return touches(asked, own); });
}

}  // namespace reeve::adapters
