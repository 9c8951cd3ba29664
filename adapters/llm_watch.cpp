#include "adapters/llm_watch.hpp"

#include "base/log.hpp"

#include <utility>

namespace reeve::adapters {
namespace {

constexpr std::chrono::seconds find_within{5};  // as long as a call has

}  // namespace

llm_watch::llm_watch(std::vector<domain::llm_upstream> upstreams, std::shared_ptr<name_lanes> names,
                     look_fn look, std::chrono::milliseconds every)
    : names_(std::move(names)), look_(std::move(look)), every_(every) {
  for (auto& one : upstreams) views_.push_back({std::move(one), {}, 0});
  for (std::size_t i = 0; i < views_.size(); ++i) {
    thread_->post([this, i] { find(i); });
  }
}

llm_watch::~llm_watch() {
  thread_->stop();
}

std::vector<domain::llm_upstream_view> llm_watch::views() const {
  const std::lock_guard lock(mutex_);
  return views_;
}

void llm_watch::find(std::size_t which) {
  const auto url = domain::parse_url(views()[which].what.url);
  if (!url) return look_at(which, reject(errc::invalid, "its URL is none"));
  names_->find(url->host, url->port, timer_thread::steady::now() + find_within,
               reply_slot<pinned_address>([this, which, weak = std::weak_ptr(thread_)](auto where) {
                 // A job of a thread that was stopped is not run.
                 if (const auto thread = weak.lock()) {
                   thread->post([this, which, where = std::move(where)] { look_at(which, where); });
                 }
               }));
}

void llm_watch::look_at(std::size_t which, const outcome<pinned_address>& where) {
  if (!where && names_->is_stopped()) return;  // which says nothing of the upstream
  const auto upstream = views()[which].what;
  const auto seen = where ? look_(upstream, *where) : outcome<std::int64_t>(where.error());
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
  thread_->post_at(timer_thread::steady::now() + every_, [this, which] { find(which); });
}

}  // namespace reeve::adapters
