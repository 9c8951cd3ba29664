#include "api/llm_places.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace reeve::api {

std::int64_t llm_places::places::count(const std::string& upstream) const {
  return std::count_if(calls.begin(), calls.end(),
                       [&upstream](const call& one) { return one.upstream == upstream; });
}

/// Half of an upstream and a quarter of all are one token's at most, as docs/decisions/0044 has it.
bool llm_places::places::has_all_of_its_share(const call& what, std::int64_t most_of_it) const {
  std::int64_t there = 0;
  std::size_t everywhere = 0;
  for (const auto& one : calls) {
    if (one.token != what.token) continue;
    ++everywhere;
    if (one.upstream == what.upstream) ++there;
  }
  return there >= (most_of_it + 1) / 2 || everywhere >= (most + 3) / 4;
}

outcome<llm_places::place> llm_places::take(call what, std::int64_t most) {
  std::list<call> one;
  one.push_back(std::move(what));
  const auto at = one.begin();
  {
    const std::lock_guard lock(held_->mutex);
    if (held_->has_all_of_its_share(*at, most)) {
      return reject(errc::rate_limited, "the token has its share of calls");
    }
    if (held_->count(at->upstream) >= most || held_->calls.size() >= held_->most) {
      return reject(errc::overloaded, "there are too many calls");
    }
    held_->calls.splice(held_->calls.end(), one);
  }
  return place{held_.get(), [held = held_, at](const void*) {
                 std::list<call> gone;  // beyond the lock
                 const std::lock_guard lock(held->mutex);
                 gone.splice(gone.end(), held->calls, at);
               }};
}

std::int64_t llm_places::calls_of(const std::string& upstream) const {
  const std::lock_guard lock(held_->mutex);
  return held_->count(upstream);
}

std::int64_t llm_places::calls_of(const std::string& upstream, const uuid& tenant) const {
  const std::lock_guard lock(held_->mutex);
  return std::ranges::count_if(held_->calls, [&](const call& one) {
    return one.upstream == upstream && one.tenant == tenant;
  });
}

void llm_places::end_of(const uuid& token) {
  std::vector<std::shared_ptr<call_stopper>> all;
  {
    const std::lock_guard lock(held_->mutex);
    for (const auto& one : held_->calls) {
      if (one.token == token) all.push_back(one.stopper);
    }
  }
  for (const auto& one : all) {
    if (one) one->stop();
  }
}

}  // namespace reeve::api
