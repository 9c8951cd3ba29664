#include "adapters/name_lanes.hpp"

#include "base/named_thread.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <thread>
#include <utility>

namespace reeve::adapters {
namespace {

rejection stopping() {
  return reject(errc::unavailable, "the server is stopping");
}

}  // namespace

/// What the lanes have: each of them holds it, so it outlives `name_lanes` if a resolver hangs.
struct name_lanes::lanes {
  struct lane {
    std::thread thread;
    bool is_over = false;
  };

  look_fn look;
  std::size_t most = 0;
  std::mutex mutex;  // for all below
  std::condition_variable changed;
  std::vector<waiter> asked;  // nobody has looked at them yet
  std::deque<std::string> todo;
  std::vector<std::unique_ptr<lane>> all;
  std::size_t idle = 0;
  bool is_stopped = false;
  name_lanes* owner = nullptr;  // there until `is_stopped`

  static void put(const std::shared_ptr<lanes>& self, const std::string& host);
  static void work(const std::shared_ptr<lanes>& self, lane& mine);
  void stop(std::chrono::milliseconds within);
};

void name_lanes::lanes::put(const std::shared_ptr<lanes>& self, const std::string& host) {
  const std::lock_guard lock(self->mutex);
  if (self->is_stopped) return;
  self->todo.push_back(host);
  if (self->idle < self->todo.size() && self->all.size() < self->most) {
    self->all.push_back(std::make_unique<lane>());
    auto& made = *self->all.back();
    made.thread = named_thread("llm-look-up", [self, &made] { work(self, made); });
  }
  self->changed.notify_all();
}

void name_lanes::lanes::work(const std::shared_ptr<lanes>& self, lane& mine) {
  std::unique_lock lock(self->mutex);
  while (!self->is_stopped) {
    if (self->todo.empty()) {
      ++self->idle;
      self->changed.wait(lock);
      --self->idle;
      continue;
    }
    const auto host = std::move(self->todo.front());
    self->todo.pop_front();
    lock.unlock();
    auto what = self->look(host);
    lock.lock();
    if (self->is_stopped) break;
    self->owner->times_.post([owner = self->owner, host, what] { owner->found(host, what); });
  }
  mine.is_over = true;
  self->changed.notify_all();
}

void name_lanes::lanes::stop(std::chrono::milliseconds within) {
  std::vector<std::unique_ptr<lane>> ended;
  {
    std::unique_lock lock(mutex);
    const auto is_over = [](const auto& one) { return one->is_over; };
    changed.wait_for(lock, within, [&] { return std::all_of(all.begin(), all.end(), is_over); });
    for (auto& one : all) {
      if (one->is_over) {
        ended.push_back(std::move(one));
      } else if (one->thread.joinable()) {
        one->thread.detach();  // it hangs, and has nothing but this
      }
    }
    std::erase(all, nullptr);
  }
  for (auto& one : ended) one->thread.join();
}

name_lanes::name_lanes()
    : name_lanes([](const std::string& host) { return pin_address(host, 0); }) {}

name_lanes::name_lanes(look_fn look, name_lane_limits limits)
    : limits_(limits), lanes_(std::make_shared<lanes>()) {
  lanes_->look = std::move(look);
  lanes_->most = limits.lanes;
  lanes_->owner = this;
}

name_lanes::~name_lanes() {
  stop();
}

bool name_lanes::is_stopped() const {
  const std::lock_guard lock(lanes_->mutex);
  return lanes_->is_stopped;
}

void name_lanes::stop() {
  const std::lock_guard lock(stop_mutex_);
  if (std::exchange(was_stopped_, true)) return;
  std::vector<waiter> refused;
  {
    const std::lock_guard lock_lanes(lanes_->mutex);
    lanes_->is_stopped = true;
    lanes_->todo.clear();
    refused.swap(lanes_->asked);
    lanes_->changed.notify_all();
  }
  times_.stop();
  for (auto& [host, waiters] : std::exchange(names_, {})) {
    std::move(waiters.begin(), waiters.end(), std::back_inserter(refused));
  }
  for (const auto& one : refused) one.slot.answer(stopping());
  lanes_->stop(limits_.end);
}

void name_lanes::find(std::string host, std::uint16_t port, steady::time_point by,
                      reply_slot<pinned_address> slot) {
  std::unique_lock lock(lanes_->mutex);
  if (lanes_->is_stopped) {
    lock.unlock();
    const auto here = pin_numeric(host, port);
    return slot.answer(here ? *here : outcome<pinned_address>(stopping()));
  }
  lanes_->asked.push_back({std::move(host), port, by, std::move(slot), 0});
  lock.unlock();
  times_.post([this] { take_up(); });
}

void name_lanes::take_up() {
  std::vector<waiter> asked;
  {
    const std::lock_guard lock(lanes_->mutex);
    asked.swap(lanes_->asked);
  }
  for (auto& one : asked) {
    if (const auto here = pin_numeric(one.host, one.port)) {
      one.slot.answer(*here);
    } else {
      add(std::move(one));
    }
  }
}

void name_lanes::add(waiter one) {
  if (waiting_ >= limits_.waiting) {
    return one.slot.answer(reject(errc::unavailable, "too many wait for names"));
  }
  ++waiting_;
  one.id = ++last_id_;
  times_.post_at(one.by, [this, host = one.host, id = one.id] { expire(host, id); });
  const auto host = one.host;
  const auto [at, is_new] = names_.try_emplace(host);
  at->second.push_back(std::move(one));
  if (is_new) lanes::put(lanes_, host);
}

void name_lanes::expire(const std::string& host, std::uint64_t id) {
  const auto at = names_.find(host);
  if (at == names_.end()) return;
  auto& waiters = at->second;
  const auto late =
      std::find_if(waiters.begin(), waiters.end(), [id](const auto& w) { return w.id == id; });
  if (late == waiters.end()) return;
  const auto slot = std::move(late->slot);
  waiters.erase(late);
  --waiting_;
  slot.answer(reject(errc::unavailable, "its name could not be looked up in time"));
}

void name_lanes::found(const std::string& host, const outcome<pinned_address>& what) {
  auto waiters = names_.extract(host);
  if (waiters.empty()) return;
  waiting_ -= waiters.mapped().size();
  for (auto& one : waiters.mapped()) {
    if (what) {
      one.slot.answer(what->at_port(one.port));
    } else {
      one.slot.answer(what.error());
    }
  }
}

}  // namespace reeve::adapters
