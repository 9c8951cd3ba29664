#pragma once
// What of ours lies on the engine and belongs to nobody: kept aside when it is first seen, due for
// removal when it is still there in a later look, long enough after the first. A removal that did
// not work is due again with each look, and nothing is told twice. Pure.

#include "adapters/engine_port.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace reeve::actors {

struct stray {
  std::string container_id;  // empty: a volume
  std::string name;
  bool operator==(const stray&) const = default;
};

/// Whether a container has the name that Reeve gives to one with its labels. A copy of a container
/// keeps the labels (`docker commit`), and it is somebody else's.
bool is_named_by_its_labels(const adapters::container_summary& container);

/// Containers and volumes that nobody owns; `owned` judges by the labels. A volume that a container
/// has, or whose name it has, is not listed: it is the container that decides. Containers that are
/// not named by their labels are others'.
std::vector<stray> strays_of(const std::vector<adapters::container_summary>& containers,
                             const std::vector<adapters::volume_summary>& volumes,
                             const std::function<bool(const adapters::label_map&)>& owned);

class orphan_watch {
 public:
  explicit orphan_watch(std::int64_t quarantine_us) : quarantine_us_(quarantine_us) {}

  struct verdict {
    std::vector<stray> fresh;  // first seen: to be told
    std::vector<stray> due;    // to be removed
  };
  /// `found` is everything of one look, at a monotonic time; what is gone from it is forgotten.
  verdict look(const std::vector<stray>& found, std::int64_t now_us);

 private:
  std::int64_t quarantine_us_;
  std::map<std::string, std::int64_t> first_seen_;  // by container id, or "/" and a volume's name
};

}  // namespace reeve::actors
