#include "persistence/blob_writer.hpp"

#include "base/log.hpp"
#include "base/named_thread.hpp"
#include "persistence/blob_store.hpp"
#include "persistence/command_sweep.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace reeve::persistence {
namespace {

constexpr std::size_t most_waiting_bytes = std::size_t{256} << 20;
// While blobs cannot be stored; the log says it once, however many attempts try meanwhile.
constexpr auto try_every = std::chrono::seconds(2);
constexpr auto sweep_blobs_every = std::chrono::hours(1);
// Rounds of 100 blobs; what is left waits for the next hour, so that puts are not kept waiting.
constexpr int most_sweep_rounds = 100;

struct waiting_blob {
  uuid tenant;
  std::shared_ptr<const std::string> bytes;
  reply_slot<digest> slot;
};

}  // namespace

struct blob_writer::impl {
  impl(std::string given, const leadership& leader)
      : url(std::move(given)),
        lead(leader),
        store(blob_store_config{url, nullptr}),
        thread(named_thread("blobs", [this] { work(); })) {}

  ~impl() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    thread.join();
  }

  void work() {
    auto next_sweep = std::chrono::steady_clock::now() + sweep_blobs_every;
    for (;;) {
      const auto blob = next(is_failing ? std::min(next_try, next_sweep) : next_sweep);
      if (!blob) return;
      if (blob->bytes) {
        put(*blob);
      } else if (std::chrono::steady_clock::now() >= next_sweep) {
        sweep();
        next_sweep = std::chrono::steady_clock::now() + sweep_blobs_every;
      }
      if (is_failing && std::chrono::steady_clock::now() >= next_try) try_again();
    }
  }

  /// Nothing: it ends. Without bytes: it is time for something else.
  std::optional<waiting_blob> next(std::chrono::steady_clock::time_point until) {
    waiting_blob blob;
    std::unique_lock lock(mutex);
    changed.wait_until(lock, until, [this] { return stopping || !waiting.empty(); });
    if (stopping) return std::nullopt;
    if (waiting.empty()) return blob;
    blob = std::move(waiting.front());
    waiting.pop_front();
    waiting_bytes -= blob.bytes->size();
    return blob;
  }

  void put(const waiting_blob& blob) {
    auto stored = store.put(blob.tenant, *blob.bytes);
    if (!stored && stored.error().code != errc::too_large) begin_failing(stored.error());
    blob.slot.answer(std::move(stored));
  }

  void begin_failing(const rejection& why) {
    if (is_failing.exchange(true)) return;
    next_try = std::chrono::steady_clock::now() + try_every;
    log_error("blobs cannot be stored; see reeve doctor", {{"why", why.detail}});
  }

  /// A blob that was stored ends nothing: its bytes may have been there already, which takes fewer
  /// rights.
  void try_again() {
    if (store.try_put()) {
      is_failing = false;
      log_info("blobs can be stored again");
    }
    next_try = std::chrono::steady_clock::now() + try_every;
  }

  bool is_wanted() {
    std::lock_guard lock(mutex);
    return stopping || !waiting.empty();
  }

  /// This thread is the one of the server that has time: it also removes old idempotency keys. A
  /// standby sweeps nothing, and its looks would keep the leader from counting their age.
  void sweep() {
    if (!lead.holds()) {
      looked_at_us = 0;
      return;
    }
    std::int64_t blobs = 0;
    for (int i = 0; i < most_sweep_rounds && !is_wanted(); ++i) {
      const auto swept = store.sweep();
      if (!swept) log_warn("blobs cannot be swept", {{"why", swept.error().detail}});
      if (!swept || *swept == 0) break;
      blobs += *swept;
    }
    if (blobs > 0) log_info("unreferenced blobs were removed", {{"blobs", blobs}});
    const auto now = real_clock().mono_us();
    const auto keys = sweep_commands(url, {looker, looked_at_us == 0 ? 0 : now - looked_at_us});
    if (!keys) log_warn("idempotency keys cannot be swept", {{"why", keys.error().detail}});
    if (keys) looked_at_us = real_clock().mono_us();
    if (keys && *keys > 0) log_info("old idempotency keys were removed", {{"keys", *keys}});
  }

  std::string url;
  const leadership& lead;
  const uuid looker = real_ids().next();
  std::int64_t looked_at_us = 0;  // monotonic; 0: not since it leads
  blob_store store;
  std::atomic<bool> is_failing{false};
  std::chrono::steady_clock::time_point next_try;  // while it is failing
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<waiting_blob> waiting;
  std::size_t waiting_bytes = 0;
  bool stopping = false;
  std::thread thread;  // last: it uses the rest
};

blob_writer::blob_writer(std::string url, const leadership& lead)
    : impl_(std::make_unique<impl>(std::move(url), lead)) {}
blob_writer::~blob_writer() = default;

bool blob_writer::is_failing() const {
  return impl_->is_failing;
}

void blob_writer::put(uuid tenant, std::shared_ptr<const std::string> bytes,
                      reply_slot<digest> slot) {
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->waiting_bytes + bytes->size() <= most_waiting_bytes) {
      impl_->waiting_bytes += bytes->size();
      impl_->waiting.push_back({tenant, std::move(bytes), slot});
      impl_->changed.notify_one();
      return;
    }
  }
  slot.answer(reject(errc::overloaded, "too many blobs are waiting"));
}

}  // namespace reeve::persistence
