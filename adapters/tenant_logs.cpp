#include "adapters/tenant_logs.hpp"

#include <algorithm>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace reeve::adapters {
namespace {

namespace fs = std::filesystem;

std::vector<file_identity> kept_out_of(const log_places& places) {
  std::vector<file_identity> all;
  struct stat info {};
  for (const auto* paths : {&places.kept_out, &places.closed}) {
    for (const auto& path : *paths) {
      if (::stat(path.c_str(), &info) == 0) all.push_back({info.st_dev, info.st_ino});
    }
  }
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
      all.push_back({info.st_dev, info.st_ino});
    }
  }
  return all;
}

/// Both as they are without links. What is not there holds nothing.
bool lies_in(const std::string& path, const std::string& folder) {
  std::error_code failed;
  const auto inner = fs::canonical(path, failed);
  if (failed) return false;
  const auto outer = fs::canonical(folder, failed);
  if (failed) return false;
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace

outcome<std::unique_ptr<log_files>> open_tenant_logs(const log_places& places, const uuid& tenant,
                                                     bool has_root, log_file_limits limits) {
  const auto closed = [&](const std::string& folder) { return lies_in(places.logs, folder); };
  if (std::any_of(places.closed.begin(), places.closed.end(), closed)) {
    return reject(errc::unavailable, "the log folder lies in a folder of the server's own");
  }
  auto shared = log_folder::open(places.logs, limits, {kept_out_of(places), has_root});
  if (!shared) return shared.error();
  if (has_root) {
    return std::unique_ptr<log_files>(std::make_unique<log_folder>(std::move(*shared)));
  }
  auto own = shared->folder(to_string(tenant));
  if (!own) return own.error();
  return std::unique_ptr<log_files>(std::make_unique<log_folder>(std::move(*own)));
}

}  // namespace reeve::adapters
