#include "cli/jobs_door.hpp"

#include "adapters/engine_port.hpp"
#include "adapters/mount_source.hpp"
#include "base/local_socket.hpp"

#include <filesystem>
#include <sys/stat.h>

namespace reeve::cli {
namespace {

namespace fs = std::filesystem;

rejection bad(const std::string& folder, const std::string& why) {
  return reject(errc::invalid, "llm_socket_folder: " + folder + " " + why, "llm_socket_folder");
}

}  // namespace

std::string socket_in(const std::string& folder) {
  return folder + "/" + std::string(adapters::llm_socket_name);
}

outcome<std::string> jobs_door_of(const config& c) {
  std::error_code failed;
  const auto given = c.llm_socket_folder.empty() ? c.data + "/llm" : c.llm_socket_folder;
  auto folder = fs::weakly_canonical(fs::absolute(given, failed), failed).string();
  if (failed) return bad(given, "cannot be looked at: " + failed.message());
  if (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  if (socket_in(folder).size() > most_socket_path) {
    const auto most = most_socket_path - socket_in("").size();
    return bad(folder, "is too long for a socket: at most " + std::to_string(most) + " bytes");
  }
  return folder;
}

/// Jobs have users of their own, who must get through it; the folder of data above it stays closed.
outcome<done> make_jobs_door(const std::string& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return bad(folder, "cannot be made: " + failed.message());
  if (fs::canonical(folder, failed) != folder || failed) return bad(folder, "is behind a link");
  fs::directory_iterator all(folder, failed);
  if (failed) return bad(folder, "cannot be listed: " + failed.message());
  for (; all != fs::directory_iterator(); all.increment(failed)) {
    if (all->path().filename() != adapters::llm_socket_name) {
      return bad(folder, "holds something else, which jobs would see");
    }
  }
  if (failed) return bad(folder, "cannot be listed: " + failed.message());
  if (!adapters::stays_in_place(folder)) {
    return bad(folder, "lies below a folder in which others may write");
  }
  if (::chmod(folder.c_str(), 0711) != 0) return bad(folder, "is not this user's own");
  return done{};
}

}  // namespace reeve::cli
