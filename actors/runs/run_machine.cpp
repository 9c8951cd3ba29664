#include "actors/runs/run_machine.hpp"

#include "actors/runs/attempt_runner.hpp"
#include "base/log.hpp"

#include <algorithm>

namespace reeve::actors {

using namespace std::chrono_literals;
using domain::end_reason;
using domain::run_events;
using domain::run_state;

run_machine::run_machine(caf::event_based_actor* self, run_ports& ports,
                         std::shared_ptr<const run_state> state, std::function<void()> over)
    : self_(self), ports_(ports), state_(std::move(state)), over_(std::move(over)) {}

/// What they asked the engine for holds them, so each would wait for its own answer.
run_machine::~run_machine() {
  for (auto& [id, attempt] : attempts_) attempt->abandon();
}

caf::actor run_machine::handle() const {
  return caf::actor_cast<caf::actor>(self_);
}

/// What another leadership tried last was interrupted by the death of its process, unless that one
/// ended in order.
bool run_machine::is_crash(interruption by, const domain::attempt_state& open) const {
  if (by != interruption::restart) return by == interruption::crash;
  return open.tried_epoch < ports_.settings.died_before_epoch;
}

void run_machine::begin(interruption by) {
  // Taking one up may change the state.
  std::vector<uuid> open;
  for (const auto& job : state_->jobs) {
    if (job.status == domain::job_status::running && job.open_attempt() != nullptr) {
      open.push_back(job.id);
    }
  }
  for (const auto& job : open) take_up(job, by);
  pump();
}

void run_machine::take_up(const uuid& id, interruption by) {
  const auto attempt = attempt_runner::make(*this, id);
  if (!attempt) {
    // A newer version has begun it.
    decision d;
    d.decide = [id](const run_state& s) {
      return domain::decide_end(s, id, {end_reason::not_available_yet});
    };
    return decide(std::move(d));
  }
  attempts_[id] = attempt;
  const auto& open = *state_->find(id)->open_attempt();
  if (!open.quarantined) take_place(id);
  attempt->resume(is_crash(by, open));
}

void run_machine::take_place(const uuid& id) {
  if (needs_place(id)) ports_.ready.take(this, state_->tenant, id);
}

void run_machine::give_place_back(const uuid& id) {
  ports_.ready.give_back(this, id);
}

void run_machine::let_next_start(const uuid& id) {
  ports_.ready.started(this, id);
}

bool run_machine::needs_place(const uuid& id) const {
  return ports_.kinds.takes_place(state_->task_of(*state_->find(id)).params);
}

void run_machine::execute(run_command what, const command_context& context,
                          reply_slot<executed<run_state>> slot) {
  decision d;
  auto has_events = std::make_shared<bool>(false);
  d.decide = [what, as_of = context.as_of, has_events](const run_state& s) -> outcome<run_events> {
    if (as_of && *as_of != s.stream_version) {
      return reject(errc::version_conflict, "another change came first");
    }
    auto events = std::visit([&s](const auto& each) { return domain::decide(s, each); }, what);
    *has_events = events && !events->empty();
    return events;
  };
  d.meta = context.meta;
  d.command = context.command;
  d.then = [this, slot, what, has_events](outcome<done> ok) {
    if (!ok) return slot.answer(ok.error());
    slot.answer(executed<run_state>{state_, *has_events ? state_->last_position : 0, false});
    tell_attempts(what);
  };
  decide(std::move(d));
}

void run_machine::tell_attempts(const run_command& what) {
  const auto with = [this](const uuid& job, auto tell) {
    const auto found = attempts_.find(job);
    if (found != attempts_.end()) tell(*std::shared_ptr(found->second));
  };
  std::visit(domain::overloaded{[this](const domain::cancel_run&) {
                                  for (auto& [id, attempt] : std::map(attempts_)) attempt->cancel();
                                },
                                [&](const domain::retry_work& c) {
                                  with(c.job, [](attempt_runner& attempt) { attempt.released(); });
                                },
                                [&](const domain::discard_work& c) {
                                  with(c.job, [](attempt_runner& attempt) { attempt.discarded(); });
                                },
                                [](const auto&) {}},  // is nothing to an attempt that goes on
             what);
}

void run_machine::engine_back() {
  for (auto& [id, attempt] : std::map(attempts_)) attempt->engine_back();
}

void run_machine::decide(decision what) {
  queue_.push_back(std::move(what));
  pump();
}

void run_machine::after(std::chrono::milliseconds delay, std::function<void()> f) {
  cc::tell_after(self_, delay, handle(), continuation{std::move(f)});
}

void run_machine::when_allowed(std::function<void(fencing_token)> f) {
  if (const auto token = ports_.lead.token()) return f(*token);
  after(100ms, [this, f = std::move(f)] { when_allowed(f); });
}

void run_machine::tell_waiting(const uuid& id, std::string_view what_for) {
  const auto is_news = [id, what_for](const run_state& s) {
    const auto* job = s.find(id);
    return job != nullptr && job->waits_for != what_for && !is_terminal(job->status);
  };
  if (!is_news(*state_)) return;
  decision d;
  d.decide = [id, what_for, is_news](const run_state& s) -> outcome<run_events> {
    if (!is_news(s)) return run_events{};
    return run_events{domain::job_waiting{id, std::string(what_for)}};
  };
  decide(std::move(d));
}

/// A wait that is over in a moment is no news.
void run_machine::tell_waiting_for_place(const uuid& id) {
  after(1s, [this, id] {
    const auto* job = state_->find(id);
    const bool waits = preparing_.contains(id) && !attempts_.contains(id) && !finished_ &&
                       job->status == domain::job_status::pending;
    if (waits) tell_waiting(id, domain::no_free_place);
  });
}

void run_machine::attempt_done(const uuid& job) {
  attempts_.erase(job);
  leave_queue(job);
  pump();
  finish_if_over();
}

domain::event_meta run_machine::own_meta() const {
  domain::event_meta meta;
  meta.principal = "system:run";
  meta.command_id = ports_.ids.next();
  meta.correlation_id = state_->id;
  meta.causation_id = state_->last_position;
  return meta;
}

namespace {

/// Stamps that stand in for the journal's while several decisions are put into one append.
void evolve_ahead(run_state& s, const run_events& events, std::size_t from, time_us now) {
  for (std::size_t i = from; i < events.size(); ++i) {
    const domain::event_stamp stamp{s.last_position + 1, s.stream_version + 1, now};
    evolve(s, events[i], domain::evolve_context{stamp, s.tenant, "system:run"});
  }
}

}  // namespace

/// Each retry rests for its backoff: by the clock of this process where it saw the retry scheduled,
/// and for what is left by the stamps where it did not.
void run_machine::rest() {
  for (const auto& job : state_->jobs) {
    if (job.status != domain::job_status::pending || job.backoff_since == 0) continue;
    auto& kept_for = rested_after_[job.id];
    if (kept_for == job.attempts.size()) continue;
    kept_for = job.attempts.size();
    const auto left = domain::rest_ms(job.backoff_since, job.backoff_ms, ports_.clock.now_us());
    resting_.insert(job.id);
    after(std::chrono::milliseconds(left + 1), [this, id = job.id, kept_for] {
      if (rested_after_[id] == kept_for) resting_.erase(id);
      pump();
    });
  }
}

void run_machine::pump() {
  if (appending_ || finished_) return;
  rest();
  const auto now = ports_.clock.now_us();
  run_state ahead = *state_;
  run_events events;
  std::vector<decision> parts;
  while (!queue_.empty()) {
    if (queue_.front().is_exclusive() && !events.empty()) break;
    decision d = std::move(queue_.front());
    queue_.pop_front();
    auto decided = d.decide(ahead);
    if (!decided) {
      if (d.then) d.then(decided.error());
      if (appending_ || finished_) return;
      continue;
    }
    const auto from = events.size();
    events.insert(events.end(), decided->begin(), decided->end());
    evolve_ahead(ahead, events, from, now);
    const bool alone = d.is_exclusive();
    parts.push_back(std::move(d));
    if (alone) break;
  }
  auto plan = domain::plan(ahead, resting_);
  const bool client = !parts.empty() && parts.front().meta.has_value();
  if (!client) events.insert(events.end(), plan.events.begin(), plan.events.end());
  // A command that changes nothing keeps its key all the same.
  const bool keeps_key = client && parts.front().command;
  if (!events.empty() || keeps_key) return append(std::move(events), std::move(parts));
  for (auto& part : parts) {
    if (part.then) part.then(done{});
  }
  if (!appending_) follow(plan);
}

void run_machine::append(run_events events, std::vector<decision> parts) {
  appending_ = true;
  const auto meta = !parts.empty() && parts.front().meta ? *parts.front().meta : own_meta();
  auto request = append_of<run_state>(state_, events, state_->tenant,
                                      domain::stream_of<run_state>(state_->id), meta);
  auto shared_parts = std::make_shared<std::vector<decision>>(std::move(parts));
  if (!shared_parts->empty()) {
    request.guard = shared_parts->front().guard;
    request.command = shared_parts->front().command;
  }
  auto shared = std::make_shared<run_events>(std::move(events));
  using result = persistence::append_result;
  ports_.journal.append(std::move(request), lane::internal,
                        resume_with<result>(handle(), [this, shared, shared_parts](auto r) {
                          appended(shared, shared_parts, std::move(r));
                        }));
}

void run_machine::appended(std::shared_ptr<run_events> events,
                           std::shared_ptr<std::vector<decision>> parts,
                           outcome<persistence::append_result> result) {
  appending_ = false;
  const bool guarded = !parts->empty() && !parts->front().guard.empty();
  if (!result) {
    const auto& why = result.error();
    if (why.code != errc::guard_conflict || !guarded) {
      log_warn("a run's append failed, it is read again",
               {{"run", to_string(state_->id)}, {"error", std::string(name_of(why.code))}});
      for (auto& part : *parts) {
        if (part.meta && part.then) part.then(why);
      }
      return reload();
    }
    for (auto& part : *parts) {
      if (part.then) part.then(why);
    }
    return pump();
  }
  reloads_ = 0;
  if (!result->replayed) {
    const auto principal = !parts->empty() && parts->front().meta ? parts->front().meta->principal
                                                                  : std::string("system:run");
    state_ = actors::after<run_state>(state_, *events, result->stamps, state_->tenant, principal);
  }
  for (auto& part : *parts) {
    if (part.then) part.then(done{});
  }
  pump();
  finish_if_over();
}

void run_machine::follow(const domain::run_plan& plan) {
  // Those that are on their way to their intent take a place in the run, whatever the plan says
  // now.
  auto ahead = std::count_if(preparing_.begin(), preparing_.end(), [&](const uuid& job) {
    const auto* its = state_->find(job);
    const auto& wanted = plan.startable;
    return its->status == domain::job_status::pending &&
           std::find(wanted.begin(), wanted.end(), job) == wanted.end();
  });
  for (const auto& job : plan.startable) {
    if (attempts_.contains(job) || preparing_.contains(job)) continue;
    if (ahead-- > 0) continue;
    queue_up(job);
  }
}

/// What needs the engine waits for a place there; everything else starts at once.
void run_machine::queue_up(const uuid& id) {
  preparing_.insert(id);
  if (!needs_place(id)) return start(id);
  const auto& task = state_->task_of(*state_->find(id));
  ready_queue::request what{this, state_->tenant, id, task.priority, state_->created_at, {}};
  what.turn = [to = handle(), this, id] { cc::post(to, continuation{[this, id] { start(id); }}); };
  if (ports_.ready.ask(std::move(what))) return start(id);
  tell_waiting_for_place(id);
}

void run_machine::start(const uuid& id) {
  if (attempts_.contains(id)) return;
  const auto* job = state_->find(id);
  const bool wanted = preparing_.contains(id) && !finished_ &&
                      job->status == domain::job_status::pending && !state_->cancel_requested;
  if (!wanted) return leave_queue(id);
  const auto attempt = attempt_runner::make(*this, id);
  if (!attempt) {
    decision d;
    d.decide = [id](const run_state& s) {
      return domain::decide_refuse(s, id, end_reason::not_available_yet);
    };
    return decide(std::move(d));
  }
  attempts_[id] = attempt;
  attempt->prepare();
}

void run_machine::leave_queue(const uuid& job) {
  preparing_.erase(job);
  ports_.ready.give_back(this, job);
}

/// What the log holds now is the truth: everything under way is dropped and taken up from there. A
/// log that goes on refusing is asked less and less often.
void run_machine::reload() {
  constexpr int most_doublings = 6;
  const auto pause = reloads_ == 0 ? 0ms : 100ms * (1 << std::min(reloads_, most_doublings));
  ++reloads_;
  appending_ = true;
  for (auto& [id, attempt] : attempts_) attempt->abandon();
  attempts_.clear();
  preparing_.clear();
  ports_.ready.leave(this);
  queue_.clear();
  resting_.clear();
  rested_after_.clear();
  after(pause, [this] { read_again(); });
}

void run_machine::read_again() {
  using answer = std::shared_ptr<const run_state>;
  rebuild<run_state>(ports_.reads, state_->tenant, domain::stream_of<run_state>(state_->id), no_end,
                     resume_with<answer>(handle(), [this](outcome<answer> fresh) {
                       if (!fresh) return after(500ms, [this] { read_again(); });
                       state_ = *fresh;
                       appending_ = false;
                       begin(interruption::none);
                       finish_if_over();
                     }));
}

void run_machine::finish_if_over() {
  if (finished_ || appending_ || !is_terminal(state_->status) || !attempts_.empty()) return;
  finished_ = true;
  ports_.ready.leave(this);
  over_();
}

}  // namespace reeve::actors
