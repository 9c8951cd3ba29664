#include "adapters/container_work.hpp"

#include "adapters/docker/container_rules.hpp"
#include "adapters/docker/docker_body.hpp"
#include "adapters/submission.hpp"

#include <algorithm>
#include <utility>

namespace reeve::adapters {

using domain::attempts::execution;
using domain::attempts::execution_phase;
using domain::attempts::found;
using domain::attempts::found_where;

bool is_of(const container_info& info, const work_key& key) {
  const bool labelled = std::all_of(key.labels.begin(), key.labels.end(), [&](const auto& label) {
    const auto has = info.labels.find(label.first);
    return has != info.labels.end() && has->second == label.second;
  });
  const bool known = key.execution.empty() ? info.name == key.name : info.id == key.execution;
  return labelled && known && info.image_id == key.image_id;
}

digest hash_of(const container_spec& spec) {
  return sha256(create_body(spec));
}

execution execution_of(const container_info& info) {
  execution e;
  e.id = info.id;
  e.started_at = info.started_at;
  e.finished_at = info.finished_at;
  e.oom_killed = info.oom_killed;
  const bool alive =
      info.status == "running" || info.status == "paused" || info.status == "restarting";
  e.phase = info.started_at == 0 ? execution_phase::created
            : alive              ? execution_phase::running
                                 : execution_phase::ended;
  return e;
}

container_work::container_work(container_engine& engine, std::int64_t slots, std::int64_t starts)
    : engine_(engine), slots_(slots), starts_(starts) {}

void container_work::ask_again_who_it_is() {
  std::lock_guard lock(mutex_);
  id_.clear();
}

void container_work::identity(reply_slot<std::string> slot) {
  {
    std::lock_guard lock(mutex_);
    if (!id_.empty()) return slot.answer(id_);
  }
  engine_.version_info(reply_slot<engine_version>([this, slot](outcome<engine_version> version) {
    if (!version) return slot.answer(version.error());
    {
      std::lock_guard lock(mutex_);
      id_ = version->id;
    }
    slot.answer(version->id);
  }));
}

/// Through the breaker, unlike a ping: it says the same as what will be asked next.
void container_work::reach(reply_slot<done> slot) {
  engine_.version_info(reply_slot<engine_version>([slot](outcome<engine_version> version) {
    slot.answer(version ? outcome<done>(done{}) : version.error());
  }));
}

void container_work::capabilities(std::string image, reply_slot<engine_capabilities> slot) {
  engine_.inspect_image(
      std::move(image), reply_slot<image_info>([this, slot](outcome<image_info> found) {
        if (!found) {
          if (failure_of(found.error().code) == domain::attempts::failure::away) {
            ask_again_who_it_is();
          }
          return slot.answer(found.error());
        }
        if (std::any_of(found->volumes.begin(), found->volumes.end(), hides_our_volume)) {
          return slot.answer(
              reject(errc::invalid, "a volume of the image lies at / or below /reeve"));
        }
        engine_capabilities has{
            std::string(kind()), {}, slots_, kind() != "simulated", std::move(*found)};
        identity(reply_slot<std::string>([slot, has](outcome<std::string> id) mutable {
          if (!id) return slot.answer(id.error());
          has.engine_id = *id;
          slot.answer(std::move(has));
        }));
      }));
}

void container_work::prepare(work_key key, fencing_token by, reply_slot<done> slot) {
  engine_.create_volume(by, std::move(key.volume), std::move(key.labels), std::move(slot));
}

void container_work::find(work_key key, reply_slot<found> slot) {
  const auto known = key.execution.empty() ? key.name : key.execution;
  engine_.inspect(known,
                  reply_slot<container_info>([this, key, slot](outcome<container_info> info) {
                    if (info && is_of(*info, key)) {
                      return how_long_it_ran(execution_of(*info), slot);
                    }
                    if (info) return slot.answer(found{found_where::foreign, {}});
                    if (info.error().code == errc::not_found) return not_there(key, slot);
                    slot.answer(info.error());
                  }));
}

/// By the engine's clock, which told when it started: the server that looks may be another one than
/// the one that wrote the start down, and its clock another one too.
void container_work::how_long_it_ran(execution what, reply_slot<found> slot) {
  if (what.phase != execution_phase::running) {
    return slot.answer(found{found_where::here, what});
  }
  engine_.version_info(
      reply_slot<engine_version>([what, slot](outcome<engine_version> version) mutable {
        if (version && version->now > 0)
          what.ran_us = std::max<time_us>(0, version->now - what.started_at);
        slot.answer(found{found_where::here, what});
      }));
}

/// An engine that does not have it may be another one than the one that the intent names. What was
/// known of its identity may be older than the exchange.
void container_work::not_there(const work_key& key, reply_slot<found> slot) {
  ask_again_who_it_is();
  identity(reply_slot<std::string>([this, key, slot](outcome<std::string> id) {
    if (!id) return slot.answer(id.error());
    const bool other = !key.engine_id.empty() && *id != key.engine_id;
    if (other) return slot.answer(found{found_where::other_engine, {}});
    if (!key.volume_came_first) return slot.answer(found{found_where::nowhere, {}});
    look_for_volume(key, slot);
  }));
}

/// An administrator who prunes an engine takes the marker of an execution away with it.
void container_work::look_for_volume(const work_key& key, reply_slot<found> slot) {
  using volumes = std::vector<volume_summary>;
  engine_.list_volumes({}, reply_slot<volumes>([name = key.volume, slot](outcome<volumes> all) {
                         if (!all) return slot.answer(all.error());
                         const bool there =
                             std::any_of(all->begin(), all->end(),
                                         [&](const auto& one) { return one.name == name; });
                         slot.answer(found{there ? found_where::nowhere : found_where::erased, {}});
                       }));
}

void container_work::submit(work_key key, work_spec spec, fencing_token by,
                            reply_slot<submit_answer> slot) {
  submit_container(engine_, std::move(key), std::move(spec), by, std::move(slot));
}

void container_work::watch(std::string execution, reply_slot<wait_result> slot) {
  // Whoever asked before was taken up anew, and must not keep a second connection open.
  reply_slot<wait_result> before;
  {
    const std::lock_guard lock(watches_->mutex);
    const auto [at, is_first] = watches_->by_execution.try_emplace(execution, slot);
    if (!is_first) before = std::exchange(at->second, slot);
  }
  if (before) return;
  engine_.wait(execution,
               reply_slot<wait_result>([watches = watches_, execution](outcome<wait_result> ended) {
                 std::unique_lock lock(watches->mutex);
                 const auto asked = watches->by_execution.extract(execution);
                 lock.unlock();
                 if (asked) asked.mapped().answer(std::move(ended));
               }));
}

void container_work::stop(std::string execution, int grace_s, fencing_token by,
                          reply_slot<stop_result> slot) {
  engine_.stop(by, std::move(execution), grace_s,
               reply_slot<stop_result>([slot](outcome<stop_result> answer) {
                 if (answer) return slot.answer(*answer);
                 const auto code = answer.error().code;
                 const bool gone = code == errc::not_found || code == errc::conflict;
                 if (gone) return slot.answer(stop_result{false});
                 slot.answer(answer.error());
               }));
}

void container_work::collect(std::string execution, std::size_t bytes_each,
                             std::shared_ptr<call_stopper> stopper, reply_slot<kept_output> slot) {
  engine_.output(std::move(execution), bytes_each, std::move(stopper),
                 reply_slot<kept_output>([slot](outcome<kept_output> a) {
                   // A container that is gone, or whose driver keeps no log, has none.
                   const bool none =
                       !a && (a.error().code == errc::not_found || a.error().code == errc::invalid);
                   if (!none) return slot.answer(std::move(a));
                   kept_output nothing;
                   nothing.gone = true;
                   slot.answer(std::move(nothing));
                 }));
}

void container_work::follow(std::string execution, std::shared_ptr<output_sink> to,
                            std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) {
  engine_.follow(std::move(execution), std::move(to), std::move(stopper), std::move(slot));
}

void container_work::forget(work_key key, fencing_token by, reply_slot<done> slot) {
  reply_slot<done> removed([this, key, by, slot](outcome<done> ok) {
    if (!ok && ok.error().code != errc::not_found) return slot.answer(ok.error());
    forget_volume(key, by, slot);
  });
  if (!key.execution.empty()) return engine_.remove_container(by, key.execution, true, removed);
  engine_.inspect(
      key.name, reply_slot<container_info>([this, key, by, removed](outcome<container_info> info) {
        if (!info) return removed.answer(info.error());
        if (!is_of(*info, key)) return removed.answer(done{});
        engine_.remove_container(by, info->id, true, removed);
      }));
}

void container_work::forget_volume(const work_key& key, fencing_token by, reply_slot<done> slot) {
  engine_.remove_volume(by, key.volume, reply_slot<done>([slot](outcome<done> ok) {
                          // What still uses it is found by reconciliation.
                          const bool over = ok || ok.error().code == errc::not_found ||
                                            ok.error().code == errc::conflict;
                          slot.answer(over ? outcome<done>(done{}) : ok);
                        }));
}

}  // namespace reeve::adapters
