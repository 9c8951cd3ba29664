#include "actors/runs/container_attempt.hpp"

#include "actors/runs/container_spec_of.hpp"
#include "base/test_point.hpp"

#include <algorithm>
#include <utility>

namespace reeve::actors {

using domain::end_reason;
using domain::run_events;
using domain::run_state;
namespace attempts = domain::attempts;

std::shared_ptr<job_attempt> make_container_attempt(run_machine& run, const uuid& job) {
  return std::make_shared<container_attempt>(run, job);
}

container_attempt::container_attempt(run_machine& run, const uuid& job)
    : job_attempt(run, job), engine_(&run.ports().engines.preferred()) {
  machine_.config.timeout_ms = timeout_ms_of(run.state(), this->job());
  machine_.config.retry_ms = run.ports().settings.retry_ms;
}

void container_attempt::prepare() {
  began_us_ = run_.ports().clock.mono_us();
  feed(attempts::begin{});
}

void container_attempt::resume(bool crashed) {
  const auto& open = attempt();
  intent_ = open.intent;
  submitted_ = true;
  engine_ = run_.ports().engines.find(intent_.engine);
  execution_ = open.container_id.value_or("");
  machine_.config.timeout_ms = intent_.timeout_ms;
  attempts::resume what;
  what.rest_ms = rest_ms_of(open, run_.ports().clock.now_us());
  if (open.started_at) {
    what.recorded = attempts::execution{execution_, attempts::execution_phase::running,
                                        open.engine_started_at.value_or(0)};
  }
  what.works = open.works;
  what.taken_up = open.adopted || open.taken_up;
  what.crashed = crashed;
  what.cancelled = run_.state().cancel_requested;
  what.quarantined = open.quarantined;
  what.stopping = open.stopping;
  feed(what);
}

void container_attempt::cancel() {
  feed(attempts::cancel{});
}
void container_attempt::engine_back() {
  feed(attempts::engine_back{});
}
void container_attempt::released() {
  run_.ports().ready.take(&run_, job_);
  feed(attempts::operator_retries{});
}
void container_attempt::discarded() {
  feed(attempts::operator_discards{});
}

void container_attempt::feed(input what) {
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
  }
  busy_ = false;
}

/// A slot whose value becomes an input, and whose error a failure.
template <class T, class F>
reply_slot<T> container_attempt::answered(F good) {
  return then<T>([this, good = std::move(good)](outcome<T> answer) mutable {
    if (!answer) return feed(attempts::failed{adapters::failure_of(answer.error().code)});
    good(std::move(*answer));
  });
}

void container_attempt::write(run_machine::decide_fn decide, input then) {
  run_machine::decision d;
  d.decide = std::move(decide);
  d.then = [this, keep = shared_from_this(), then = std::move(then)](outcome<done> ok) {
    if (!closed_) feed(ok ? then : input(attempts::unwritten{}));
  };
  run_.decide(std::move(d));
}

template <class Event>
void container_attempt::write_fact(Event event, input then) {
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

// Before the intent.

void container_attempt::happen(const attempts::ask_allowed&) {
  using lists = executed<domain::image_list_state>;
  run_.ports().image_allowlist(run_.state().tenant, then<lists>([this](outcome<lists> found) {
                                 if (found) return check_lists(*found->state);
                                 feed(attempts::failed{attempts::failure::busy});
                               }));
}

/// The allowlist is asked again right before the start, and the intent is guarded by the version
/// that was read: revoked between queueing and start is refused.
void container_attempt::check_lists(const domain::image_list_state& images) {
  auto reference = domain::parse_image_reference(*task().params.image);
  if (!reference) return feed(attempts::refused{end_reason::engine_refused});
  auto allowed = domain::check_allowed(task(), images, {}, "");
  if (!allowed) return feed(attempts::refused{end_reason::not_allowlisted});
  guard_ = {domain::stream_of<domain::image_list_state>(run_.state().tenant),
            images.stream_version};
  find_image(*domain::allowing_entry(images, *reference), to_string(*reference));
}

void container_attempt::find_image(const domain::image_allowed& entry,
                                   const std::string& reference) {
  using has = adapters::engine_capabilities;
  engine_->capabilities(reference,
                        then<has>([this, listed = entry.digest, reference](outcome<has> found) {
                          if (!found) {
                            const auto code = found.error().code;
                            if (code == errc::not_found)
                              return feed(attempts::refused{end_reason::image_missing});
                            if (code == errc::invalid)
                              return feed(attempts::refused{end_reason::engine_refused});
                            return feed(attempts::failed{adapters::failure_of(code)});
                          }
                          if (listed && *listed != found->image->id) {
                            return feed(attempts::refused{end_reason::image_changed});
                          }
                          image_ = *found->image;
                          intent_.engine = found->engine;
                          if (!found->engine_id.empty()) intent_.engine_id = found->engine_id;
                          intent_.image = reference;
                          intent_.image_id = image_.id;
                          feed(attempts::allowed{});
                        }));
}

void container_attempt::happen(const attempts::write_intent&) {
  intent_.executor = "engine";
  intent_.attempt = static_cast<std::int64_t>(job().attempts.size()) + 1;
  intent_.container_name = domain::container_name_of(run_.state().tenant, job_, intent_.attempt);
  // A spare one belongs to the usual user. It is not given back: an intent whose commit was in
  // doubt may stand in the log and name it, and no other attempt may ever get it.
  if (!intent_.volume && !task().params.user) intent_.volume = run_.ports().spares->take();
  intent_.spec_hash = adapters::hash_of(
      container_spec_of(run_.ports().settings, run_.state(), job(), intent_, image_));
  intent_.epoch = run_.epoch();
  intent_.waited_ms = (run_.ports().clock.mono_us() - began_us_) / 1000;
  run_machine::decision d;
  d.guard = {*guard_};
  d.decide = [job = job_, intent = intent_](const run_state& s) {
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

void container_attempt::happen(const attempts::write_refusal& e) {
  write(
      [job = job_, why = e.why](const run_state& s) { return domain::decide_refuse(s, job, why); },
      attempts::written{});
}

// The engine.

void container_attempt::happen(const attempts::submit&) {
  if (engine_ == nullptr) return feed(attempts::refused{end_reason::engine_refused});
  if (image_.id.empty()) {
    // Taken up again: the command may be the image's own.
    using has = adapters::engine_capabilities;
    return engine_->capabilities(*intent_.image_id, then<has>([this](outcome<has> found) {
      if (found) {
        image_ = *found->image;
        return happen(attempts::submit{});
      }
      const auto code = found.error().code;
      if (code == errc::not_found) {
        return feed(attempts::refused{end_reason::image_missing});
      }
      feed(attempts::failed{adapters::failure_of(code)});
    }));
  }
  auto what = spec();
  if (what.archive.empty()) return feed(attempts::refused{end_reason::engine_refused});
  run_.when_allowed(later_with([this, what = std::move(what)](fencing_token by) {
    using answer = adapters::submit_answer;
    engine_->submit(key(), what, by, then<answer>([this](outcome<answer> said) {
                      if (!said) {
                        const auto why = adapters::failure_of(said.error().code);
                        return feed(attempts::failed{why, true});
                      }
                      std::visit([this](const auto& each) { feed(each); }, *said);
                    }));
  }));
}

void container_attempt::happen(const attempts::find&) {
  if (engine_ == nullptr) {
    return feed(attempts::found{attempts::found_where::other_engine, {}});
  }
  engine_->find(key(), answered<attempts::found>([this](attempts::found found) {
                  if (found.where == attempts::found_where::here) execution_ = found.what.id;
                  feed(std::move(found));
                }));
}

void container_attempt::happen(const attempts::watch& e) {
  using result = adapters::wait_result;
  // Its start did no harm. One that has ended keeps its turn until that is in the log.
  if (machine_.seen->phase == attempts::execution_phase::running) turn_.reset();
  test_point("before_wait");
  engine_->watch(e.id, answered<result>([this](result ended) {
                   test_point("after_wait");
                   feed(attempts::watched{ended.exit_code});
                 }));
}

void container_attempt::happen(const attempts::stop& e) {
  test_point("cancel");
  const int grace_s = static_cast<int>(run_.state().launch->directive.limits.stop_grace_s);
  run_.when_allowed(later_with([this, id = e.id, grace_s](fencing_token by) {
    using result = adapters::stop_result;
    engine_->stop(id, grace_s, by, then<result>([this](outcome<result> answer) {
                    if (answer) return feed(attempts::stopped{answer->was_running});
                    feed(attempts::stop_failed{adapters::failure_of(answer.error().code)});
                  }));
  }));
}

void container_attempt::happen(const attempts::collect& e) {
  adapters::log_query query;
  query.max_bytes = run_.ports().settings.log_bytes;
  query.tty = false;
  using answer = adapters::log_answer;
  test_point("collection");
  engine_->collect(e.id, query,
                   answered<answer>([this](answer lines) { store_log(std::move(lines)); }));
}

void container_attempt::store_log(adapters::log_answer answer) {
  if (answer.lines.empty()) return feed(attempts::collected{});
  std::string text;
  for (const auto& line : answer.lines) {
    text += line.text;
    text += '\n';
  }
  auto kept = std::make_shared<const std::string>(run_.ports().redact.redact(text));
  domain::blob_ref ref;
  ref.bytes = static_cast<std::int64_t>(kept->size());
  ref.truncated = answer.truncated;
  run_.ports().blobs.put(run_.state().tenant, kept,
                         then<digest>([this, ref](outcome<digest> stored) mutable {
                           if (!stored) return feed(attempts::failed{attempts::failure::busy});
                           ref.sha256 = *stored;
                           feed(attempts::collected{ref});
                         }));
}

void container_attempt::happen(const attempts::forget&) {
  test_point("after_result");
  if (engine_ == nullptr) return feed(attempts::forgotten{});
  run_.when_allowed(later_with([this](fencing_token by) {
    engine_->forget(key(), by, then<done>([this](outcome<done> ok) {
                      if (ok && !image_.id.empty()) run_.ports().spares->refill(image_.id);
                      feed(attempts::forgotten{ok.ok()});
                    }));
  }));
}

// The log.

void container_attempt::happen(const attempts::write_started& e) {
  execution_ = e.what.id;
  write(
      [job = job_, e](const run_state& s) -> outcome<run_events> {
        const auto* its = s.find(job);
        const auto* open = its == nullptr ? nullptr : its->open_attempt();
        if (open == nullptr) return reject(errc::conflict, "the attempt is closed");
        run_events events;
        if (open->container_id != e.what.id) {
          events.push_back(domain::container_created{job, open->number, e.what.id});
        }
        const domain::timestamp at{e.what.started_at};
        events.push_back(domain::attempt_started{job, open->number, e.adopted, at});
        return events;
      },
      attempts::written{});
}

void container_attempt::happen(const attempts::write_stop& e) {
  write_fact(domain::stop_intended{{}, 0, e.why}, attempts::stop_written{});
}

void container_attempt::happen(const attempts::write_end& e) {
  test_point("before_result");
  const domain::attempt_end how{e.why, e.exit_code, e.log, e.oom_killed};
  write([job = job_, how](const run_state& s) { return domain::decide_end(s, job, how); },
        attempts::written{});
}

void container_attempt::happen(const attempts::ask_turn& e) {
  ask_turn(e.after_ms, [this] { feed(attempts::turn{}); });
}

void container_attempt::happen(const attempts::write_work& e) {
  write_fact(domain::work_attempted{{}, 0, e.n, run_.epoch()}, attempts::written{});
}

/// Until an operator decides it needs no place at the engine.
void container_attempt::happen(const attempts::write_quarantine& e) {
  run_.ports().ready.give_back(&run_, job_);
  write_fact(domain::work_quarantined{{}, 0, e.crashes}, attempts::written{});
}

// The rest.

void container_attempt::happen(const attempts::tell_waiting&) {
  run_.tell_waiting(job_);
}

void container_attempt::happen(const attempts::set_timer& e) {
  run_.after(std::chrono::milliseconds(e.after_ms),
             later([this, token = e.token] { feed(attempts::timer_fired{token}); }));
}

void container_attempt::happen(const attempts::close&) {
  close();
}

adapters::work_key container_attempt::key() const {
  adapters::work_key key;
  key.labels = labels_of(run_.ports().settings, run_.state(), job_, intent_.attempt);
  key.name = intent_.container_name.value_or("");
  key.volume = intent_.volume.value_or(key.name);
  key.image_id = intent_.image_id.value_or("");
  key.engine_id = intent_.engine_id.value_or("");
  key.execution = execution_;
  return key;
}

adapters::work_spec container_attempt::spec() {
  adapters::work_spec spec;
  spec.container = container_spec_of(run_.ports().settings, run_.state(), job(), intent_, image_);
  if (auto archive = archive_for(task())) spec.archive = std::move(*archive);
  // A spare volume is as it was made for the first submission; after that nobody knows.
  spec.prepared = intent_.volume.has_value() && !std::exchange(submitted_, true);
  spec.may_start = may_mount();
  return spec;
}

/// What may be mounted is looked at again: a folder may have become a link since the launch.
std::function<bool()> container_attempt::may_mount() const {
  auto mounts = task().params.mounts.value_or(std::vector<domain::mount_spec>{});
  return [mounts = std::move(mounts), may = run_.ports().may_mount] {
    return std::all_of(mounts.begin(), mounts.end(), [&](const auto& m) { return may(m.source); });
  };
}

}  // namespace reeve::actors
