#include "adapters/log_files.hpp"

#include "adapters/file_content.hpp"
#include "base/ids.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace reeve::adapters {
namespace {

constexpr std::size_t max_name_bytes = 1024;
constexpr std::size_t max_parts = 16;
constexpr std::size_t chunk_bytes = std::size_t{64} * 1024;
constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
// O_NONBLOCK: opening a FIFO must not wait for its writer.
constexpr int file_flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

time_us modified_at(const struct stat& info) {
  return static_cast<time_us>(info.st_mtim.tv_sec) * us_per_second + info.st_mtim.tv_nsec / 1000;
}

bool is_sane_part(std::string_view part) {
  if (part.empty() || part == "." || part == "..") return false;
  if (first_invalid_utf8(part) != std::string_view::npos) return false;
  return std::none_of(part.begin(), part.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '\x7F' || c == '/';
  });
}

outcome<std::vector<std::string>> parts_of(std::string_view name) {
  std::vector<std::string> parts;
  const auto bad = reject(errc::invalid, "must be a relative name below the log folder", "/files");
  if (name.empty() || name.size() > max_name_bytes) return bad;
  while (true) {
    const auto slash = name.find('/');
    const auto part = name.substr(0, slash);
    if (!is_sane_part(part) || parts.size() == max_parts) return bad;
    parts.emplace_back(part);
    if (slash == name.npos) return parts;
    name.remove_prefix(slash + 1);
  }
}

/// What an errno of open means to the caller.
rejection no_file(int error) {
  switch (error) {
    case ENOENT:
      return reject(errc::not_found, "there is no such log file", "/files");
    case ELOOP:
    case ENOTDIR:
      return reject(errc::forbidden, "symbolic links are not followed in the log folder", "/files");
    case EACCES:
    case EPERM:
    case ENXIO:
      return reject(errc::forbidden, "the log file may not be read", "/files");
    default:
      return reject(errc::unavailable,
                    "the log file cannot be opened: " + std::system_category().message(error),
                    "/files");
  }
}

bool is_kept_out(const log_exclusions& exclusions, const struct stat& info) {
  const auto& all = exclusions.kept_out;
  return std::find(all.begin(), all.end(), file_identity{info.st_dev, info.st_ino}) != all.end();
}

/// What is opened, and not its name: a name may come to mean something else.
outcome<done> check_kept_out(const log_exclusions& exclusions, int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return no_file(errno);
  if (!is_kept_out(exclusions, info)) return done{};
  return reject(errc::forbidden, "what the server writes itself is no log", "/files");
}

outcome<descriptor> open_below(int folder, const std::vector<std::string>& parts,
                               const log_exclusions& exclusions) {
  // As if it were not there: of what another tenant has nothing is told.
  if (exclusions.tenant_folders && parse_uuid(parts.front())) return no_file(ENOENT);
  descriptor at(-1);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    const int from = i == 0 ? folder : at.get();
    const int fd = ::openat(from, parts[i].c_str(), last ? file_flags : folder_flags);
    if (fd < 0) return no_file(errno);
    at = descriptor(fd);
    if (auto ok = check_kept_out(exclusions, fd); !ok) return ok.error();
  }
  return at;
}

/// Walks one folder; entries are taken in the order of their names, so a cut is deterministic.
class lister {
 public:
  lister(const log_file_limits& limits, const log_exclusions& exclusions,
         std::optional<time_us> since)
      : limits_(limits), exclusions_(exclusions), since_(since) {}

  void walk(int folder, const std::string& prefix, int depth) {
    for (const auto& name : names_in(folder)) {
      if (result.files.size() >= limits_.files) {
        result.truncated = true;
        return;
      }
      struct stat info {};
      if (depth == 0 && exclusions_.tenant_folders && parse_uuid(name)) continue;
      if (::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (is_kept_out(exclusions_, info)) continue;
      if (S_ISREG(info.st_mode)) {
        if (since_ && modified_at(info) < *since_) continue;
        result.files.push_back({prefix + name, info.st_size, modified_at(info)});
      } else if (S_ISDIR(info.st_mode)) {
        if (depth >= limits_.depth) {
          result.truncated = true;
          continue;
        }
        const descriptor below(::openat(folder, name.c_str(), folder_flags));
        if (below.get() < 0 || !check_kept_out(exclusions_, below.get())) continue;
        walk(below.get(), prefix + name + "/", depth + 1);
      }
    }
  }

  log_file_list result;

 private:
  std::vector<std::string> names_in(int folder) {
    std::vector<std::string> names;
    descriptor copy(::openat(folder, ".", folder_flags));
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy.get()), ::closedir);
    if (!entries) return names;
    copy.release();
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads from this one.
    while (const auto* entry = ::readdir(entries.get())) {
      const std::string_view name = entry->d_name;
      if (name.starts_with('.') || !is_sane_part(name)) continue;
      // The whole walk is bounded as well: four times the files that can be answered.
      if (++seen_ > limits_.files * 4) {
        result.truncated = true;
        break;
      }
      names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const log_file_limits& limits_;
  const log_exclusions& exclusions_;
  std::optional<time_us> since_;
  std::size_t seen_ = 0;
};

/// Splits what is read into lines. False once the receiver wants no more.
class line_splitter {
 public:
  line_splitter(std::size_t limit, const std::function<bool(std::string_view)>& receive,
                log_file_reading& done)
      : limit_(limit), receive_(receive), done_(done) {}

  /// The file was entered in its middle: drop what is left of that line.
  void skip_first() { skipping_ = true; }

  bool take(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto newline = bytes.find('\n');
      const auto part = bytes.substr(0, newline);
      bytes.remove_prefix(newline == bytes.npos ? bytes.size() : newline + 1);
      if (skipping_) {
        skipping_ = newline == std::string_view::npos;
        continue;
      }
      line_.append(part);
      while (line_.size() > limit_) {
        if (!give(std::string_view(line_).substr(0, limit_))) return false;
        line_.erase(0, limit_);
      }
      if (newline == std::string_view::npos) continue;
      if (!give(line_)) return false;
      line_.clear();
    }
    return true;
  }

  bool finish() { return line_.empty() || give(line_); }

 private:
  bool give(std::string_view line) {
    ++done_.lines;
    return receive_(line);
  }

  std::size_t limit_;
  const std::function<bool(std::string_view)>& receive_;
  log_file_reading& done_;
  std::string line_;
  bool skipping_ = false;
};

}  // namespace

outcome<log_folder> log_folder::open(const std::string& path, log_file_limits limits,
                                     log_exclusions exclusions) {
  // The folder itself is the operator's choice and may be a symbolic link.
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return reject(errc::unavailable,
                  "the log folder cannot be opened: " + std::system_category().message(errno));
  }
  log_folder opened(fd, limits, std::move(exclusions));
  if (auto ok = check_kept_out(opened.exclusions_, fd); !ok) {
    return reject(errc::unavailable, "the log folder is one of the server's own");
  }
  return opened;
}

outcome<log_folder> log_folder::folder(const std::string& name) const {
  if (!is_sane_part(name)) return no_file(ENOENT);
  const int fd = ::openat(fd_, name.c_str(), folder_flags);
  if (fd < 0) return no_file(errno);
  log_folder opened(fd, limits_, {exclusions_.kept_out, false});
  if (auto ok = check_kept_out(exclusions_, fd); !ok) return ok.error();
  return opened;
}

log_folder::~log_folder() {
  if (fd_ >= 0) ::close(fd_);
}
log_folder::log_folder(log_folder&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      limits_(other.limits_),
      exclusions_(std::move(other.exclusions_)) {}
log_folder& log_folder::operator=(log_folder&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(limits_, other.limits_);
  std::swap(exclusions_, other.exclusions_);
  return *this;
}

outcome<log_file_list> log_folder::list(std::optional<time_us> since) const {
  lister all(limits_, exclusions_, since);
  all.walk(fd_, "", 0);
  std::sort(all.result.files.begin(), all.result.files.end(),
            [](const log_file& a, const log_file& b) { return a.name < b.name; });
  return std::move(all.result);
}

outcome<log_file_reading> log_folder::read(
    const std::string& name, std::optional<time_us> since,
    const std::function<bool(std::string_view)>& receive) const {
  const auto parts = parts_of(name);
  if (!parts) return parts.error();
  const auto file = open_below(fd_, *parts, exclusions_);
  if (!file) return file.error();
  struct stat info {};
  if (::fstat(file->get(), &info) != 0) return no_file(errno);
  if (!S_ISREG(info.st_mode)) {
    return reject(errc::forbidden, "only regular files are read", "/files");
  }
  log_file_reading done;
  if (since && modified_at(info) < *since) {
    done.unchanged = true;
    return done;
  }
  std::vector<char> chunk(chunk_bytes);
  const auto begin = ::pread(file->get(), chunk.data(), looked_at_bytes, 0);
  if (begin < 0) return no_file(errno);
  done.no_text = what_is_no_text({chunk.data(), static_cast<std::size_t>(begin)});
  if (!done.no_text.empty()) return done;
  line_splitter lines(limits_.line_bytes, receive, done);
  std::int64_t at = std::max<std::int64_t>(0, info.st_size - limits_.file_bytes);
  if (at > 0) {
    done.truncated = true;
    --at;  // With the byte before: if it is a newline, the line after it is whole.
    lines.skip_first();
  }
  while (at < info.st_size) {
    const auto wanted = std::min<std::int64_t>(chunk_bytes, info.st_size - at);
    const auto got = ::pread(file->get(), chunk.data(), static_cast<std::size_t>(wanted), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return no_file(errno);
    if (got == 0) break;  // it was cut meanwhile
    at += got;
    done.bytes += got;
    if (!lines.take({chunk.data(), static_cast<std::size_t>(got)})) {
      done.stopped = true;
      return done;
    }
  }
  done.stopped = !lines.finish();
  return done;
}

}  // namespace reeve::adapters
