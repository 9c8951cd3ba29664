#include "persistence/projection_board.hpp"

#include "base/metrics.hpp"

#include <algorithm>
#include <utility>

namespace reeve::persistence {
namespace {

constexpr auto longest_wait = std::chrono::seconds(1);
constexpr projection_state states[] = {projection_state::live, projection_state::building,
                                       projection_state::stale};

rejection refused(const projection& which, projection_state state) {
  const auto* why = state == projection_state::stale ? "could not be kept up to date"
                                                     : "is being built from the log";
  return reject(errc::unavailable, "the read model " + std::string(which.name) + " " + why);
}

}  // namespace

std::string_view name_of(projection_state state) {
  switch (state) {
    case projection_state::live:
      return "live";
    case projection_state::building:
      return "building";
    case projection_state::stale:
      return "stale";
  }
  return "stale";
}

projection_board::projection_board() {
  for (const auto* one : projections()) {
    entries_.emplace_back();
    entries_.back().now.of = one;
    tell(entries_.back());
  }
}

projection_status projection_board::seen(const entry& which) {
  auto status = which.now;
  if (which.is_held) status.state = projection_state::stale;
  return status;
}

void projection_board::tell(const entry& which) const {
  const auto now = seen(which);
  for (const auto state : states) {
    process_metrics()
        .gauge("reeve_projection_state", "1 for the state that a read model is in",
               {{"projection", std::string(now.of->name)}, {"state", std::string(name_of(state))}})
        .set(now.state == state ? 1 : 0);
  }
}

std::vector<projection_status> projection_board::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<projection_status> list;
  for (const auto& one : entries_) list.push_back(seen(one));
  return list;
}

projection_status projection_board::of(const projection& which) const {
  const std::lock_guard lock(mutex_);
  return seen(entries_[index_of(which)]);
}

std::optional<rejection> projection_board::refusal(const projection& which) const {
  const auto now = of(which);
  if (!now.is_served) return refused(which, projection_state::building);
  if (now.state == projection_state::stale) return refused(which, projection_state::stale);
  return std::nullopt;
}

void projection_board::set(const projection& which, projection_state state, bool is_served) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[index_of(which)];
  entry.now.state = state;
  entry.now.is_served = is_served;
  tell(entry);
}

projection_state projection_board::told(const projection& which, projection_state state,
                                        bool is_served) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[index_of(which)];
  if (entry.now.state != projection_state::stale) entry.now.state = state;
  entry.now.is_served = is_served;
  tell(entry);
  return entry.now.state;
}

void projection_board::built(const projection& which, domain::position head) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[index_of(which)];
  if (entry.stale_from <= head) entry.now.state = projection_state::live;
  entry.now.is_served = true;
  tell(entry);
}

void projection_board::on_commit(const commit_notice& notice) {
  if (notice.events.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const auto& mark : notice.stale) {
    auto& entry = entries_[index_of(*mark.of)];
    entry.now.state = projection_state::stale;
    entry.stale_from = std::max(entry.stale_from, mark.from);
    tell(entry);
  }
  for (auto& entry : entries_) {
    if (entry.now.of->kind != projection_kind::follower) continue;
    for (const auto& event : notice.events) {
      if (is_made_of(*entry.now.of, event.stream)) entry.wanted = event.position;
    }
  }
}

void projection_board::hold(const projection& which) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[index_of(which)];
  entry.is_held = true;
  tell(entry);
}

void projection_board::reached(const projection& which, domain::position at) {
  std::vector<waiter> ready;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[index_of(which)];
    entry.now.checkpoint = at;
    if (std::exchange(entry.is_held, false)) tell(entry);
    const auto rest = std::partition(entry.waiting.begin(), entry.waiting.end(),
                                     [at](const waiter& one) { return one.wanted > at; });
    std::move(rest, entry.waiting.end(), std::back_inserter(ready));
    entry.waiting.erase(rest, entry.waiting.end());
  }
  for (auto& one : ready) one.go_on(done{});
}

void projection_board::when_current(const projection& which,
                                    std::function<void(outcome<done>)> go_on) {
  {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[index_of(which)];
    if (entry.wanted > entry.now.checkpoint) {
      entry.waiting.push_back(
          {entry.wanted, std::chrono::steady_clock::now() + longest_wait, std::move(go_on)});
      return;
    }
  }
  go_on(done{});
}

void projection_board::expire() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<waiter> late;
  {
    const std::lock_guard lock(mutex_);
    for (auto& entry : entries_) {
      const auto rest = std::partition(entry.waiting.begin(), entry.waiting.end(),
                                       [now](const waiter& one) { return one.until > now; });
      std::move(rest, entry.waiting.end(), std::back_inserter(late));
      entry.waiting.erase(rest, entry.waiting.end());
    }
  }
  for (auto& one : late) {
    one.go_on(reject(errc::unavailable, "a read model is behind the log; try again"));
  }
}

}  // namespace reeve::persistence
