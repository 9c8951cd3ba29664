#include "adapters/engine_probe.hpp"

namespace reeve::adapters {
namespace {

// One ping without an answer may be a busy machine; the second follows at once.
constexpr int silent_means_down = 2;

}  // namespace

engine_probe::engine_probe(container_engine& engine, std::int64_t up_ms, std::int64_t down_ms,
                           std::function<void(const probe_result&)> on_change)
    : engine_(engine), up_ms_(up_ms), down_ms_(down_ms), on_change_(std::move(on_change)) {
  schedule(0);
}

void engine_probe::look_now() {
  {
    std::lock_guard lock{mutex_};
    if (under_way_ || !last_.available) return;
  }
  schedule(0);
}

void engine_probe::stop() {
  {
    std::lock_guard lock{mutex_};
    stopped_ = true;
  }
  timer_.stop();
}

probe_result engine_probe::last() const {
  std::lock_guard lock{mutex_};
  return last_;
}

void engine_probe::schedule(std::int64_t after_ms) {
  std::uint64_t turn = 0;
  {
    std::lock_guard lock{mutex_};
    if (stopped_) return;
    turn = ++turn_;
  }
  auto at = timer_thread::steady::now() + std::chrono::milliseconds(after_ms);
  timer_.post_at(at, [this, turn] {
    {
      std::lock_guard lock{mutex_};
      if (stopped_ || under_way_ || turn != turn_) return;
      under_way_ = true;
    }
    probe();
  });
}

void engine_probe::probe() {
  engine_.ping(reply_slot<done>{[this](outcome<done> answer) { pinged(std::move(answer)); }});
}

void engine_probe::pinged(outcome<done> answer) {
  bool was_available = false;
  int silent = 0;
  {
    std::lock_guard lock{mutex_};
    if (stopped_) return;
    was_available = last_.available;
    silent_ = !answer && answer.error().code != errc::engine_unavailable ? silent_ + 1 : 0;
    silent = silent_;
  }
  if (answer && was_available) return conclude(true, {});
  if (answer) {
    return engine_.version_info(reply_slot<engine_version>{
        [this](outcome<engine_version> version) { versioned(std::move(version)); }});
  }
  if (was_available && silent > 0 && silent < silent_means_down) {
    {
      std::lock_guard lock{mutex_};
      under_way_ = false;
    }
    return schedule(0);
  }
  conclude(false, answer.error().detail);
}

void engine_probe::versioned(outcome<engine_version> answer) {
  if (!answer) return conclude(false, answer.error().detail);
  {
    std::lock_guard lock{mutex_};
    last_.version = *answer;
  }
  conclude(true, {});
}

void engine_probe::conclude(bool available, std::string detail) {
  probe_result now;
  bool changed = false;
  {
    std::lock_guard lock{mutex_};
    changed = !last_.known || last_.available != available;
    last_.known = true;
    last_.available = available;
    last_.detail = std::move(detail);
    under_way_ = false;
    now = last_;
    if (stopped_) return;
  }
  if (changed) on_change_(now);
  schedule(available ? up_ms_ : down_ms_);
}

}  // namespace reeve::adapters
