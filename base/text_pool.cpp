#include "base/text_pool.hpp"

#include "base/log.hpp"
#include "base/named_thread.hpp"
#include "base/shared_room.hpp"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace reeve {
namespace {

constexpr std::size_t most_threads = 4;
// What holds a text takes some room by itself.
constexpr std::size_t least_bytes = 1024;

std::chrono::nanoseconds processor_time_of_this_thread() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::size_t threads_of(std::size_t asked) {
  if (asked > 0) return asked;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency() / 2, 1, most_threads);
}

}  // namespace

text_leave::text_leave(const std::atomic<bool>& stopping, const work_stop* stop, duration budget)
    : stopping_(stopping), stop_(stop), until_(processor_time_of_this_thread() + budget) {}

bool text_leave::is_stopped() const {
  return stopping_ || (stop_ != nullptr && stop_->is_stopped());
}

bool text_leave::is_spent() const {
  return processor_time_of_this_thread() >= until_;
}

/// Shared with the rooms that were given, which may come back late. What leaves a queue goes
/// without the lock: it answers somebody, and gives room back.
struct text_pool::impl : std::enable_shared_from_this<impl> {
  struct question {
    uuid tenant;
    std::size_t bytes = 0;
    stop its;
    reply_slot<room> slot;
  };
  struct posted {
    room held;  // goes last
    work_source whose;
    stop its;
    work what;
    std::chrono::nanoseconds left{};  // of its budget
  };
  class held_room;

  explicit impl(options chosen)
      : settings(chosen),
        space({chosen.bytes / 100 * chosen.one_percent, chosen.bytes}),
        asking(chosen.asking) {}

  void begin() {
    const auto count = threads_of(settings.threads);
    for (std::size_t i = 0; i < count; ++i) {
      threads.push_back(named_thread("text", [this] { run(); }));
    }
  }

  void end() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    for (auto& thread : threads) thread.join();
    const auto all = [](const auto&) { return true; };
    std::vector<question> unasked;
    std::vector<posted> undone;
    const std::lock_guard lock(mutex);
    unasked = asking.remove_if(all);
    undone = waiting.remove_if(all);
  }

  void run() {
    let_others_first();
    while (auto next = take()) {
      const text_leave leave(stopping, next->its.get(), next->left);
      if (leave.is_stopped()) continue;
      const auto begun = processor_time_of_this_thread();
      const bool is_last = leave.is_spent();
      bool has_more = false;
      try {
        has_more = next->what(leave);
      } catch (...) {
        log_error("work on a text failed with an exception");
      }
      next->left -= processor_time_of_this_thread() - begun;
      if (has_more && !is_last) put(std::move(*next));
    }
  }

  std::optional<posted> take() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stopping || !waiting.empty(); });
    if (stopping) return std::nullopt;
    return waiting.pop();
  }

  void put(posted one) {
    std::optional<posted> refused;
    {
      const std::lock_guard lock(mutex);
      if (stopping || (one.its && one.its->is_stopped())) return;
      const auto whose = one.whose;
      refused = waiting.push(whose, std::move(one));
    }
    changed.notify_one();
  }

  void ask(const work_source& whose, question one) {
    const auto its = one.its;
    std::optional<question> refused;
    {
      const std::lock_guard lock(mutex);
      if (stopping) return;
      refused = asking.push(whose, std::move(one));
    }
    if (refused) {
      refused->slot.answer(reject(errc::overloaded, "too many texts wait for their redaction"));
    }
    if (its) {
      its->on_stop([weak = weak_from_this(), which = its.get()] {
        if (const auto self = weak.lock()) self->leave(which);
      });
    }
    give();
  }

  void leave(const work_stop* its) {
    std::vector<question> unasked;
    std::vector<posted> undone;
    {
      const std::lock_guard lock(mutex);
      unasked = asking.remove_if([its](const question& one) { return one.its.get() == its; });
      undone = waiting.remove_if([its](const posted& one) { return one.its.get() == its; });
    }
    // It may have been the one that the others waited for.
    if (!unasked.empty()) give();
  }

  void give();
  void let_go(const uuid& tenant, std::size_t bytes) {
    {
      const std::lock_guard lock(mutex);
      space.let_go(tenant, bytes);
    }
    give();
  }

  const options settings;
  std::mutex mutex;
  std::condition_variable changed;
  shared_room space;                           // guarded by mutex, like the next two
  turn_queue<question> asking;                 // for room
  turn_queue<posted> waiting{no_turn_limits};  // for a thread; it has room
  std::atomic<bool> stopping = false;
  std::vector<std::thread> threads;
};

class text_pool::impl::held_room final : public text_room {
 public:
  held_room(std::shared_ptr<impl> of, const uuid& tenant, std::size_t bytes)
      : of_(std::move(of)), tenant_(tenant), bytes_(bytes) {}
  ~held_room() override { of_->let_go(tenant_, bytes_); }
  held_room(const held_room&) = delete;
  held_room& operator=(const held_room&) = delete;

  void shrink(std::size_t bytes) override {
    const auto rest = std::max(bytes, least_bytes);
    if (rest >= bytes_) return;
    of_->let_go(tenant_, std::exchange(bytes_, rest) - rest);
  }

 private:
  const std::shared_ptr<impl> of_;
  const uuid tenant_;
  std::size_t bytes_;
};

/// To whoever is next, as long as there is room.
void text_pool::impl::give() {
  for (;;) {
    std::optional<question> next;
    {
      const std::lock_guard lock(mutex);
      if (stopping) return;
      next = asking.pop([this](const uuid& tenant, const question& one) {
        return space.fits(tenant, one.bytes);
      });
      if (!next) return;
      space.hold(next->tenant, next->bytes);
    }
    next->slot.answer(
        room(std::make_shared<held_room>(shared_from_this(), next->tenant, next->bytes)));
  }
}

text_pool::text_pool(options settings) : impl_(std::make_shared<impl>(settings)) {
  impl_->begin();
}

text_pool::~text_pool() {
  impl_->end();
}

void text_pool::ask(const work_source& whose, std::size_t bytes, stop its, reply_slot<room> slot) {
  impl_->ask(whose, {whose.tenant, std::max(bytes, least_bytes), std::move(its), std::move(slot)});
}

void text_pool::post(const work_source& whose, room held, stop its, work what) {
  impl_->put({std::move(held), whose, std::move(its), std::move(what), impl_->settings.budget});
}

}  // namespace reeve
