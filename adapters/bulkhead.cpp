#include "adapters/bulkhead.hpp"

namespace reeve::adapters {
namespace {

rejection turned_away(const char* why, errc code = errc::engine_unavailable) {
  return reject(code, std::string{"the call was not sent: "} + why);
}

rejection too_many(const char* why) {
  return turned_away(why, errc::overloaded);
}

}  // namespace

bulkhead::bulkhead(bulkhead_limits limits, std::uint64_t jitter_seed, clock now,
                   circuit_breaker::listener on_change)
    : limits_(limits),
      now_(std::move(now)),
      on_change_(std::move(on_change)),
      breaker_({}, jitter_seed, [this](breaker_state from, breaker_state to) {
        changes_.push_back({from, to});
      }) {}

void bulkhead::enter(job what) {
  actions next;
  {
    std::unique_lock lock{mutex_};
    const auto mine = queues_.find(what.flow);
    bool full = mine != queues_.end() && mine->second.size() >= limits_.queued;
    if (closed_ || full) {
      lock.unlock();
      what.refuse(full ? too_many("too many calls are waiting") : turned_away("the server stops"));
      return;
    }
    auto& queue = queues_[what.flow];
    queue.push_back(std::move(what));
    advance(next);
  }
  perform(next);
}

void bulkhead::finish(ticket call, verdict result) {
  actions next;
  {
    std::lock_guard lock{mutex_};
    --under_way_;
    record(call, result);
    advance(next);
  }
  perform(next);
}

outcome<bulkhead::ticket> bulkhead::admit_long() {
  std::lock_guard lock{mutex_};
  if (closed_) return turned_away("the server stops");
  if (long_under_way_ >= limits_.long_at_once) return too_many("too many calls wait for an end");
  const auto admitted = breaker_.admit(now_(), false);
  if (!admitted) return turned_away("the circuit breaker is open");
  ++long_under_way_;
  return *admitted;
}

void bulkhead::finish_long(ticket call, verdict result) {
  actions next;
  {
    std::lock_guard lock{mutex_};
    --long_under_way_;
    record(call, result);
    advance(next);
  }
  perform(next);
}

void bulkhead::trip() {
  actions next;
  {
    std::lock_guard lock{mutex_};
    breaker_.trip(now_());
    advance(next);
  }
  perform(next);
}

void bulkhead::reset() {
  actions next;
  {
    std::lock_guard lock{mutex_};
    breaker_.reset();
    advance(next);
  }
  perform(next);
}

void bulkhead::close() {
  actions next;
  {
    std::lock_guard lock{mutex_};
    closed_ = true;
    advance(next);
  }
  perform(next);
}

breaker_state bulkhead::state() const {
  std::lock_guard lock{mutex_};
  return breaker_.state();
}

void bulkhead::record(ticket call, verdict result) {
  switch (result) {
    case verdict::success:
      return breaker_.succeeded(call, now_());
    case verdict::failure:
      return breaker_.failed(call, now_());
    case verdict::neither:
      return breaker_.dropped(call);
  }
}

/// The flow behind the last one in turn, and there the oldest.
bulkhead::job bulkhead::next() {
  auto turn = queues_.upper_bound(last_flow_);
  if (turn == queues_.end()) turn = queues_.begin();
  last_flow_ = turn->first;
  auto first = std::move(turn->second.front());
  turn->second.pop_front();
  if (turn->second.empty()) queues_.erase(turn);
  return first;
}

void bulkhead::advance(actions& out) {
  while (!queues_.empty() && (closed_ || under_way_ < limits_.at_once)) {
    auto first = next();
    auto admitted = closed_ ? std::nullopt : breaker_.admit(now_());
    if (admitted) {
      ++under_way_;
      out.run.emplace_back(std::move(first), *admitted);
    } else {
      out.refuse.push_back(std::move(first));
    }
  }
  out.changes = std::exchange(changes_, {});
}

void bulkhead::perform(actions& what) {
  for (const auto& one : what.changes) {
    if (on_change_) on_change_(one.from, one.to);
  }
  for (auto& one : what.refuse) one.refuse(turned_away("the circuit breaker is open"));
  for (auto& [one, call] : what.run) one.run(call);
}

}  // namespace reeve::adapters
