#include "actors/runs/orphan_watch.hpp"

#include "actors/runs/spare_volumes.hpp"
#include "domain/access/container_names.hpp"

#include <charconv>
#include <set>
#include <utility>

namespace reeve::actors {

bool is_named_by_its_labels(const adapters::container_summary& container) {
  const auto label = [&](const char* key) -> std::string {
    const auto found = container.labels.find(key);
    return found == container.labels.end() ? "" : found->second;
  };
  if (!label("reeve.spare").empty()) return container.name.starts_with(spare_prefix);
  const auto tenant = parse_uuid(label("reeve.tenant"));
  const auto job = parse_uuid(label("reeve.job"));
  const auto attempt = label("reeve.attempt");
  std::int64_t number = 0;
  const auto* end = attempt.data() + attempt.size();
  const bool whole = std::from_chars(attempt.data(), end, number).ptr == end;
  return tenant && job && whole &&
         container.name == domain::container_name_of(*tenant, *job, number);
}

std::vector<stray> strays_of(const std::vector<adapters::container_summary>& containers,
                             const std::vector<adapters::volume_summary>& volumes,
                             const std::function<bool(const adapters::label_map&)>& owned) {
  std::vector<stray> found;
  std::set<std::string_view> names;
  for (const auto& c : containers) {
    names.insert(c.name);
    names.insert(c.volumes.begin(), c.volumes.end());
    if (is_named_by_its_labels(c) && !owned(c.labels)) found.push_back({c.id, c.name});
  }
  for (const auto& v : volumes) {
    if (!owned(v.labels) && !names.contains(v.name)) found.push_back({"", v.name});
  }
  return found;
}

orphan_watch::verdict orphan_watch::look(const std::vector<stray>& found, std::int64_t now_us) {
  verdict result;
  std::map<std::string, std::int64_t> still;
  for (const auto& one : found) {
    const auto key = one.container_id.empty() ? "/" + one.name : one.container_id;
    const auto seen = first_seen_.find(key);
    still[key] = seen == first_seen_.end() ? now_us : seen->second;
    if (seen == first_seen_.end()) {
      result.fresh.push_back(one);
    } else if (now_us - seen->second >= quarantine_us_) {
      result.due.push_back(one);
    }
  }
  first_seen_ = std::move(still);
  return result;
}

}  // namespace reeve::actors
