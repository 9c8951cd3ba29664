#include "base/files.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace reeve {
namespace {

/// A descriptor that is closed with its scope.
class open_file {
 public:
  open_file(const std::string& path, int flags) : fd_(::open(path.c_str(), flags, 0600)) {}
  ~open_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// False after an error, or with more than `most` bytes.
bool read_all(int fd, std::size_t most, std::string& bytes) {
  char part[4096];
  for (;;) {
    const auto count = ::read(fd, part, sizeof part);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 || bytes.size() + static_cast<std::size_t>(count) > most) return false;
    if (count == 0) return true;
    bytes.append(part, static_cast<std::size_t>(count));
  }
}

/// A file that nobody reads yet.
bool write_draft(const std::string& path, const std::string& content) {
  ::unlink(path.c_str());
  const open_file file(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
  return file && write_all(file.fd(), content) && ::fsync(file.fd()) == 0;
}

}  // namespace

bool is_missing(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) != 0 && errno == ENOENT;
}

bool sync_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto folder = slash == path.npos ? std::string(".") : path.substr(0, slash + 1);
  const open_file file(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return file && ::fsync(file.fd()) == 0;
}

outcome<std::optional<std::string>> read_small_file(const std::string& path, std::size_t most) {
  const open_file file(path, O_RDONLY | O_CLOEXEC);
  if (!file && is_missing(path)) return std::optional<std::string>();
  std::string bytes;
  if (!file || !read_all(file.fd(), most, bytes)) {
    return reject(errc::invalid, path + " is there and cannot be read");
  }
  return std::optional<std::string>(std::move(bytes));
}

outcome<std::optional<std::string>> read_own_file(const std::string& path, std::size_t most) {
  const open_file file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (!file && errno == ENOENT) return std::optional<std::string>();
  struct stat info {};
  const bool is_ours = file && ::fstat(file.fd(), &info) == 0 && S_ISREG(info.st_mode) &&
                       info.st_uid == ::geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  std::string bytes;
  if (!is_ours || !read_all(file.fd(), most, bytes)) {
    return reject(errc::invalid, path + " is there and is not this server's own file");
  }
  return std::optional<std::string>(std::move(bytes));
}

outcome<done> write_new_file(const std::string& path, const std::string& content) {
  const auto draft = path + "." + std::to_string(::getpid());
  const bool drafted = write_draft(draft, content);
  const bool linked = drafted && ::link(draft.c_str(), path.c_str()) == 0;
  const bool is_there = drafted && !linked && errno == EEXIST;
  ::unlink(draft.c_str());
  if (is_there) return reject(errc::conflict, path + " is there already");
  if (linked && sync_folder_of(path)) return done{};
  return reject(errc::unavailable, path + " cannot be written");
}

outcome<done> write_small_file(const std::string& path, const std::string& content) {
  const auto draft = path + ".new";
  const bool drafted = write_draft(draft, content);
  if (drafted && std::rename(draft.c_str(), path.c_str()) == 0 && sync_folder_of(path))
    return done{};
  ::unlink(draft.c_str());
  return reject(errc::unavailable, path + " cannot be written");
}

}  // namespace reeve
