#include "cli/server_identity.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace reeve::cli {

outcome<server_identity> server_identity::take(const std::string& path, id_source& ids) {
  server_identity taken;
  taken.file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (taken.file_ < 0) return reject(errc::unavailable, path + " cannot be written");
  if (::flock(taken.file_, LOCK_EX | LOCK_NB) != 0) {
    return reject(errc::conflict, "another server runs on this data folder: it holds " + path);
  }
  std::string text(64, '\0');
  const auto size = ::pread(taken.file_, text.data(), text.size(), 0);
  if (size < 0) return reject(errc::unavailable, path + " cannot be read");
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('\n')) text.pop_back();
  if (!text.empty()) {
    const auto known = parse_uuid(text);
    if (!known) return reject(errc::invalid, path + " holds no server's id");
    taken.id_ = *known;
    return taken;
  }
  taken.id_ = ids.next();
  const auto line = to_string(taken.id_) + "\n";
  const auto written = ::pwrite(taken.file_, line.data(), line.size(), 0);
  if (written != static_cast<ssize_t>(line.size()) || ::fsync(taken.file_) != 0) {
    return reject(errc::unavailable, path + " cannot be written");
  }
  return taken;
}

server_identity::~server_identity() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace reeve::cli
