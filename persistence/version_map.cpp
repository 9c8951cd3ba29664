#include "persistence/version_map.hpp"

namespace reeve::persistence {

std::optional<version_map::entry> version_map::find(std::string_view stream) {
  const auto found = by_name_.find(stream);
  if (found == by_name_.end()) return std::nullopt;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->value;
}

void version_map::put(std::string_view stream, entry value) {
  const auto found = by_name_.find(stream);
  if (found != by_name_.end()) {
    found->second->value = value;
    order_.splice(order_.begin(), order_, found->second);
    return;
  }
  order_.push_front({std::string(stream), value});
  by_name_.emplace(order_.front().stream, order_.begin());
  if (by_name_.size() > max_) {
    by_name_.erase(order_.back().stream);
    order_.pop_back();
  }
}

void version_map::forget(std::string_view stream) {
  const auto found = by_name_.find(stream);
  if (found == by_name_.end()) return;
  const auto node = found->second;
  by_name_.erase(found);
  order_.erase(node);
}

}  // namespace reeve::persistence
