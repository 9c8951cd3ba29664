#include "actors/runs/run_ports.hpp"

namespace reeve::actors {

void run_registry::enter(const uuid& tenant, const uuid& run, caf::actor handle) {
  std::lock_guard lock(mutex_);
  runs_[run] = {tenant, std::move(handle)};
}

void run_registry::leave(const uuid& run, const caf::actor_addr& handle) {
  std::lock_guard lock(mutex_);
  auto it = runs_.find(run);
  if (it != runs_.end() && it->second.handle.address() == handle) runs_.erase(it);
}

caf::actor run_registry::find(const uuid& run) const {
  std::lock_guard lock(mutex_);
  auto it = runs_.find(run);
  return it == runs_.end() ? caf::actor() : it->second.handle;
}

std::optional<uuid> run_registry::tenant_of(const uuid& run) const {
  std::lock_guard lock(mutex_);
  auto it = runs_.find(run);
  return it == runs_.end() ? std::nullopt : std::optional(it->second.tenant);
}

std::vector<caf::actor> run_registry::all() const {
  std::lock_guard lock(mutex_);
  std::vector<caf::actor> handles;
  handles.reserve(runs_.size());
  for (const auto& [id, entry] : runs_) handles.push_back(entry.handle);
  return handles;
}

std::set<uuid> run_registry::ids() const {
  std::lock_guard lock(mutex_);
  std::set<uuid> ids;
  for (const auto& [id, entry] : runs_) ids.insert(id);
  return ids;
}

std::size_t run_registry::size() const {
  std::lock_guard lock(mutex_);
  return runs_.size();
}

}  // namespace reeve::actors
