#include "actors/runs/ready_queue.hpp"

namespace reeve::actors {

namespace {

/// An eighth is always left to others.
std::int64_t share_of(std::int64_t all) {
  return all - all / 8;
}

}  // namespace

ready_queue::sums ready_queue::of(const uuid& tenant) const {
  const auto found = by_tenant_.find(tenant);
  return found == by_tenant_.end() ? sums{} : found->second;
}

bool ready_queue::has_share(const uuid& tenant) const {
  const auto its = of(tenant);
  return its.held >= share_of(places_) || its.starting >= share_of(starts_);
}

void ready_queue::hold(owner by, const uuid& tenant, const uuid& job, bool starting) {
  if (!held_.emplace(holder(by, job), spot{tenant, starting}).second) return;
  auto& its = by_tenant_[tenant];
  ++its.held;
  if (!starting) return;
  ++its.starting;
  ++starting_;
}

void ready_queue::set_started(spot& its) {
  if (!std::exchange(its.starting, false)) return;
  --by_tenant_[its.tenant].starting;
  --starting_;
}

ready_queue::places::iterator ready_queue::drop(places::iterator place) {
  set_started(place->second);
  const auto its = by_tenant_.find(place->second.tenant);
  if (--its->second.held == 0) by_tenant_.erase(its);
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
  if (!is_full() && !has_share(what.tenant) && !waiting_.contains(what.tenant)) {
    hold(what.by, what.tenant, what.job, true);
    return true;
  }
  auto& line = waiting_[what.tenant];
  line.emplace(key{-what.priority, what.since, next_++}, std::move(what));
  return false;
}

void ready_queue::take(owner by, const uuid& tenant, const uuid& job) {
  std::lock_guard lock(mutex_);
  hold(by, tenant, job, false);
}

void ready_queue::started(owner by, const uuid& job) {
  std::vector<std::function<void()>> turns;
  {
    std::lock_guard lock(mutex_);
    const auto place = held_.find({by, job});
    if (place == held_.end() || !place->second.starting) return;
    set_started(place->second);
    turns = advance();
  }
  for (auto& turn : turns) turn();
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
    return std::tuple(of(one.first).held, since, number);
  };
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (has_share(it->first)) continue;
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
    hold(its.by, its.tenant, its.job, true);
    turns.push_back(std::move(its.turn));
  }
  return turns;
}

}  // namespace reeve::actors
