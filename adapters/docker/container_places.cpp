#include "adapters/docker/container_places.hpp"

#include "adapters/docker/container_rules.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

namespace reeve::adapters {
namespace {

/// 60 volumes of an image and 32 mounts, rarely more than a few folders deep.
constexpr std::size_t most_places = 512;

bool is_below(std::string_view path, std::string_view folder) {
  return path != folder && is_at_or_below(path, folder);
}

std::string plain(const std::string& path) {
  auto text = std::filesystem::path("/").append(path).lexically_normal().string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

rejection wrong(std::string why, const std::string& path) {
  return reject(errc::invalid, why + ": " + path);
}

}  // namespace

outcome<std::vector<std::string>> places_of(const container_spec& spec,
                                            const std::vector<container_mount>& mounts) {
  std::set<std::string> asked(spec.image_volumes.begin(), spec.image_volumes.end());
  for (const auto& mount : spec.mounts) asked.insert(mount.target);
  const std::string ours(volume_target);
  bool has_ours = false, has_door = spec.llm_folder.empty();
  std::set<std::string> found, places;
  for (const auto& mount : mounts) {
    const auto target = plain(mount.target);
    if (target == ours && mount.volume == spec.volume && !std::exchange(has_ours, true)) continue;
    if (target == llm_path && mount.volume.empty() && !std::exchange(has_door, true)) continue;
    if (target == ours || is_below(target, ours) || is_below(ours, target)) {
      return wrong("something is mounted over the attempt's volume", target);
    }
    if (!asked.contains(target) || !found.insert(target).second) {
      return wrong("something is mounted that was not asked for", target);
    }
    const bool is_in_mount =
        std::any_of(spec.mounts.begin(), spec.mounts.end(),
                    [&](const auto& folder) { return is_below(target, folder.target); });
    if (is_in_mount) return wrong("a mount lies in another one", target);
    for (auto at = target; at.size() > 1; at = at.substr(0, at.rfind('/'))) places.insert(at);
  }
  if (!has_ours) return wrong("the attempt's volume is not mounted", ours);
  if (!has_door) return wrong("a mount is missing", std::string(llm_path));
  for (const auto& target : asked) {
    if (!found.contains(target)) return wrong("a mount is missing", target);
  }
  if (places.size() > most_places) return wrong("too many mounts", spec.name);
  if (!places.empty()) places.insert(ours);
  return std::vector<std::string>(places.begin(), places.end());
}

}  // namespace reeve::adapters
