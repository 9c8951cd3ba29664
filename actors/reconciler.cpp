#include "actors/reconciler.hpp"

#include <chrono>
#include <map>
#include <utility>

namespace reeve::actors {
namespace {

constexpr std::int64_t quarantine_us = 60 * us_per_second;

struct reconcile_work {
  caf::event_based_actor* self;
  run_ports* ports;
  fact_log* facts;
  std::int64_t every_ms;
  std::map<std::string, std::int64_t> first_seen;  // by container id, monotonic
  bool busy = false;

  caf::actor handle() const { return caf::actor_cast<caf::actor>(self); }

  void begin() {
    if (busy) return;
    busy = true;
    using containers = std::vector<adapters::container_summary>;
    ports->engine.list({{"reeve.instance", to_string(ports->settings.instance)}},
                       resume_with<containers>(handle(), [this](outcome<containers> found) {
                         busy = false;
                         if (found) compare(*found);
                       }));
  }

  void compare(const std::vector<adapters::container_summary>& found) {
    std::map<std::string, std::int64_t> still;
    const auto now = ports->clock.mono_us();
    for (const auto& c : found) {
      const auto label = c.labels.find("reeve.run");
      const auto run = label == c.labels.end() ? std::nullopt : parse_uuid(label->second);
      if (run && ports->registry.find(*run)) continue;
      const auto seen = first_seen.find(c.id);
      if (seen == first_seen.end()) {
        facts->record(domain::orphan_found{c.id, c.name, "quarantined"});
        still[c.id] = now;
      } else if (now - seen->second >= quarantine_us) {
        remove(c);
      } else {
        still[c.id] = seen->second;
      }
    }
    first_seen = std::move(still);
  }

  void remove(const adapters::container_summary& c) {
    if (!ports->journal.may_act()) return;
    ports->engine.remove_container(
        c.id, true, resume_with<done>(handle(), [this, c](outcome<done> ok) {
          if (!ok) return;
          facts->record(domain::orphan_found{c.id, c.name, "removed"});
          ports->engine.remove_volume(c.name, reply_slot<done>([](outcome<done>) {}));
        }));
  }

  void again() {
    cc::tell_after(self, std::chrono::milliseconds(every_ms), handle(), continuation{[this] {
                     begin();
                     again();
                   }});
  }
};

}  // namespace

caf::behavior reconciler_actor(caf::event_based_actor* self, run_ports* ports, fact_log* facts,
                               std::int64_t every_ms, std::function<void()> ready) {
  auto work = std::make_shared<reconcile_work>();
  work->self = self;
  work->ports = ports;
  work->facts = facts;
  work->every_ms = every_ms;
  work->begin();
  work->again();
  ready();
  return {[work](const continuation& c) { c.run(); },
          [work](const reconcile_now&) { work->begin(); }};
}

}  // namespace reeve::actors
