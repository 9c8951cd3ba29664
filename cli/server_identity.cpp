#include "cli/server_identity.hpp"

#include "base/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reeve::cli {
namespace {

/// Whether the descriptor is still the file of that name.
bool is_at(int file, const std::string& path) {
  struct stat held {
  }, named{};
  return ::fstat(file, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

}  // namespace

/// The lock is the file's. One that is empty is replaced under it by one with an id, and whoever
/// holds the lock of a file that was replaced holds nothing.
outcome<server_identity> server_identity::take(const std::string& path, id_source& ids) {
  for (;;) {
    server_identity taken;
    taken.file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (taken.file_ < 0) return reject(errc::unavailable, path + " cannot be written");
    if (::flock(taken.file_, LOCK_EX | LOCK_NB) != 0) {
      return reject(errc::conflict, "another server runs on this data folder: it holds " + path);
    }
    if (!is_at(taken.file_, path)) continue;
    const auto found = read_small_file(path, 64);
    if (!found || !*found) return reject(errc::invalid, path + " holds no server's id");
    auto text = **found;
    while (text.ends_with('\n')) text.pop_back();
    if (text.empty()) {
      auto made = write_small_file(path, to_string(ids.next()) + "\n");
      if (!made) return made.error();
      continue;
    }
    const auto known = parse_uuid(text);
    if (!known) return reject(errc::invalid, path + " holds no server's id");
    taken.id_ = *known;
    return taken;
  }
}

server_identity::~server_identity() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace reeve::cli
