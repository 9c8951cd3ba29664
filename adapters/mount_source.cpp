#include "adapters/mount_source.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace reeve::adapters {

bool may_mount(const std::string& source, const std::vector<std::string>& roots) {
  std::error_code missing;
  const auto real = std::filesystem::canonical(source, missing);
  if (missing || real.string() != source) return false;
  return std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
    return source == root || source.starts_with(root == "/" ? root : root + "/");
  });
}

}  // namespace reeve::adapters
