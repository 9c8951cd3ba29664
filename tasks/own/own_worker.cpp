#include "tasks/own/own_worker.hpp"

#include "base/log.hpp"
#include "base/named_thread.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace reeve::tasks {

struct own_worker::impl : std::enable_shared_from_this<impl> {
  struct job {
    std::shared_ptr<work_stop> its;
    work what;
    reply_slot<artifacts> slot;
  };

  impl(std::string_view called, bool gives_way) : name(called), is_polite(gives_way) {}

  void begin(std::string_view called) {
    thread = named_thread(called, [this] { carry_out_all(); });
  }

  void end() {
    std::shared_ptr<work_stop> going;
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      going = under_way;
    }
    changed.notify_all();
    if (going) going->stop();
    thread.join();
    drop([](const job&) { return true; });
  }

  void carry_out_all() {
    if (is_polite) let_others_first();
    while (auto next = take()) {
      if (!next->its->is_stopped()) next->slot.answer(carry_out(*next));
      const std::lock_guard lock(mutex);
      under_way.reset();
    }
  }

  std::optional<job> take() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stopping || !waiting.empty(); });
    if (stopping) return std::nullopt;
    auto next = waiting.pop();
    under_way = next->its;
    return next;
  }

  outcome<artifacts> carry_out(const job& one) {
    try {
      return one.what(one.its->flag());
    } catch (...) {
      log_error("own work failed with an exception", {{"thread", name}});
      return reject(errc::internal, "the work failed");
    }
  }

  void push(const work_source& whose, job one) {
    const auto its = one.its;
    std::optional<job> refused;
    {
      const std::lock_guard lock(mutex);
      refused = waiting.push(whose, std::move(one));
    }
    changed.notify_one();
    if (refused) refused->slot.answer(reject(errc::overloaded, "too much work is waiting"));
    its->on_stop([weak = weak_from_this(), which = its.get()] {
      const auto self = weak.lock();
      if (self) self->drop([which](const job& waits) { return waits.its.get() == which; });
    });
  }

  /// Without the lock: what leaves is answered.
  template <class Is>
  void drop(const Is& is) {
    std::vector<job> dropped;
    const std::lock_guard lock(mutex);
    dropped = waiting.remove_if(is);
  }

  const std::string name;
  const bool is_polite;
  std::mutex mutex;
  std::condition_variable changed;
  turn_queue<job> waiting{most_waiting};  // guarded by mutex, like the next two
  std::shared_ptr<work_stop> under_way;
  bool stopping = false;
  std::thread thread;
};

own_worker::own_worker(std::string_view name, bool gives_way)
    : impl_(std::make_shared<impl>(name, gives_way)) {
  impl_->begin(name);
}

own_worker::~own_worker() {
  impl_->end();
}

void own_worker::run(const work_source& whose, std::shared_ptr<work_stop> its, work what,
                     reply_slot<artifacts> slot) {
  if (!its) its = std::make_shared<work_stop>();
  impl_->push(whose, {std::move(its), std::move(what), std::move(slot)});
}

}  // namespace reeve::tasks
