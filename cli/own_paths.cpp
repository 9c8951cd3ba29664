#include "cli/own_paths.hpp"

#include "cli/config_table.hpp"
#include "cli/database.hpp"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace reeve::cli {
namespace {

/// Where this process writes, if that is a file with a name.
std::string file_behind(int descriptor) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return {};
  std::error_code failed;
  const auto link = "/proc/self/fd/" + std::to_string(descriptor);
  auto path = std::filesystem::read_symlink(link, failed).string();
  return failed || !path.starts_with('/') ? std::string() : path;
}

}  // namespace

std::vector<std::string> own_paths(const config& c, const domain::llm_settings& llm) {
  std::vector<std::string> all(std::begin(engine_folders), std::end(engine_folders));
  const auto add = [&all](const std::vector<std::string>& some) {
    all.insert(all.end(), some.begin(), some.end());
  };
  for (const auto& one : settings()) {
    if (one.paths) add(one.paths(c));
  }
  add(c.read_files);
  add({cluster_folder(c), file_behind(STDOUT_FILENO), file_behind(STDERR_FILENO)});
  for (const auto& upstream : llm.upstreams) add({upstream.key_file.value_or("")});
  std::erase(all, std::string());
  return all;
}

}  // namespace reeve::cli
