#include "adapters/guarded_engine.hpp"

#include "adapters/bulkhead.hpp"
#include "adapters/engine_probe.hpp"
#include "adapters/engine_verdicts.hpp"
#include "domain/access/container_names.hpp"

#include <array>
#include <map>
#include <mutex>

namespace reeve::adapters {
namespace {

/// What containers are called that are asked for by their ids. Thread-safe.
class container_names {
 public:
  void learn(const std::string& id, const std::string& name) {
    std::lock_guard lock{mutex_};
    if (names_.size() >= most) names_.clear();
    names_[id] = name;
  }
  std::string name_of(const std::string& any) const {
    std::lock_guard lock{mutex_};
    const auto found = names_.find(any);
    return found == names_.end() ? any : found->second;
  }
  /// Whose calls take turns with those of others: a tenant's, or empty.
  std::string flow_of(const std::string& any) const {
    return std::string(domain::tenant_part_of(name_of(any)));
  }

 private:
  static constexpr std::size_t most = 16'384;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> names_;  // by id
};

/// Not inlined: g++ 12 at -O2 else warns of the vector that an error does not have.
template <class T>
[[gnu::noinline]] void refuse(const reply_slot<T>& slot, outcome<T> why) {
  slot.answer(std::move(why));
}

}  // namespace

std::string_view name_of(call_class kind) {
  switch (kind) {
    case call_class::read:
      return "read";
    case call_class::mutate:
      return "mutate";
    case call_class::build:
      return "build";
  }
  return "read";
}

struct guarded_engine::impl {
  impl(std::unique_ptr<container_engine> engine, guard_options options, listeners listening)
      : told(std::move(listening)),
        read({options.reads_at_once, options.queued}, options.jitter_seed + 1, now(),
             on_breaker(call_class::read)),
        mutate({options.mutations_at_once, options.queued}, options.jitter_seed + 2, now(),
               on_breaker(call_class::mutate)),
        build({options.builds_at_once, options.queued}, options.jitter_seed + 3, now(),
              on_breaker(call_class::build)),
        kind{engine->kind()},
        inner(std::move(engine)) {
    probe = std::make_unique<engine_probe>(
        *inner, options.probe_up_ms, options.probe_down_ms,
        [this](const probe_result& result) { availability_changed(result); });
  }
  ~impl() {
    probe->stop();
    for (auto* door : doors()) door->close();
    // Answers what is under way, into the doors and the probe that are still there.
    inner.reset();
  }

  static bulkhead::clock now() {
    return [] { return real_clock().mono_us(); };
  }
  circuit_breaker::listener on_breaker(call_class kind) {
    return [this, kind](breaker_state from, breaker_state to) {
      if (told.on_breaker) told.on_breaker(kind, from, to);
    };
  }
  std::array<bulkhead*, 3> doors() { return {&read, &mutate, &build}; }
  bulkhead& door(call_class kind) { return *doors()[static_cast<std::size_t>(kind)]; }

  void availability_changed(const probe_result& result) {
    for (auto* door : doors()) result.available ? door->reset() : door->trip();
    if (told.on_available) told.on_available(status(result));
  }
  engine_status status(const probe_result& result) {
    auto worst = breaker_state::closed;
    for (auto* door : doors()) {
      auto state = door->state();
      if (state == breaker_state::open || worst == breaker_state::closed) worst = state;
    }
    return {kind,
            result.available,
            std::string{name_of(worst)},
            result.version.version,
            result.version.api_version,
            result.version.live_restore,
            result.version.id,
            result.detail,
            result.version.data_root};
  }
  template <class T>
  bulkhead::verdict verdict_on(call_class kind, const std::string& object,
                               const outcome<T>& answer) {
    if (answer) return bulkhead::verdict::success;
    const auto verdict =
        verdicts.on_error(name_of(kind), answer.error().code, names.name_of(object));
    if (verdict == bulkhead::verdict::failure) probe->look_now();
    return verdict;
  }

  listeners told;
  container_names names;
  engine_verdicts verdicts;
  bulkhead read;
  bulkhead mutate;
  bulkhead build;
  std::string kind;
  std::unique_ptr<container_engine> inner;
  std::unique_ptr<engine_probe> probe;
};

guarded_engine::guarded_engine(std::unique_ptr<container_engine> inner, guard_options options,
                               listeners told)
    : impl_(std::make_unique<impl>(std::move(inner), options, std::move(told))) {}

guarded_engine::~guarded_engine() = default;

engine_status guarded_engine::status() const {
  return impl_->status(impl_->probe->last());
}

template <class T>
void guarded_engine::guard(call_class kind, std::string object, reply_slot<T> slot,
                           std::function<void(container_engine&, reply_slot<T>)> call) {
  auto* self = impl_.get();
  auto flow = self->names.flow_of(object);
  auto run = [self, kind, object = std::move(object), slot,
              call = std::move(call)](bulkhead::ticket ticket) {
    call(*self->inner, reply_slot<T>{[self, kind, object, slot, ticket](outcome<T> answer) {
      self->door(kind).finish(ticket, self->verdict_on(kind, object, answer));
      slot.answer(std::move(answer));
    }});
  };
  self->door(kind).enter({std::move(run),
                          [slot](rejection why) { refuse<T>(slot, std::move(why)); },
                          std::move(flow)});
}

/// That a call was stopped says nothing about the engine, however it ends then.
template <class T>
void guarded_engine::guard_long(call_class kind, std::string object, reply_slot<T> slot,
                                std::function<void(container_engine&, reply_slot<T>)> call,
                                std::shared_ptr<call_stopper> stopper) {
  auto* self = impl_.get();
  const auto ticket = self->door(kind).admit_long();
  if (!ticket) return refuse<T>(slot, ticket.error());
  call(*self->inner,
       reply_slot<T>{[self, kind, call = *ticket, object, slot, stopper](outcome<T> answer) {
         const bool is_stopped = stopper && stopper->is_stopped();
         const auto result =
             is_stopped ? bulkhead::verdict::neither : self->verdict_on(kind, object, answer);
         self->door(kind).finish_long(call, result);
         slot.answer(std::move(answer));
       }});
}

std::string_view guarded_engine::kind() const {
  return impl_->kind;
}

void guarded_engine::ping(reply_slot<done> slot) {
  impl_->inner->ping(std::move(slot));
}

void guarded_engine::version_info(reply_slot<engine_version> slot) {
  impl_->inner->version_info(std::move(slot));
}

void guarded_engine::inspect_image(std::string ref, reply_slot<image_info> slot) {
  guard<image_info>(call_class::read, ref, std::move(slot),
                    [ref](auto& engine, auto inner) { engine.inspect_image(ref, inner); });
}

void guarded_engine::import_image(fencing_token by, tar_source tar, std::string ref,
                                  reply_slot<std::string> slot) {
  guard<std::string>(call_class::build, ref, std::move(slot),
                     [by, tar = std::move(tar), ref](auto& engine, auto inner) mutable {
                       engine.import_image(by, std::move(tar), ref, inner);
                     });
}

void guarded_engine::create_volume(fencing_token by, std::string name, label_map labels,
                                   reply_slot<done> slot) {
  guard<done>(call_class::mutate, name, std::move(slot),
              [by, name, labels](auto& engine, auto inner) {
                engine.create_volume(by, name, labels, inner);
              });
}

void guarded_engine::remove_volume(fencing_token by, std::string name, reply_slot<done> slot) {
  guard<done>(call_class::mutate, name, std::move(slot),
              [by, name](auto& engine, auto inner) { engine.remove_volume(by, name, inner); });
}

void guarded_engine::list_volumes(std::vector<label_filter> filters,
                                  reply_slot<std::vector<volume_summary>> slot) {
  guard<std::vector<volume_summary>>(
      call_class::read, "volumes", std::move(slot),
      [filters](auto& engine, auto inner) { engine.list_volumes(filters, inner); });
}

void guarded_engine::create_container(fencing_token by, container_spec spec,
                                      reply_slot<created_container> slot) {
  auto* self = impl_.get();
  const auto name = spec.name;
  reply_slot<created_container> known{[self, name, slot](outcome<created_container> made) {
    if (made) self->names.learn(made->id, name);
    slot.answer(std::move(made));
  }};
  guard<created_container>(call_class::mutate, name, std::move(known),
                           [by, spec = std::move(spec)](auto& engine, auto inner) {
                             engine.create_container(by, spec, inner);
                           });
}

void guarded_engine::look_at(std::string container, std::string path, reply_slot<path_kind> slot) {
  guard<path_kind>(
      call_class::read, container, std::move(slot),
      [container, path](auto& engine, auto inner) { engine.look_at(container, path, inner); });
}

void guarded_engine::put_archive(fencing_token by, std::string container, std::string path,
                                 shared_bytes tar, reply_slot<done> slot) {
  guard<done>(call_class::mutate, container, std::move(slot),
              [by, container, path, tar = std::move(tar)](auto& engine, auto inner) {
                engine.put_archive(by, container, path, tar, inner);
              });
}

void guarded_engine::start(fencing_token by, std::string container, reply_slot<start_result> slot) {
  guard<start_result>(
      call_class::mutate, container, std::move(slot),
      [by, container](auto& engine, auto inner) { engine.start(by, container, inner); });
}

void guarded_engine::wait(std::string container, reply_slot<wait_result> slot) {
  guard_long<wait_result>(call_class::read, container, std::move(slot),
                          [container](auto& engine, auto inner) { engine.wait(container, inner); });
}

void guarded_engine::inspect(std::string id_or_name, reply_slot<container_info> slot) {
  auto* self = impl_.get();
  reply_slot<container_info> known{[self, slot](outcome<container_info> found) {
    if (found) self->names.learn(found->id, found->name);
    slot.answer(std::move(found));
  }};
  guard<container_info>(
      call_class::read, id_or_name, std::move(known),
      [id_or_name](auto& engine, auto inner) { engine.inspect(id_or_name, inner); });
}

void guarded_engine::details(std::string id_or_name, reply_slot<container_details> slot) {
  guard<container_details>(
      call_class::read, id_or_name, std::move(slot),
      [id_or_name](auto& engine, auto inner) { engine.details(id_or_name, inner); });
}

void guarded_engine::list_networks(reply_slot<std::vector<network_summary>> slot) {
  guard<std::vector<network_summary>>(
      call_class::read, "networks", std::move(slot),
      [](auto& engine, auto inner) { engine.list_networks(inner); });
}

void guarded_engine::list(std::vector<label_filter> filters,
                          reply_slot<std::vector<container_summary>> slot) {
  guard<std::vector<container_summary>>(
      call_class::read, "containers", std::move(slot),
      [filters](auto& engine, auto inner) { engine.list(filters, inner); });
}

void guarded_engine::logs(std::string container, log_query query, reply_slot<log_answer> slot) {
  guard<log_answer>(
      call_class::read, container, std::move(slot),
      [container, query](auto& engine, auto inner) { engine.logs(container, query, inner); });
}

/// It lasts as long as the output flows. How many are read at once is bounded by the room that each
/// asks for before.
void guarded_engine::output(std::string container, std::size_t bytes_each,
                            std::shared_ptr<call_stopper> stopper, reply_slot<kept_output> slot) {
  guard_long<kept_output>(
      call_class::read, container, std::move(slot),
      [container, bytes_each, stopper](auto& engine, auto inner) {
        engine.output(container, bytes_each, stopper, inner);
      },
      stopper);
}

void guarded_engine::follow(std::string container, std::shared_ptr<output_sink> to,
                            std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) {
  guard_long<done>(
      call_class::read, container, std::move(slot),
      [container, to = std::move(to), stopper](auto& engine, auto inner) {
        engine.follow(container, to, stopper, inner);
      },
      stopper);
}

/// It is answered when the container has ended: with a limit of its own, or those who ignore
/// SIGTERM would keep everybody else out for their grace.
void guarded_engine::stop(fencing_token by, std::string container, int grace_s,
                          reply_slot<stop_result> slot) {
  guard_long<stop_result>(call_class::mutate, container, std::move(slot),
                          [by, container, grace_s](auto& engine, auto inner) {
                            engine.stop(by, container, grace_s, inner);
                          });
}

void guarded_engine::kill(fencing_token by, std::string container, int signal,
                          reply_slot<done> slot) {
  guard<done>(call_class::mutate, container, std::move(slot),
              [by, container, signal](auto& engine, auto inner) {
                engine.kill(by, container, signal, inner);
              });
}

void guarded_engine::remove_container(fencing_token by, std::string container, bool force,
                                      reply_slot<done> slot) {
  guard<done>(call_class::mutate, container, std::move(slot),
              [by, container, force](auto& engine, auto inner) {
                engine.remove_container(by, container, force, inner);
              });
}

}  // namespace reeve::adapters
