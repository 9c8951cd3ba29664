#include "actors/journal_actor.hpp"

#include "base/log.hpp"
#include "base/metrics.hpp"

#include <chrono>
#include <deque>
#include <utility>
#include <vector>

namespace reeve::actors {
namespace {

using namespace std::chrono_literals;
using call_ptr = std::shared_ptr<append_call>;

struct journal_work {
  caf::event_based_actor* self;
  journal_actor_args args;
  std::shared_ptr<persistence::journal> log;
  std::deque<call_ptr> pending;
  bool flushing = false;
  bool available = true;
  bool idle = true;  // nothing was committed since the last tick

  void push(call_ptr call) {
    pending.push_back(std::move(call));
    schedule();
  }

  void schedule() {
    if (flushing || pending.empty()) return;
    flushing = true;
    cc::tell(self, caf::actor_cast<caf::actor>(self), journal_flush{});
  }

  std::vector<call_ptr> take() {
    std::vector<call_ptr> batch;
    std::size_t events = 0;
    std::size_t bytes = 0;
    while (!pending.empty()) {
      const auto& request = pending.front()->request;
      std::size_t size = 0;
      for (const auto& e : request.events) size += e.payload.size() + 256;
      const bool full = events + request.events.size() > batch_events || bytes + size > batch_bytes;
      if (full && !batch.empty()) break;
      events += request.events.size();
      bytes += size;
      batch.push_back(std::move(pending.front()));
      pending.pop_front();
    }
    return batch;
  }

  void flush() {
    flushing = false;
    auto batch = take();
    if (batch.empty()) return;
    std::vector<persistence::append_request> requests;
    requests.reserve(batch.size());
    // Requests are lent, not copied: what has to be tried again gets its own back.
    for (auto& call : batch) requests.push_back(std::move(call->request));
    auto answers = log->append_batch(requests);
    bool lost = false;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const bool away = !answers[i] && answers[i].error().code == errc::unavailable;
      if (away && batch[i]->lane == lane::internal) {
        lost = true;
        batch[i]->request = std::move(requests[i]);
        continue;
      }
      lost = lost || away;
      batch[i]->slot.answer(std::move(answers[i]));
      batch[i] = nullptr;
    }
    settle(lost, std::move(batch));
  }

  void settle(bool lost, std::vector<call_ptr> rest) {
    for (auto it = rest.rbegin(); it != rest.rend(); ++it) {
      if (*it) pending.push_front(std::move(*it));
    }
    note_state();
    if (lost) {
      // The tick tries again; until then external calls are answered at once.
      refuse_external();
      return;
    }
    idle = false;
    schedule();
  }

  void refuse_external() {
    std::deque<call_ptr> kept;
    for (auto& call : pending) {
      if (call->lane == lane::internal) {
        kept.push_back(std::move(call));
      } else {
        call->slot.answer(reject(errc::unavailable, "the event log is not available"));
      }
    }
    pending = std::move(kept);
  }

  void note_state() {
    const auto state = log->state();
    if (state == persistence::journal_state::fenced) {
      args.port->detach();
      for (auto& call : std::exchange(pending, {})) {
        call->slot.answer(reject(errc::fenced, "another server writes the log now"));
      }
      args.on_fenced();
      return;
    }
    const bool now = state == persistence::journal_state::leading;
    if (now == available) return;
    available = now;
    args.on_available(now);
  }

  void tick() {
    if (idle || !available) {
      (void)log->renew();
      note_state();
    }
    idle = true;
    if (available) schedule();
    again();
  }

  void again() {
    const auto pause = available ? 1000ms : 200ms;
    cc::tell_after(self, pause, caf::actor_cast<caf::actor>(self), journal_tick{});
  }
};

}  // namespace

caf::behavior journal_actor(caf::event_based_actor* self, journal_actor_args args,
                            std::function<void()> ready) {
  auto work = std::make_shared<journal_work>();
  work->self = self;
  work->log = args.opened ? args.opened : args.reopen();
  work->args = std::move(args);
  work->args.opened = nullptr;
  work->args.port->attach(caf::actor_cast<caf::actor>(self));
  work->again();
  ready();
  return {
      [work](const append_message& m) {
        if (!work->available && m.call->lane == lane::external) {
          return m.call->slot.answer(reject(errc::unavailable, "the event log is not available"));
        }
        work->push(m.call);
      },
      [work](const journal_flush&) { work->flush(); },
      [work](const journal_tick&) { work->tick(); }};
}

}  // namespace reeve::actors
