#include "actors/runs/reconciler.hpp"

#include "actors/runs/orphan_watch.hpp"

#include <chrono>
#include <utility>

namespace reeve::actors {
namespace {

struct reconcile_work {
  caf::event_based_actor* self;
  run_ports* ports;
  system_event_log* system_log;
  reconcile_times times;
  orphan_watch watch{times.orphan_ms * 1000};
  bool busy = false;

  caf::actor handle() const { return caf::actor_cast<caf::actor>(self); }

  std::vector<adapters::label_filter> ours() const {
    return {{"reeve.instance", to_string(ports->settings.instance)}};
  }

  void begin() {
    if (busy) return;
    busy = true;
    using containers = std::vector<adapters::container_summary>;
    ports->engine.list(ours(), resume_with<containers>(handle(), [this](outcome<containers> found) {
                         if (found) return list_volumes(std::move(*found));
                         busy = false;
                       }));
  }

  void list_volumes(std::vector<adapters::container_summary> containers) {
    using volumes = std::vector<adapters::volume_summary>;
    ports->engine.list_volumes(
        ours(), resume_with<volumes>(
                    handle(), [this, containers = std::move(containers)](outcome<volumes> found) {
                      busy = false;
                      if (found) compare(containers, *found);
                    }));
  }

  void compare(const std::vector<adapters::container_summary>& containers,
               const std::vector<adapters::volume_summary>& volumes) {
    const auto owned = [this](const adapters::label_map& labels) {
      if (ports->spares->owns(labels)) return true;
      const auto label = labels.find("reeve.run");
      const auto run = label == labels.end() ? std::nullopt : parse_uuid(label->second);
      return run && ports->registry.find(*run);
    };
    const auto seen = watch.look(strays_of(containers, volumes, owned), ports->clock.mono_us());
    for (const auto& one : seen.fresh) {
      system_log->record(domain::orphan_found{one.container_id, one.name, "quarantined"});
    }
    for (const auto& one : seen.due) remove(one);
  }

  void remove(const stray& one) {
    if (!ports->lead.token()) return;
    const bool volume = one.container_id.empty();
    auto removed = resume_with<done>(handle(), [this, one, volume](outcome<done> ok) {
      if (!ok) return;
      system_log->record(domain::orphan_found{one.container_id, one.name, "removed"});
      if (!volume) ports->engine.remove_volume(one.name, reply_slot<done>([](outcome<done>) {}));
    });
    if (volume) return ports->engine.remove_volume(one.name, std::move(removed));
    ports->engine.remove_container(one.container_id, true, std::move(removed));
  }

  void again() {
    cc::tell_after(self, std::chrono::milliseconds(times.every_ms), handle(), continuation{[this] {
                     begin();
                     again();
                   }});
  }
};

}  // namespace

caf::behavior reconciler_actor(caf::event_based_actor* self, run_ports* ports,
                               system_event_log* system_log, reconcile_times times,
                               std::function<void()> ready) {
  auto work = std::make_shared<reconcile_work>(reconcile_work{self, ports, system_log, times});
  work->begin();
  work->again();
  ready();
  return {[work](const continuation& c) { c.run(); },
          [work](const reconcile_now&) { work->begin(); }};
}

}  // namespace reeve::actors
