#include "actors/runs/reconciler.hpp"

#include "actors/runs/orphan_watch.hpp"
#include "actors/runs/run_actor.hpp"
#include "actors/tree_parts.hpp"
#include "base/test_point.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace reeve::actors {
namespace {

/// Whose a container says that it is.
struct labelled {
  uuid tenant, run, job;
  std::string image_id;
};

std::optional<labelled> labelled_by(const adapters::container_summary& c) {
  const auto id = [&](const char* key) {
    const auto label = c.labels.find(key);
    return label == c.labels.end() ? std::nullopt : parse_uuid(label->second);
  };
  const auto tenant = id("reeve.tenant"), run = id("reeve.run"), job = id("reeve.job");
  if (!tenant || !run || !job) return std::nullopt;
  return labelled{*tenant, *run, *job, c.image_id};
}

struct reconcile_work {
  caf::event_based_actor* self;
  run_ports* ports;
  system_event_log* system_log;
  reconciler_settings own;
  orphan_watch watch{own.orphan_s * 1'000'000};
  bool busy = false;
  std::set<uuid> active{};                     // when the last look began
  std::map<std::string, labelled> attempts{};  // of the last look, by container id

  caf::actor handle() const { return caf::actor_cast<caf::actor>(self); }

  std::vector<adapters::label_filter> ours() const {
    return {{"reeve.instance", to_string(ports->settings.instance)}};
  }

  void begin() {
    test_point("reconcile");
    if (busy) return;
    busy = true;
    active = ports->registry.ids();
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
    attempts.clear();
    for (const auto& c : containers) {
      if (const auto whose = labelled_by(c)) attempts.emplace(c.id, *whose);
    }
    const auto owned = [this](const adapters::label_map& labels) {
      if (ports->spares->owns(labels)) return true;
      const auto label = labels.find("reeve.run");
      const auto run = label == labels.end() ? std::nullopt : parse_uuid(label->second);
      // One that ended since the look began may have had its volume when that was listed.
      return run && (active.contains(*run) || ports->registry.find(*run));
    };
    const auto seen = watch.look(strays_of(containers, volumes, owned), ports->clock.mono_us());
    for (const auto& one : seen.fresh) {
      system_log->record(domain::orphan_found{one.container_id, one.name, "quarantined"});
    }
    for (const auto& one : seen.due) remove(one);
  }

  /// The log has the last word on a container with an attempt's name and labels: where it knows
  /// another id or image for that attempt, this one was made by somebody else.
  void remove(const stray& one) {
    const auto made = attempts.find(one.container_id);
    if (made == attempts.end()) return remove_now(one);
    const auto whose = made->second;
    using answer = std::shared_ptr<const domain::run_state>;
    rebuild<domain::run_state>(
        ports->reads, whose.tenant, domain::stream_of<domain::run_state>(whose.run), no_end,
        resume_with<answer>(handle(), [this, one, whose](outcome<answer> state) {
          if (state && agrees(**state, whose, one)) remove_now(one);
        }));
  }

  static bool agrees(const domain::run_state& run, const labelled& whose, const stray& one) {
    const auto* job = run.find(whose.job);
    if (job == nullptr) return true;  // nobody but Reeve makes names for jobs that never were
    for (const auto& attempt : job->attempts) {
      if (attempt.intent.container_name != one.name) continue;
      // Whose end is not in the log is no orphan, whatever has become of its run's actor.
      if (job->open_attempt() == &attempt) return false;
      const bool same_id = !attempt.container_id || attempt.container_id == one.container_id;
      return same_id && attempt.intent.image_id == whose.image_id;
    }
    return true;
  }

  void remove_now(const stray& one) {
    const auto by = ports->lead.token();
    if (!by) return;
    const bool volume = one.container_id.empty();
    auto removed = resume_with<done>(handle(), [this, one, volume](outcome<done> ok) {
      if (!ok) return;
      system_log->record(domain::orphan_found{one.container_id, one.name, "removed"});
      const auto still = ports->lead.token();
      if (volume || !still) return;
      ports->engine.remove_volume(*still, one.name, reply_slot<done>([](outcome<done>) {}));
    });
    if (volume) return ports->engine.remove_volume(*by, one.name, std::move(removed));
    ports->engine.remove_container(*by, one.container_id, true, std::move(removed));
  }

  void again() {
    cc::tell_after(self, std::chrono::seconds(own.every_s), handle(), continuation{[this] {
                     begin();
                     again();
                   }});
  }
};

caf::behavior reconciler_actor(caf::event_based_actor* self, tree_parts& tree,
                               const child_context& context) {
  auto work = std::make_shared<reconcile_work>(
      reconcile_work{self, &tree.ports, &tree.system_log, tree.own<reconciler_settings>()});
  work->begin();
  work->again();
  context.ready();
  return {[work](const continuation& c) { c.run(); },
          [work](const engine_is_back&) { work->begin(); }};
}

}  // namespace

child_spec reconciler_child(tree_parts& tree) {
  child_spec spec;
  spec.name = "reconciler";
  spec.slot = tree.reconciler;
  spec.start = [&tree](caf::actor_system& sys, const child_context& context) {
    return cc::spawn<caf::event_based_actor>(sys, [&tree, context](caf::event_based_actor* self) {
      return reconciler_actor(self, tree, context);
    });
  };
  return spec;
}

}  // namespace reeve::actors
