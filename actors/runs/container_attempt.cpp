#include "actors/runs/container_attempt.hpp"

#include "actors/runs/container_spec_of.hpp"
#include "adapters/mount_source.hpp"

#include <algorithm>
#include <utility>

namespace reeve::actors {

using domain::end_reason;

namespace {

// Half a second lies between two of them (run_settings::retry_ms).
constexpr int most_recreations = 10;

}  // namespace

std::shared_ptr<job_attempt> make_container_attempt(run_machine& run, const uuid& job) {
  return std::make_shared<container_attempt>(run, job);
}

void container_attempt::prepare() {
  if (engine().kind() != run_.state().launch->engine) return refuse(end_reason::engine_refused);
  using lists = executed<domain::image_list_state>;
  run_.ports().image_allowlist(run_.state().tenant, then<lists>([this](outcome<lists> found) {
                                 if (!found) {
                                   return run_.after(std::chrono::milliseconds(500),
                                                     later([this] { prepare(); }));
                                 }
                                 check_lists(*found->state);
                               }));
}

/// The allowlist is asked again right before the start, and the intent is guarded by the version
/// that was read: revoked between queueing and start is refused.
void container_attempt::check_lists(const domain::image_list_state& images) {
  const auto& params = task().params;
  auto reference = domain::parse_image_reference(*params.image);
  if (!reference) return refuse(end_reason::engine_refused);
  auto allowed = domain::check_allowed(task(), images, {}, "");
  if (!allowed) return refuse(end_reason::not_allowlisted);
  const auto* entry = domain::allowing_entry(images, *reference);
  persistence::stream_version guard{
      domain::stream_of<domain::image_list_state>(run_.state().tenant), images.stream_version};
  find_image(*entry, to_string(*reference), std::move(guard));
}

void container_attempt::find_image(const domain::image_allowed& entry, std::string reference,
                                   persistence::stream_version guard) {
  using image = adapters::image_info;
  const auto digest = entry.digest;
  engine().inspect_image(reference,
                         then<image>([this, digest, reference, guard](outcome<image> found) {
                           if (!found) {
                             const auto code = found.error().code;
                             if (code == errc::not_found) return refuse(end_reason::image_missing);
                             if (code == errc::invalid) return refuse(end_reason::engine_refused);
                             return retry(code, &container_attempt::prepare);
                           }
                           if (digest && *digest != found->id) {
                             return refuse(end_reason::image_changed);
                           }
                           image_ = *found;
                           intend(reference, found->id, guard);
                         }));
}

void container_attempt::intend(std::string reference, std::string image_id,
                               persistence::stream_version guard) {
  name_ = domain::container_name_of(run_.state().tenant, job_,
                                    static_cast<std::int64_t>(job().attempts.size()) + 1);
  // A spare one belongs to the usual user.
  if (!spare_ && !task().params.user) spare_ = run_.ports().spares->take();
  volume_ = spare_.value_or(name_);
  run_machine::decision d;
  d.guard = {std::move(guard)};
  d.decide = [job = job_, name = name_, reference, image_id, volume = spare_](
                 const domain::run_state& s, time_us now) {
    return domain::decide_intend(s, job, now, name, reference, image_id, volume);
  };
  d.then = [this, keep = shared_from_this()](outcome<done> ok) {
    if (closed_) return;
    if (ok) {
      intended_ = true;
      prepared_ = spare_.has_value();
      watch_deadline();
      return create();
    }
    if (ok.error().code == errc::version_conflict) return prepare();
    // A spare volume is not given back: an intent whose commit was in doubt may stand in the log
    // and name it, and no other attempt may ever get it.
    close();
  };
  run_.decide(std::move(d));
}

void container_attempt::create() {
  if (stopping_) return give_up(*stopping_);
  if (!may_mount()) return give_up(end_reason::not_allowlisted);
  if (prepared_) return create_container();
  run_.when_allowed(later([this] {
    engine().create_volume(volume_, labels_of(run_.ports().settings, run_.state(), job_, attempt()),
                           then<done>([this](outcome<done> ok) {
                             if (ok) return create_container();
                             const auto code = ok.error().code;
                             if (code == errc::invalid || code == errc::conflict) {
                               return give_up(end_reason::engine_refused);
                             }
                             retry(code, &container_attempt::create);
                           }));
  }));
}

void container_attempt::create_container() {
  using created = adapters::created_container;
  run_.when_allowed(later([this] {
    engine().create_container(spec(), then<created>([this](outcome<created> made) {
                                if (made) {
                                  container_id_ = made->id;
                                  return prepared_ ? check() : put_archive();
                                }
                                prepared_ = false;
                                switch (made.error().code) {
                                  case errc::conflict:
                                    return look();
                                  case errc::not_found:
                                    return give_up(end_reason::image_missing);
                                  case errc::invalid:
                                    return give_up(end_reason::engine_refused);
                                  case errc::engine_unavailable:
                                    return retry(made.error().code, &container_attempt::create);
                                  default:
                                    return retry(made.error().code, &container_attempt::look);
                                }
                              }));
  }));
}

void container_attempt::put_archive() {
  if (stopping_) return give_up(*stopping_);
  auto archive = archive_for(task());
  if (!archive) return give_up(end_reason::engine_refused);
  run_.when_allowed(later([this, files = std::move(*archive)] {
    engine().put_archive(container(), std::string(adapters::volume_target), files,
                         then<done>([this](outcome<done> ok) {
                           if (ok) return check();
                           const auto code = ok.error().code;
                           if (code == errc::invalid) return give_up(end_reason::engine_refused);
                           retry(code, &container_attempt::look);
                         }));
  }));
}

/// Between create and start: it is the image that was listed, and it never ran.
void container_attempt::check() {
  engine().inspect(container(), then<info>([this](outcome<info> found) {
                     if (!found) return retry(found.error().code, &container_attempt::look);
                     if (found->image_id != attempt().image_id) {
                       return give_up(end_reason::image_changed);
                     }
                     if (found->status != "created" || found->started_at != 0) {
                       return looked(*found);
                     }
                     container_id_ = found->id;
                     start();
                   }));
}

void container_attempt::start() {
  if (stopping_) return give_up(*stopping_);
  if (!may_mount()) return give_up(end_reason::not_allowlisted);
  run_.when_allowed(later([this] {
    using started = adapters::start_result;
    engine().start(container(), then<started>([this](outcome<started> ok) {
                     if (ok) return record_started(false);
                     switch (ok.error().code) {
                       case errc::invalid:
                       case errc::conflict:
                         // Perhaps somebody took the spare volume away, and the engine made an
                         // empty one in its place.
                         if (std::exchange(prepared_, false)) return put_archive();
                         return give_up(end_reason::start_failed);
                       case errc::engine_unavailable:
                         return retry(ok.error().code, &container_attempt::look);
                       default:
                         ++recreated_;
                         return retry(ok.error().code, &container_attempt::look);
                     }
                   }));
  }));
}

void container_attempt::record_started(bool adopted) {
  run_machine::decision d;
  d.decide = [job = job_, id = container_id_, adopted](const domain::run_state& s,
                                                       time_us) -> outcome<domain::run_events> {
    const auto* j = s.find(job);
    const auto* open = j == nullptr ? nullptr : j->open_attempt();
    if (open == nullptr) return reject(errc::conflict, "the attempt is closed");
    domain::run_events events;
    if (!open->container_id) {
      events.push_back(domain::container_created{job, open->number, id});
    }
    if (!open->started_at) {
      events.push_back(domain::attempt_started{job, open->number, adopted});
    }
    return events;
  };
  d.then = [this, keep = shared_from_this()](outcome<done> ok) {
    if (closed_) return;
    if (!ok) return close();
    wait();
  };
  run_.decide(std::move(d));
}

void container_attempt::resume() {
  if (engine().kind() != run_.state().launch->engine) {
    return end(end_reason::outcome_unknown, {}, {}, [this] { close(); });
  }
  name_ = *attempt().container_name;
  volume_ = attempt().volume.value_or(name_);
  intended_ = true;
  if (run_.state().cancel_requested) stopping_ = end_reason::cancelled;
  watch_deadline();
  look();
}

void container_attempt::look() {
  engine().inspect(name_, then<info>([this](outcome<info> found) {
                     if (found) return looked(*found);
                     const auto code = found.error().code;
                     if (code != errc::not_found) return retry(code, &container_attempt::look);
                     if (attempt().started_at || waiting_) {
                       return end(end_reason::outcome_unknown, {}, {}, [this] { remove(); });
                     }
                     if (stopping_) return give_up(*stopping_);
                     create();
                   }));
}

void container_attempt::looked(const info& found) {
  if (!is_ours(found.labels, run_.ports().settings, job_, attempt().number)) {
    return end(end_reason::engine_refused, {}, {}, [this] { close(); });
  }
  container_id_ = found.id;
  if (found.image_id != attempt().image_id) return give_up(end_reason::image_changed);
  if (found.started_at == 0 && !attempt().started_at) return never_started();
  if (found.status == "running" || found.status == "paused" || found.status == "restarting") {
    if (stopping_) stop(*stopping_);
    return record_started(true);
  }
  if (!attempt().started_at) {
    return record_started(true);
  }
  collect();
}

void container_attempt::never_started() {
  prepared_ = false;
  if (stopping_) return give_up(*stopping_);
  // It goes, and with it its id, by which another leader that wakes up late may still want to write
  // its files or start it. An engine that was killed while it started a container refuses every
  // further start, and removes it (`dead` until then) only when what it had started is over. The
  // marker on the volume keeps a second execution out.
  if (recreated_ > most_recreations) return give_up(end_reason::start_failed);
  run_.when_allowed(later([this] {
    engine().remove_container(container(), true, then<done>([this](outcome<done> ok) {
                                if (ok || ok.error().code == errc::not_found) {
                                  container_id_.clear();
                                  return create();
                                }
                                ++recreated_;
                                retry(ok.error().code, &container_attempt::look);
                              }));
  }));
}

void container_attempt::wait() {
  waiting_ = true;
  if (stopping_) stop(*stopping_);
  using result = adapters::wait_result;
  engine().wait(container(), then<result>([this](outcome<result> ended) {
                  if (ended) return collect();
                  retry(ended.error().code, &container_attempt::look);
                }));
}

void container_attempt::watch_deadline() {
  const auto& open = attempt();
  const auto most = std::max<time_us>(0, open.deadline_at - open.intended_at);
  const auto left = std::clamp<time_us>(open.deadline_at - run_.ports().clock.now_us(), 0, most);
  run_.after(std::chrono::milliseconds(left / 1000 + 1), later([this] {
               if (!stopping_) stop(end_reason::timed_out);
             }));
}

void container_attempt::cancel() {
  if (!intended_) return close();
  if (!stopping_) stop(end_reason::cancelled);
}

void container_attempt::stop(end_reason why) {
  stopping_ = why;
  if (!waiting_) return;
  const int grace_s = static_cast<int>(run_.state().launch->directive.limits.stop_grace_s);
  run_.when_allowed(later([this, grace_s] {
    engine().stop(container(), grace_s, then<done>([this](outcome<done> ok) {
                    if (ok || ok.error().code == errc::not_found) return;
                    run_.after(std::chrono::milliseconds(run_.ports().settings.retry_ms),
                               later([this] { stop(*stopping_); }));
                  }));
  }));
}

void container_attempt::retry(errc code, void (container_attempt::*next)()) {
  auto go = later([this, next] { (this->*next)(); });
  if (code == errc::engine_unavailable) return run_.when_engine(job_, go);
  run_.after(std::chrono::milliseconds(run_.ports().settings.retry_ms), go);
}

bool container_attempt::may_mount() const {
  const auto& mounts = task().params.mounts;
  const auto& roots = run_.ports().settings.mount_roots;
  return !mounts || std::all_of(mounts->begin(), mounts->end(), [&](const auto& m) {
    return adapters::may_mount(m.source, roots);
  });
}

adapters::container_spec container_attempt::spec() const {
  return container_spec_of(run_.ports().settings, run_.state(), job(), image_);
}

}  // namespace reeve::actors
