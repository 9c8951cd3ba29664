#include "actors/runs/job_attempt.hpp"

#include "base/log.hpp"

namespace reeve::actors {

void job_attempt::end(domain::end_reason reason, domain::run_events before) {
  run_machine::decision d;
  d.decide = [job = job_, reason,
              before](const domain::run_state& s) -> outcome<domain::run_events> {
    auto ended = domain::decide_end(s, job, {reason});
    if (!ended) return ended;
    auto events = before;
    events.insert(events.end(), ended->begin(), ended->end());
    return events;
  };
  d.then = [keep = shared_from_this()](outcome<done> ok) {
    if (keep->closed_) return;
    if (!ok) log_error("an attempt's end was refused", {{"why", ok.error().detail}});
    keep->close();
  };
  run_.decide(std::move(d));
}

void job_attempt::refuse(domain::end_reason reason) {
  run_machine::decision d;
  d.decide = [job = job_, reason](const domain::run_state& s) {
    return domain::decide_refuse(s, job, reason);
  };
  d.then = [keep = shared_from_this()](outcome<done>) {
    if (!keep->closed_) keep->close();
  };
  run_.decide(std::move(d));
}

void job_attempt::ask_turn(std::int64_t after_ms, std::function<void()> go) {
  const auto take = [weak = weak_from_this(), go = std::move(go)](const last_tries::ticket& turn) {
    const auto keep = weak.lock();
    if (!keep || keep->closed_) return;
    keep->turn_ = turn;
    go();
  };
  run_.after(std::chrono::milliseconds(after_ms), later([this, take] {
               run_.ports().last->ask([to = run_.handle(), take](last_tries::ticket turn) {
                 cc::post(to, continuation{[take, turn = std::move(turn)] { take(turn); }});
               });
             }));
}

void job_attempt::close() {
  if (closed_) return;
  closed_ = true;
  turn_.reset();
  // The last reference may be the run's: it is given back outside of this call.
  run_.after(std::chrono::milliseconds(0), [&run = run_, job = job_] { run.attempt_done(job); });
}

}  // namespace reeve::actors
