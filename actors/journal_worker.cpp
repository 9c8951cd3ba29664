#include "actors/journal_worker.hpp"

#include "base/log.hpp"
#include "base/named_thread.hpp"
#include "base/test_point.hpp"

#include <utility>

namespace reeve::actors {
namespace {

using namespace std::chrono_literals;

/// A lost database is told within a second, so the log is looked at more often.
constexpr auto heartbeat = 250ms;
constexpr auto reconnect_pause = 100ms;
/// A batch of so many is committed on another thread, while the next one is planned.
constexpr std::size_t least_in_background = 3;
/// How long a caller from outside waits for the outcome of a commit that lost its connection.
constexpr auto doubt_patience = 15s;

rejection away() {
  return reject(errc::unavailable, "the event log is not available");
}

rejection unknown() {
  return reject(errc::unavailable,
                "the connection was lost during the commit and the outcome is not known yet; "
                "repeat the request with the same idempotency key");
}

std::size_t size_of(const append_call& call) {
  std::size_t size = 0;
  for (const auto& e : call.request.events) size += e.payload.size() + 256;
  return size;
}

}  // namespace

journal_worker::journal_worker(journal_worker_args args)
    : args_(std::move(args)),
      available_(args_.opened != nullptr),
      thread_(named_thread("journal", [this] { run(); })) {}

journal_worker::~journal_worker() {
  stop(false);
  join();
}

void journal_worker::push(std::shared_ptr<append_call> call) {
  const bool external = call->lane == lane::external;
  bool was_taken = false;
  bool wakes = false;
  {
    const std::lock_guard lock(mutex_);
    // A database that does not answer at all has not lost its session: the lease tells.
    const bool refused =
        external && (!available_ || (args_.lead != nullptr && !args_.lead->holds()));
    if (!stopping_ && !refused) {
      pending_.push_back(call);
      was_taken = true;
      wakes = is_worth_a_batch();
    }
  }
  // Without the lock: whom it wakes would only wait for it.
  if (wakes) wake_.notify_one();
  if (!was_taken) call->slot.answer(away());
}

void journal_worker::stop(bool orderly) {
  const std::lock_guard lock(mutex_);
  if (!stopping_) orderly_ = orderly;
  stopping_ = true;
  wake_.notify_one();
}

void journal_worker::join() {
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void journal_worker::run() {
  if (args_.before) args_.before->join();
  args_.before = nullptr;
  try {
    work();
  } catch (const std::exception&) {
    // What it said may hold what must not be logged.
    log_error("the journal's thread ended with an exception");
    journal_ = nullptr;
    if (args_.on_crash) args_.on_crash();
  }
  // Who still waits is told so by the end of its slot.
  std::deque<call_ptr> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(pending_);
    stopping_ = true;
  }
  open_.clear();
  journal_ = nullptr;
}

void journal_worker::work() {
  journal_ = args_.opened ? std::exchange(args_.opened, nullptr) : args_.make();
  journal_->on_landed([this] {
    { const std::lock_guard lock(mutex_); }  // who looks now looks before or after the landing
    wake_.notify_one();
  });
  note_state();
  for (;;) {
    std::vector<call_ptr> calls;
    bool has_landed = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_until(
          lock, due_, [this] { return stopping_ || journal_->has_landed() || is_worth_a_batch(); });
      if (stopping_) break;
      has_landed = journal_->has_landed();
      if (is_worth_a_batch() || (has_landed && may_take())) calls = take();
      paused_ = paused_ && has_landed;
    }
    if (!calls.empty()) {
      flush(std::move(calls));
    } else if (has_landed) {
      land();
    } else if (journal_->in_flight()) {
      due_ = clock::now() + heartbeat;
    } else {
      renew();
    }
    if (journal_->state() == persistence::journal_state::fenced) return fenced();
  }
  journal_->finish();
  deliver();
  if (orderly_) (void)journal_->resign();
}

/// With the lock held.
std::vector<journal_worker::call_ptr> journal_worker::take() {
  std::vector<call_ptr> batch;
  std::size_t events = 0;
  std::size_t bytes = 0;
  while (!pending_.empty()) {
    const auto more_events = pending_.front()->request.events.size();
    const auto more_bytes = size_of(*pending_.front());
    const bool full = events + more_events > batch_events || bytes + more_bytes > batch_bytes;
    if (full && !batch.empty()) break;
    events += more_events;
    bytes += more_bytes;
    batch.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  return batch;
}

void journal_worker::flush(std::vector<call_ptr> calls) {
  auto batch = std::make_shared<persistence::journal_batch>();
  batch->requests.reserve(calls.size());
  // Requests are lent, not copied: what has to be tried again gets its own back.
  for (auto& call : calls) batch->requests.push_back(std::move(call->request));
  open_.push_back({batch, std::move(calls), clock::now()});
  due_ = clock::now() + heartbeat;
  // One caller alone is answered sooner without another thread.
  const auto size = batch->requests.size();
  size < least_in_background ? journal_->append(batch) : journal_->begin(batch);
  note_flight(size);
  note_state();
  deliver();
}

void journal_worker::land() {
  journal_->finish();
  note_flight(0);
  note_state();
  deliver();
}

void journal_worker::note_flight(std::size_t requests) {
  const bool flies = journal_->in_flight();
  const std::lock_guard lock(mutex_);
  in_air_ = flies ? requests : 0;
}

void journal_worker::renew() {
  test_point("journal");
  due_ = clock::now() + heartbeat;
  if (journal_->state() == persistence::journal_state::closed) {
    auto head = journal_->open();
    if (!head && std::exchange(told_, head.error().detail) != head.error().detail) {
      log_warn("the journal is not open yet", {{"why", told_}});
    }
  } else {
    (void)journal_->renew();
  }
  note_state();
  deliver();
}

void journal_worker::deliver() {
  for (auto& open : open_) deliver(open);
  while (!open_.empty() && open_.front().batch->is_answered()) open_.pop_front();
}

void journal_worker::deliver(open_batch& open) {
  const bool is_late = clock::now() >= open.since + doubt_patience;
  std::vector<call_ptr> again;
  for (std::size_t i = 0; i < open.calls.size(); ++i) {
    auto& call = open.calls[i];
    if (!call) continue;
    auto& answer = open.batch->answers[i];
    if (!answer && !(is_late && call->lane == lane::external)) continue;
    const bool waits = answer && !*answer && answer->error().code == errc::unavailable;
    if (waits && call->lane == lane::internal) {
      // Nothing was appended: it has to be, and comes before what was asked for since.
      call->request = std::move(open.batch->requests[i]);
      again.push_back(std::move(call));
    } else {
      std::exchange(call, nullptr)->slot.answer(answer ? std::move(*answer) : unknown());
    }
  }
  if (again.empty()) return;
  const std::lock_guard lock(mutex_);
  pending_.insert(pending_.begin(), again.begin(), again.end());
  // A full disk is not tried again without a pause.
  paused_ = true;
  due_ = std::min(due_, clock::now() + reconnect_pause);
}

void journal_worker::note_state() {
  const auto state = journal_->state();
  if (state == persistence::journal_state::fenced) return;
  const bool now = state == persistence::journal_state::leading;
  if (!now) due_ = clock::now() + reconnect_pause;
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    changed = std::exchange(available_, now) != now;
  }
  if (now && !std::exchange(was_ready_, true)) {
    if (args_.on_ready) args_.on_ready();
  }
  if (!now) refuse_external();
  if (changed && args_.on_available) args_.on_available(now);
}

void journal_worker::refuse_external() {
  std::vector<call_ptr> refused;
  {
    const std::lock_guard lock(mutex_);
    std::deque<call_ptr> kept;
    for (auto& call : pending_) {
      if (call->lane == lane::internal) {
        kept.push_back(std::move(call));
      } else {
        refused.push_back(std::move(call));
      }
    }
    pending_ = std::move(kept);
  }
  for (const auto& call : refused) call->slot.answer(away());
}

void journal_worker::fenced() {
  deliver();
  std::deque<call_ptr> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(pending_);
  }
  for (const auto& call : left) {
    call->slot.answer(reject(errc::fenced, "another server writes the log now"));
  }
  if (args_.on_fenced) args_.on_fenced();
}

}  // namespace reeve::actors
