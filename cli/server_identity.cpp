#include "cli/server_identity.hpp"

#include "base/files.hpp"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace reeve::cli {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto between_tries = 10ms;

/// Whether the descriptor is still the file of that name.
bool is_at(int file, const std::string& path) {
  struct stat held {
  }, named{};
  return ::fstat(file, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

/// Where the file was made: a copy of the folder is another server's, on this machine or another.
/// After a restart of the machine it is another one too, which costs one lease.
std::string place_of(const std::string& path) {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  struct stat folder {};
  const auto parent = std::filesystem::path(path).parent_path().string();
  (void)::stat(parent.empty() ? "." : parent.c_str(), &folder);
  return boot + " " + std::to_string(folder.st_dev) + ":" + std::to_string(folder.st_ino);
}

}  // namespace

/// The lock is the file's. One that is empty is replaced under it by one with an id, and whoever
/// holds the lock of a file that was replaced holds nothing.
outcome<server_identity> server_identity::take(const std::string& path, id_source& ids,
                                               std::chrono::milliseconds patience) {
  const auto until = steady_clock::now() + patience;
  for (;;) {
    server_identity taken;
    taken.file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (taken.file_ < 0) return reject(errc::invalid, path + " cannot be written");
    if (::flock(taken.file_, LOCK_EX | LOCK_NB) != 0) {
      if (steady_clock::now() < until) {
        std::this_thread::sleep_for(between_tries);
        continue;
      }
      return reject(errc::conflict, "another server runs on this data folder: it holds " + path);
    }
    if (!is_at(taken.file_, path)) continue;
    const auto found = read_small_file(path, 256);
    if (!found || !*found) return reject(errc::invalid, path + " holds no server's id");
    const auto& text = **found;
    const auto line = text.find('\n');
    const auto known = parse_uuid(text.substr(0, line));
    if (!text.empty() && !known) return reject(errc::invalid, path + " holds no server's id");
    const auto place = place_of(path) + "\n";
    if (text.empty() || line == text.npos || text.substr(line + 1) != place) {
      auto made = write_small_file(path, to_string(ids.next()) + "\n" + place);
      if (!made) return made.error();
      continue;
    }
    taken.id_ = *known;
    return taken;
  }
}

bool server_identity::is_held(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  // Shared, so that two who look at once do not take each other for a server.
  const bool held = ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  return held;
}

server_identity::~server_identity() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace reeve::cli
