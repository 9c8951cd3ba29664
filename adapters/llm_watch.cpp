#include "adapters/llm_watch.hpp"

#include "base/log.hpp"

#include <utility>

namespace reeve::adapters {

llm_watch::llm_watch(std::vector<domain::llm_upstream> upstreams, look_fn look,
                     std::chrono::milliseconds every)
    : look_(std::move(look)), every_(every) {
  for (auto& one : upstreams) views_.push_back({std::move(one), {}, 0});
  for (std::size_t i = 0; i < views_.size(); ++i) {
    thread_.post([this, i] { look_at(i); });
  }
}

llm_watch::~llm_watch() {
  thread_.stop();
}

std::vector<domain::llm_upstream_view> llm_watch::views() const {
  const std::lock_guard lock(mutex_);
  return views_;
}

void llm_watch::look_at(std::size_t which) {
  const auto upstream = views()[which].what;
  const auto seen = look_(upstream);
  bool was_healthy = false, was_known = false, is_healthy = false;
  {
    const std::lock_guard lock(mutex_);
    auto& health = views_[which].health;
    was_known = health.is_known;
    was_healthy = health.is_healthy;
    seen ? health.answered(*seen) : health.failed();
    is_healthy = health.is_healthy;
  }
  if (!seen && !is_healthy && (was_healthy || !was_known)) {
    log_warn("an upstream of language models does not answer",
             {{"upstream", upstream.name}, {"why", seen.error().detail}});
  }
  if (is_healthy && was_known && !was_healthy) {
    log_info("an upstream of language models answers again", {{"upstream", upstream.name}});
  }
  thread_.post_at(timer_thread::steady::now() + every_, [this, which] { look_at(which); });
}

}  // namespace reeve::adapters
