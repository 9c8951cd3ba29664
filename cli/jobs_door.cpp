#include "cli/jobs_door.hpp"

#include "adapters/engine_port.hpp"
#include "adapters/mount_source.hpp"
#include "base/local_socket.hpp"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace reeve::cli {
namespace {

namespace fs = std::filesystem;

rejection bad(const std::string& folder, const std::string& why) {
  return reject(errc::invalid, "llm_socket_folder: " + folder + " " + why, "llm_socket_folder");
}

/// Without links, as far as it is there, and without a slash at its end.
std::string resolved(const std::string& path, std::error_code& failed) {
  auto folder = fs::weakly_canonical(fs::absolute(path, failed), failed).string();
  if (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  return folder;
}

bool is_own(const std::string& folder) {
  struct stat about {};
  return ::stat(folder.c_str(), &about) == 0 && about.st_uid == ::geteuid();
}

constexpr const char* not_own = "is not this user's own";

outcome<done> judge_what_is_there(const std::string& folder) {
  std::error_code failed;
  if (fs::canonical(folder, failed) != folder || failed) return bad(folder, "is behind a link");
  if (!fs::is_directory(folder, failed)) return bad(folder, "is no folder");
  if (!is_own(folder)) return bad(folder, not_own);
  fs::directory_iterator all(folder, failed);
  if (failed) return bad(folder, "cannot be listed: " + failed.message());
  for (; all != fs::directory_iterator(); all.increment(failed)) {
    const bool is_socket = all->path().filename() == adapters::llm_socket_name &&
                           fs::is_socket(all->symlink_status(failed));
    if (!is_socket) return bad(folder, "holds something else, which jobs would see");
  }
  if (failed) return bad(folder, "cannot be listed: " + failed.message());
  return done{};
}

/// As far as can be told without making or changing anything. `to_stay` is what nobody else may put
/// something into the place of.
outcome<done> judge(const std::string& folder, const std::string& to_stay) {
  if (!adapters::stays_in_place(to_stay)) {
    return bad(folder, "lies below a folder in which others may write");
  }
  std::error_code failed;
  if (fs::exists(fs::symlink_status(folder, failed))) return judge_what_is_there(folder);
  auto above = fs::path(folder).parent_path();
  while (above != above.root_path() && !fs::exists(above, failed)) above = above.parent_path();
  if (fs::is_directory(above, failed) && ::access(above.c_str(), W_OK | X_OK) == 0) return done{};
  return bad(folder, "cannot be made: " + above.string() + " is not a folder that may be written");
}

}  // namespace

std::string socket_in(const std::string& folder) {
  return folder + "/" + std::string(adapters::llm_socket_name);
}

outcome<std::string> jobs_door_of(const config& c) {
  std::error_code failed;
  const auto given = c.llm_socket_folder.empty() ? c.data + "/llm" : c.llm_socket_folder;
  auto folder = resolved(given, failed);
  if (failed) return bad(given, "cannot be looked at: " + failed.message());
  if (socket_in(folder).size() > most_socket_path) {
    const auto most = most_socket_path - socket_in("").size();
    return bad(folder, "is too long for a socket: at most " + std::to_string(most) + " bytes");
  }
  return folder;
}

outcome<std::string> fit_jobs_door(const config& c) {
  auto folder = jobs_door_of(c);
  if (!folder) return folder;
  std::error_code failed;
  const auto data = resolved(c.data, failed);
  // The start keeps others out of it, whatever its mode is now.
  const bool is_kept = !failed && fs::path(*folder).parent_path() == data && is_own(data);
  if (auto ok = judge(*folder, is_kept ? data : *folder); !ok) return ok.error();
  return folder;
}

/// Jobs have users of their own, who must get through it; the folder of data above it stays closed.
/// What others may have put into it is looked for when they can put nothing more.
outcome<done> make_jobs_door(const std::string& folder) {
  if (auto ok = judge(folder, folder); !ok) return ok;
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return bad(folder, "cannot be made: " + failed.message());
  // By this name it is ours, so that no other folder's mode is changed.
  if (auto ok = judge(folder, folder); !ok) return ok;
  if (::chmod(folder.c_str(), 0711) != 0) return bad(folder, not_own);
  return judge(folder, folder);
}

}  // namespace reeve::cli
