#include "actors/runs/ready_queue.hpp"

namespace reeve::actors {

std::int64_t ready_queue::held_of(const uuid& tenant) const {
  const auto found = held_by_tenant_.find(tenant);
  return found == held_by_tenant_.end() ? 0 : found->second;
}

void ready_queue::hold(owner by, const uuid& tenant, const uuid& job) {
  if (held_.emplace(holder(by, job), tenant).second) ++held_by_tenant_[tenant];
}

ready_queue::places::iterator ready_queue::drop(places::iterator place) {
  const auto of = held_by_tenant_.find(place->second);
  if (--of->second == 0) held_by_tenant_.erase(of);
  return held_.erase(place);
}

template <class Which>
void ready_queue::drop_waiting(const Which& which) {
  for (auto& [tenant, line] : waiting_) {
    std::erase_if(line, [&](const auto& one) { return which(one.second); });
  }
  std::erase_if(waiting_, [](const auto& one) { return one.second.empty(); });
}

bool ready_queue::ask(request what) {
  std::lock_guard lock(mutex_);
  // Whoever waits while a place is free may have no more.
  if (!is_full() && held_of(what.tenant) < share_ && !waiting_.contains(what.tenant)) {
    hold(what.by, what.tenant, what.job);
    return true;
  }
  auto& line = waiting_[what.tenant];
  line.emplace(key{-what.priority, what.since, next_++}, std::move(what));
  return false;
}

void ready_queue::take(owner by, const uuid& tenant, const uuid& job) {
  std::lock_guard lock(mutex_);
  hold(by, tenant, job);
}

void ready_queue::give_back(owner by, const uuid& job) {
  std::vector<std::function<void()>> turns;
  {
    std::lock_guard lock(mutex_);
    const auto place = held_.find({by, job});
    if (place != held_.end()) {
      drop(place);
    } else {
      drop_waiting([&](const request& one) { return one.by == by && one.job == job; });
    }
    turns = advance();
  }
  for (auto& turn : turns) turn();
}

void ready_queue::leave(owner by) {
  std::vector<std::function<void()>> turns;
  {
    std::lock_guard lock(mutex_);
    // Its places stand together.
    auto place = held_.lower_bound({by, uuid{}});
    while (place != held_.end() && place->first.first == by) place = drop(place);
    drop_waiting([by](const request& one) { return one.by == by; });
    turns = advance();
  }
  for (auto& turn : turns) turn();
}

std::size_t ready_queue::waiting() const {
  std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [tenant, line] : waiting_) count += line.size();
  return count;
}

/// The end if all who wait have their share.
std::map<uuid, ready_queue::line>::iterator ready_queue::next_line() {
  auto best = waiting_.end();
  const auto rank = [this](const auto& one) {
    const auto& [priority, since, number] = one.second.begin()->first;
    return std::tuple(held_of(one.first), since, number);
  };
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (held_of(it->first) >= share_) continue;
    if (best == waiting_.end() || rank(*it) < rank(*best)) best = it;
  }
  return best;
}

std::vector<std::function<void()>> ready_queue::advance() {
  std::vector<std::function<void()>> turns;
  while (!is_full()) {
    const auto next = next_line();
    if (next == waiting_.end()) break;
    auto first = next->second.extract(next->second.begin());
    if (next->second.empty()) waiting_.erase(next);
    auto& its = first.mapped();
    hold(its.by, its.tenant, its.job);
    turns.push_back(std::move(its.turn));
  }
  return turns;
}

}  // namespace reeve::actors
