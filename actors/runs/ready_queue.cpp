#include "actors/runs/ready_queue.hpp"

namespace reeve::actors {

bool ready_queue::ask(request what) {
  std::lock_guard lock(mutex_);
  const bool room = static_cast<std::int64_t>(held_.size()) < places_;
  if (room && waiting_.empty()) {
    held_.emplace(what.by, what.job);
    return true;
  }
  waiting_.emplace(key{-what.priority, what.since, next_++}, std::move(what));
  return false;
}

void ready_queue::take(owner by, const uuid& job) {
  std::lock_guard lock(mutex_);
  held_.emplace(by, job);
}

void ready_queue::give_back(owner by, const uuid& job) {
  std::vector<std::function<void()>> turns;
  {
    std::lock_guard lock(mutex_);
    held_.erase({by, job});
    std::erase_if(waiting_,
                  [&](const auto& one) { return one.second.by == by && one.second.job == job; });
    turns = advance();
  }
  for (auto& turn : turns) turn();
}

void ready_queue::leave(owner by) {
  std::vector<std::function<void()>> turns;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(held_, [&](const auto& one) { return one.first == by; });
    std::erase_if(waiting_, [&](const auto& one) { return one.second.by == by; });
    turns = advance();
  }
  for (auto& turn : turns) turn();
}

std::size_t ready_queue::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::vector<std::function<void()>> ready_queue::advance() {
  std::vector<std::function<void()>> turns;
  while (!waiting_.empty() && static_cast<std::int64_t>(held_.size()) < places_) {
    auto first = waiting_.extract(waiting_.begin());
    held_.emplace(first.mapped().by, first.mapped().job);
    turns.push_back(std::move(first.mapped().turn));
  }
  return turns;
}

}  // namespace reeve::actors
