#include "actors/runs/attempt_runner.hpp"

#include "actors/continuation.hpp"
#include "base/test_point.hpp"

#include <utility>

namespace reeve::actors {

using domain::run_events;
using domain::run_state;
namespace attempts = domain::attempts;

std::shared_ptr<attempt_runner> attempt_runner::make(run_machine& run, const uuid& job) {
  std::shared_ptr<attempt_runner> made(new attempt_runner(run, job));
  made->work_ = run.ports().kinds.make_attempt(made->task().params, *made);
  if (!made->work_) return nullptr;
  auto& config = made->machine_.config;
  config.own = made->work_->is_own();
  config.timeout_ms = timeout_ms_of(run.state(), made->job());
  config.retry_ms = run.ports().settings.retry_ms;
  return made;
}

void attempt_runner::prepare() {
  began_us_ = ports().clock.mono_us();
  starting_ = true;
  feed(attempts::begin{});
}

void attempt_runner::resume(bool crashed) {
  const auto& open = job().attempts.back();
  work_->resume(open);
  machine_.config.timeout_ms = open.intent.timeout_ms;
  attempts::resume what;
  what.rest_ms = rest_ms_of(open, ports().clock.now_us());
  if (open.started_at) {
    what.recorded =
        attempts::execution{open.container_id.value_or(""), attempts::execution_phase::running,
                            open.engine_started_at.value_or(0)};
  }
  what.works = open.works;
  what.taken_up = open.adopted || open.taken_up;
  what.crashed = crashed;
  what.cancelled = run().cancel_requested;
  what.quarantined = open.quarantined;
  what.stopping = open.stopping;
  feed(what);
}

void attempt_runner::cancel() {
  feed(attempts::cancel{});
}
void attempt_runner::engine_back() {
  feed(attempts::engine_back{});
}
void attempt_runner::released() {
  run_.take_place(job_);
  feed(attempts::operator_retries{});
}
void attempt_runner::discarded() {
  feed(attempts::operator_discards{});
}

void attempt_runner::abandon() {
  closed_ = true;
  work_->let_go();
}

void attempt_runner::feed(input what) {
  inbox_.push_back(std::move(what));
  if (std::exchange(busy_, true)) return;
  const auto keep = shared_from_this();
  while (!inbox_.empty() && !closed_) {
    const auto next = std::move(inbox_.front());
    inbox_.pop_front();
    auto result = attempts::step(std::move(machine_), next);
    machine_ = std::move(result.state);
    for (const auto& effect : result.effects) {
      std::visit([this](const auto& each) { happen(each); }, effect);
    }
    let_next_start();
  }
  busy_ = false;
}

void attempt_runner::let_next_start() {
  if (!starting_ || attempts::is_starting(machine_)) return;
  starting_ = false;
  run_.let_next_start(job_);
}

void attempt_runner::when_allowed(std::function<void(fencing_token)> f) {
  run_.when_allowed([keep = shared_from_this(), f = std::move(f)](fencing_token by) {
    if (!keep->closed_) f(by);
  });
}

void attempt_runner::after(std::chrono::milliseconds time, std::function<void()> f) {
  run_.after(time, [keep = shared_from_this(), f = std::move(f)] {
    if (!keep->closed_) f();
  });
}

std::function<void(std::function<void()>)> attempt_runner::gate() {
  return [to = run_.handle(), keep = shared_from_this()](std::function<void()> f) {
    cc::post(to, continuation{[keep, f = std::move(f)] {
               if (!keep->closed_) f();
             }});
  };
}

// What the kind does.

void attempt_runner::happen(const attempts::ask_allowed&) {
  work_->allow();
}
void attempt_runner::happen(const attempts::submit&) {
  work_->submit();
}
void attempt_runner::happen(const attempts::withhold& e) {
  work_->withhold(e.why);
}
void attempt_runner::happen(const attempts::reach&) {
  work_->reach();
}
void attempt_runner::happen(const attempts::find&) {
  work_->find();
}
void attempt_runner::happen(const attempts::watch& e) {
  // Its start did no harm. One that has ended keeps its turn until that is in the log, and so does
  // Reeve's own work, which is done here.
  const bool runs = machine_.seen->phase == attempts::execution_phase::running;
  if (runs && !machine_.config.own) turn_.reset();
  work_->watch(e.id);
}
void attempt_runner::happen(const attempts::stop& e) {
  work_->stop(e.id);
}
void attempt_runner::happen(const attempts::collect& e) {
  work_->collect(e.id);
}
void attempt_runner::happen(const attempts::forget&) {
  work_->forget();
}

// The log.

void attempt_runner::write(run_machine::decide_fn decide, input then) {
  run_machine::decision d;
  d.decide = std::move(decide);
  d.then = [this, keep = shared_from_this(), then = std::move(then)](outcome<done> ok) {
    if (!closed_) feed(ok ? then : input(attempts::unwritten{}));
  };
  run_.decide(std::move(d));
}

template <class Event>
void attempt_runner::write_fact(Event event, input then) {
  write(
      [event, job = job_](const run_state& s) mutable -> outcome<run_events> {
        const auto* its = s.find(job);
        const auto* open = its == nullptr ? nullptr : its->open_attempt();
        if (open == nullptr) return reject(errc::conflict, "the attempt is closed");
        event.job = job;
        event.attempt = open->number;
        return run_events{event};
      },
      std::move(then));
}

/// Under an epoch that holds: whoever finds it asks whether that leadership ended in order.
void attempt_runner::happen(const attempts::write_intent&) {
  when_allowed([this](fencing_token by) { intend(by); });
}

void attempt_runner::intend(fencing_token by) {
  auto [intent, guard] = work_->intend();
  intent.epoch = by.epoch;
  intent.waited_ms = (ports().clock.mono_us() - began_us_) / 1000;
  run_machine::decision d;
  if (guard) d.guard = {*guard};
  d.decide = [job = job_, intent = intent](const run_state& s) {
    return domain::decide_intend(s, job, intent);
  };
  d.then = [this, keep = shared_from_this()](outcome<done> ok) {
    if (closed_) return;
    if (ok) {
      test_point("after_intent");
      return feed(attempts::written{});
    }
    const bool moved = ok.error().code == errc::guard_conflict;
    feed(moved ? input(attempts::moved{}) : input(attempts::unwritten{}));
  };
  test_point("before_intent");
  run_.decide(std::move(d));
}

void attempt_runner::happen(const attempts::write_refusal& e) {
  write(
      [job = job_, why = e.why](const run_state& s) { return domain::decide_refuse(s, job, why); },
      attempts::written{});
}

void attempt_runner::happen(const attempts::write_started& e) {
  work_->started(e.what);
  write(
      [job = job_, e](const run_state& s) -> outcome<run_events> {
        const auto* its = s.find(job);
        const auto* open = its == nullptr ? nullptr : its->open_attempt();
        if (open == nullptr) return reject(errc::conflict, "the attempt is closed");
        run_events events;
        if (open->container_id.value_or("") != e.what.id) {
          events.push_back(domain::container_created{job, open->number, e.what.id});
        }
        const domain::timestamp at{e.what.started_at};
        events.push_back(domain::attempt_started{job, open->number, e.adopted, at});
        return events;
      },
      attempts::written{});
}

void attempt_runner::happen(const attempts::write_stop& e) {
  write_fact(domain::stop_intended{{}, 0, e.why}, attempts::stop_written{});
}

void attempt_runner::happen(const attempts::write_end& e) {
  test_point("before_result");
  write(
      [job = job_, e](const run_state& s) -> outcome<run_events> {
        auto ended = domain::decide_end(s, job,
                                        {.reason = e.why,
                                         .exit_code = e.exit_code,
                                         .log = e.log,
                                         .oom_killed = e.oom_killed,
                                         .log_incomplete = e.log_incomplete,
                                         .streams = e.streams});
        if (!ended) return ended;
        run_events events(e.artifacts.begin(), e.artifacts.end());
        events.insert(events.end(), ended->begin(), ended->end());
        return events;
      },
      attempts::written{});
}

void attempt_runner::happen(const attempts::write_work& e) {
  when_allowed([this, n = e.n](fencing_token by) {
    write_fact(domain::work_attempted{{}, 0, n, by.epoch}, attempts::written{});
  });
}

/// Until an operator decides it needs no place at the engine.
void attempt_runner::happen(const attempts::write_quarantine& e) {
  run_.give_place_back(job_);
  write_fact(domain::work_quarantined{{}, 0, e.crashes}, attempts::written{});
}

// The rest.

void attempt_runner::happen(const attempts::tell_waiting&) {
  run_.tell_waiting(job_, domain::engine_unavailable);
}

void attempt_runner::happen(const attempts::set_timer& e) {
  run_.after(std::chrono::milliseconds(e.after_ms), [keep = shared_from_this(), token = e.token] {
    if (!keep->closed_) keep->feed(attempts::timer_fired{token});
  });
}

/// Whoever waits for a turn holds no attempt: one that is over is passed over.
void attempt_runner::happen(const attempts::ask_turn& e) {
  const auto take = [weak = weak_from_this()](const last_tries::ticket& turn) {
    const auto keep = weak.lock();
    if (!keep || keep->closed_) return;
    keep->turn_ = turn;
    keep->feed(attempts::turn{});
  };
  run_.after(std::chrono::milliseconds(e.after_ms), [keep = shared_from_this(), take] {
    if (keep->closed_) return;
    keep->run_.ports().last->ask([to = keep->run_.handle(), take](last_tries::ticket turn) {
      cc::post(to, continuation{[take, turn = std::move(turn)] { take(turn); }});
    });
  });
}

void attempt_runner::happen(const attempts::close&) {
  if (std::exchange(closed_, true)) return;
  work_->let_go();
  turn_.reset();
  // The last reference may be the run's: it is given back outside of this call.
  run_.after(std::chrono::milliseconds(0), [&run = run_, job = job_] { run.attempt_done(job); });
}

}  // namespace reeve::actors
