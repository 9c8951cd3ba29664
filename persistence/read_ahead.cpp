#include "persistence/read_ahead.hpp"

#include "base/named_thread.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace reeve::persistence {
namespace {

// A page has 2,048 events of at most 65 KiB and 1 KiB or so as a rule.
constexpr std::size_t most_pages = 3;

}  // namespace

struct read_ahead::impl {
  impl(log_reader from, domain::position last)
      : reader(std::move(from)),
        until(last),
        thread(named_thread("fold-read", [this] { read(); })) {}

  ~impl() {
    {
      const std::lock_guard lock(mutex);
      is_stopping = true;
    }
    changed.notify_all();
    thread.join();
  }

  void read() {
    page events;
    for (bool more = true; more;) {
      const auto read = reader.next(events);
      if (read && *read) {
        while (!events.empty() && events.back().position > until) events.pop_back();
      }
      more = read && *read && !events.empty() && events.back().position < until;
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return pages.size() < most_pages || is_stopping; });
      if (is_stopping) return;
      if (!read) failure = read.error();
      if (read && !events.empty()) pages.push_back(std::move(events));
      events = std::exchange(spare, {});
      is_over = !more;
      changed.notify_all();
    }
  }

  outcome<bool> next(page& events) {
    std::unique_lock lock(mutex);
    spare = std::move(events);
    events.clear();
    changed.wait(lock, [this] { return !pages.empty() || is_over; });
    if (!pages.empty()) {
      events = std::move(pages.front());
      pages.pop_front();
      changed.notify_all();
      return true;
    }
    if (failure) return *failure;
    return false;
  }

  log_reader reader;
  domain::position until;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<page> pages;
  page spare;
  std::optional<rejection> failure;
  bool is_over = false;
  bool is_stopping = false;
  std::thread thread;  // last: it uses the rest
};

read_ahead::read_ahead(log_reader reader, domain::position until)
    : impl_(std::make_unique<impl>(std::move(reader), until)) {}
read_ahead::~read_ahead() = default;

outcome<bool> read_ahead::next(page& events) {
  return impl_->next(events);
}

}  // namespace reeve::persistence
