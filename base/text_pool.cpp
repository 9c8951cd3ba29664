#include "base/text_pool.hpp"

#include "base/log.hpp"
#include "base/named_thread.hpp"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace reeve {
namespace {

constexpr std::size_t most_threads = 4;

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

text_leave::text_leave(const std::atomic<bool>& stopping, text_cancellation cancelled,
                       duration budget)
    : stopping_(stopping),
      cancelled_(std::move(cancelled)),
      until_(processor_time_of_this_thread() + budget) {}

bool text_leave::is_stopped() const {
  return stopping_ || (cancelled_ && *cancelled_);
}

bool text_leave::is_spent() const {
  return processor_time_of_this_thread() >= until_;
}

struct text_pool::impl {
  struct waiting_work {
    std::size_t bytes = 0;
    text_cancellation cancelled;
    work what;
  };

  explicit impl(options chosen) : settings(chosen) {
    const auto count = threads_of(settings.threads);
    for (std::size_t i = 0; i < count; ++i) {
      threads.push_back(named_thread("text", [this] { run(); }));
    }
  }

  ~impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    for (auto& thread : threads) thread.join();
  }

  void run() {
    let_others_first();
    while (auto next = take()) {
      const text_leave leave(stopping, std::move(next->cancelled), settings.budget);
      if (leave.is_stopped()) continue;
      try {
        next->what(leave);
      } catch (...) {
        log_error("work on a text failed with an exception");
      }
    }
  }

  std::unique_ptr<waiting_work> take() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stopping || !waiting.empty(); });
    if (stopping) return nullptr;
    auto next = std::make_unique<waiting_work>(std::move(waiting.front()));
    waiting.pop_front();
    waiting_bytes -= next->bytes;
    return next;
  }

  bool post(waiting_work one) {
    {
      const std::lock_guard lock(mutex);
      if (stopping || waiting.size() >= settings.waiting) return false;
      // One that is too large by itself waits alone.
      if (!waiting.empty() && waiting_bytes + one.bytes > settings.waiting_bytes) return false;
      waiting_bytes += one.bytes;
      waiting.push_back(std::move(one));
    }
    changed.notify_one();
    return true;
  }

  const options settings;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<waiting_work> waiting;  // guarded by mutex
  std::size_t waiting_bytes = 0;     // guarded by mutex
  std::atomic<bool> stopping = false;
  std::vector<std::thread> threads;
};

text_pool::text_pool(options settings) : impl_(std::make_unique<impl>(settings)) {}

text_pool::~text_pool() = default;

bool text_pool::post(std::size_t bytes, text_cancellation cancelled, work what) {
  return impl_->post({bytes, std::move(cancelled), std::move(what)});
}

}  // namespace reeve
