#include "persistence/secret_vault.hpp"

#include "base/log.hpp"
#include "base/named_thread.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace reeve::persistence {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t most_waiting = 256;
constexpr auto first_sweep = std::chrono::seconds(30);
constexpr auto sweep_every = std::chrono::minutes(10);

}  // namespace

struct secret_vault::impl {
  impl(secret_vault_config config, const leadership& leader)
      : lead(leader),
        store(std::move(config)),
        thread(named_thread("secrets", [this] { work(); })) {}

  ~impl() { close(); }

  /// What waits is dropped, and its slots say so.
  void close() {
    std::deque<std::function<void()>> dropped;
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      dropped.swap(waiting);
    }
    changed.notify_all();
    if (thread.joinable()) thread.join();
  }

  void work() {
    auto next_sweep = steady_clock::now() + first_sweep;
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex);
        changed.wait_until(lock, next_sweep, [this] { return stopping || !waiting.empty(); });
        if (stopping) return;
        if (!waiting.empty()) {
          job = std::move(waiting.front());
          waiting.pop_front();
        }
      }
      if (job) job();
      if (steady_clock::now() < next_sweep) continue;
      if (lead.holds()) sweep();
      next_sweep = steady_clock::now() + sweep_every;
    }
  }

  void sweep() {
    const auto swept = store.sweep();
    if (!swept) log_warn("values of secrets cannot be swept", {{"why", swept.error().detail}});
    if (swept && *swept > 0) {
      log_info("values that no secret needs were destroyed", {{"values", *swept}});
    }
  }

  template <class T>
  void submit(const reply_slot<T>& slot, std::function<outcome<T>()> what) {
    bool ended = false;
    {
      const std::lock_guard lock(mutex);
      ended = stopping;
      if (!ended && waiting.size() < most_waiting) {
        waiting.push_back([slot, what = std::move(what)] { slot.answer(what()); });
        changed.notify_one();
        return;
      }
    }
    if (ended) return slot.answer(reject(errc::unavailable, "the server is being stopped"));
    slot.answer(reject(errc::overloaded, "too many questions about secrets are waiting"));
  }

  const leadership& lead;
  secret_store store;  // of the thread
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> waiting;
  bool stopping = false;
  std::thread thread;  // last: it uses the rest
};

secret_vault::secret_vault(secret_vault_config config, const leadership& lead)
    : impl_(std::make_unique<impl>(std::move(config), lead)) {}
secret_vault::~secret_vault() = default;

void secret_vault::close() {
  impl_->close();
}

/// Who answers the client logs what is no fault of the client's (dispatcher::finish).
void secret_vault::put(secret_place where, std::shared_ptr<const secret_text> value,
                       reply_slot<digest> slot) {
  impl_->submit<digest>(slot, [this, where = std::move(where), value = std::move(value)] {
    return impl_->store.put(where, *value);
  });
}

void secret_vault::open(std::vector<secret_place> which,
                        reply_slot<std::shared_ptr<const opened_secrets>> slot) {
  using answer = std::shared_ptr<const opened_secrets>;
  impl_->submit<answer>(slot, [this, which = std::move(which)] {
    auto opened = impl_->store.open(which);
    if (!opened) log_error("a secret cannot be opened", {{"why", opened.error().detail}});
    return opened;
  });
}

void secret_vault::make_key(reply_slot<done> slot) {
  impl_->submit<done>(slot, [this] { return impl_->store.make_key(); });
}

void secret_vault::destroy(uuid tenant, std::vector<uuid> values, reply_slot<done> slot) {
  impl_->submit<done>(slot, [this, tenant, values = std::move(values)] {
    return impl_->store.destroy(tenant, values);
  });
}

}  // namespace reeve::persistence
