#include "cli/act_as.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace reeve::cli {

outcome<done> act_as_owner_of(const std::string& folder) {
  struct stat seen {};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &seen) != 0 || seen.st_uid == 0) return done{};
  // The user's own groups, not root's; who has no name has only the folder's group.
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> text(16'384);
  ::getpwuid_r(seen.st_uid, &entry, text.data(), text.size(), &found);
  const gid_t group = found != nullptr ? entry.pw_gid : seen.st_gid;
  const bool groups =
      found != nullptr ? ::initgroups(entry.pw_name, group) == 0 : ::setgroups(1, &group) == 0;
  if (groups && ::setresgid(group, group, group) == 0 &&
      ::setresuid(seen.st_uid, seen.st_uid, seen.st_uid) == 0) {
    return done{};
  }
  return reject(errc::unavailable, "cannot go on as the user that " + folder + " belongs to");
}

}  // namespace reeve::cli
