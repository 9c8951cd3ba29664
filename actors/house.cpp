#include "actors/house.hpp"

#include "actors/command_desk.hpp"
#include "actors/fact_log.hpp"
#include "actors/journal_actor.hpp"
#include "actors/reconciler.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace reeve::actors {
namespace {

using namespace std::chrono_literals;

/// The start and the normal end of a run's actor say nothing that the run's events do not.
bool is_worth_recording(const domain::supervision_fact& fact) {
  const bool of_a_run = fact.path.find("/runs/") != std::string::npos;
  if (!of_a_run) return true;
  return fact.what != domain::fact_kind::started && is_abnormal(fact.reason);
}

domain::agent_changed event_of(const domain::supervision_fact& fact) {
  return {fact.path, std::string(name_of(fact.what)), std::string(name_of(fact.reason)),
          fact.incarnation, fact.restarts};
}

}  // namespace

struct house::impl {
  struct quiet_config : caf::actor_system_config {
    explicit quiet_config(int threads) {
      set("scheduler.max-threads", static_cast<std::size_t>(threads));
    }
  };

  impl(house_settings s, house_ground g)
      : settings(std::move(s)),
        ground(std::move(g)),
        journal(*ground.clock),
        facts(journal, *ground.ids),
        fronts(journal, *ground.reads),
        ports{journal,
              *ground.reads,
              *ground.blobs,
              *ground.engine,
              *ground.triage,
              *ground.redact,
              registry,
              *ground.clock,
              *ground.ids,
              [this](uuid tenant, auto slot) { fronts.images.fetch(tenant, tenant, slot); },
              [this](uuid tenant, auto slot) { fronts.containers.fetch(tenant, tenant, slot); },
              std::make_shared<spare_volumes>(spare_ground{*ground.engine,
                                                           [this] { return journal.may_act(); },
                                                           *ground.ids, settings.instance}),
              {}},
        desk(fronts, ports, launcher),
        config(settings.threads),
        system(std::make_unique<caf::actor_system>(config)) {
    ports.settings.instance = settings.instance;
    ports.settings.mount_roots = settings.mount_roots;
    ports.settings.log_bytes = settings.log_bytes;
    shared.sink = [this](const domain::supervision_fact& fact) {
      if (is_worth_recording(fact)) facts.record(event_of(fact));
    };
    shared.seed = static_cast<std::uint64_t>(ground.clock->now_us());
    root = spawn_root(*system, shared, root_spec(), [this](domain::exit_class why) {
      stopped.set_value();
      if (why != domain::exit_class::shutdown && ground.on_collapse) ground.on_collapse();
    });
  }

  fact_log& facts_of(const uuid& tenant) {
    if (tenant == system_tenant) return facts;
    std::lock_guard lock(tenant_facts_mutex);
    auto& its = tenant_facts[tenant];
    if (!its) its = std::make_unique<fact_log>(journal, *ground.ids, tenant);
    return *its;
  }

  bool facts_are_written() {
    if (!facts.is_written()) return false;
    std::lock_guard lock(tenant_facts_mutex);
    return std::all_of(tenant_facts.begin(), tenant_facts.end(),
                       [](const auto& its) { return its.second->is_written(); });
  }

  void resume_facts() {
    facts.resume();
    std::lock_guard lock(tenant_facts_mutex);
    for (auto& [tenant, its] : tenant_facts) its->resume();
  }

  child_spec journal_child() {
    child_spec spec;
    spec.name = "journal";
    spec.start_timeout = 30s;
    spec.start = [this](caf::actor_system& sys, const child_context& context) {
      journal_actor_args args;
      args.port = &journal;
      args.opened = std::exchange(ground.journal, nullptr);
      args.reopen = ground.reopen;
      args.on_fenced = ground.on_fenced;
      args.on_available = [this](bool available) {
        log_up = available;
        if (available) resume_facts();
        if (ground.on_log_available) ground.on_log_available(available);
      };
      return cc::spawn<caf::event_based_actor, caf::detached>(
          sys, [args, context](caf::event_based_actor* self) {
            return journal_actor(self, args, [context] { context.ready(); });
          });
    };
    return spec;
  }

  child_spec launcher_child() {
    child_spec spec;
    spec.name = "launcher";
    spec.slot = launcher;
    spec.start_timeout = 30s;
    spec.start = [this](caf::actor_system& sys, const child_context& context) {
      launcher_args args;
      args.ports = &ports;
      args.access = [this](uuid tenant, auto slot) { fronts.access.fetch(tenant, tenant, slot); };
      args.directives = [this](uuid tenant, uuid id, auto slot) {
        fronts.directives.fetch(tenant, id, slot);
      };
      args.spawn = [this](active_run run, std::shared_ptr<const domain::run_state> state) {
        spawn_run(run, std::move(state));
      };
      args.active_runs = [this]() -> outcome<std::vector<active_run>> {
        auto rows = ground.active_runs();
        if (!rows) return rows.error();
        std::vector<active_run> runs;
        for (const auto& row : *rows) runs.push_back({row.tenant, row.run});
        return runs;
      };
      return cc::spawn<caf::event_based_actor>(sys, [args, context](caf::event_based_actor* self) {
        return launcher_actor(self, args, [context] { context.ready(); });
      });
    };
    return spec;
  }

  child_spec reconciler_child() {
    child_spec spec;
    spec.name = "reconciler";
    spec.slot = reconciler;
    spec.start = [this](caf::actor_system& sys, const child_context& context) {
      return cc::spawn<caf::event_based_actor>(sys, [this, context](caf::event_based_actor* self) {
        return reconciler_actor(self, &ports, &facts, {settings.reconcile_ms, settings.orphan_ms},
                                [context] { context.ready(); });
      });
    };
    return spec;
  }

  /// Runs are independent of each other and there may be thousands: six crashes among them are no
  /// reason to stop them all.
  static supervisor_spec runs_spec() {
    supervisor_spec spec;
    spec.config.max_restarts = 100;
    return spec;
  }

  supervisor_spec root_spec() {
    supervisor_spec work;
    work.children = {fronts.directives.child("directives"), fronts.images.child("images"),
                     fronts.containers.child("containers"), fronts.llm.child("llm"),
                     fronts.access.child("access")};
    // Runs before the launcher: it adds to them at once.
    work.children.push_back(
        supervisor_child("runs", domain::restart_kind::permanent, runs_spec(), runs));
    work.children.push_back(launcher_child());
    work.children.push_back(reconciler_child());
    supervisor_spec spec;
    spec.config.strategy = domain::restart_strategy::rest_for_one;
    spec.children = {journal_child(),
                     supervisor_child("work", domain::restart_kind::permanent, std::move(work))};
    return spec;
  }

  void spawn_run(active_run run, std::shared_ptr<const domain::run_state> state) {
    const auto supervisor = runs->get();
    if (!supervisor) return;
    child_spec spec;
    spec.name = to_string(run.run);
    spec.restart = domain::restart_kind::transient;
    spec.start_timeout = 60s;
    // The state at hand is good for the first incarnation only; later ones read the log.
    auto first = std::make_shared<std::shared_ptr<const domain::run_state>>(std::move(state));
    spec.start = [this, run, first](caf::actor_system& sys, const child_context& context) {
      auto known = std::exchange(*first, nullptr);
      return cc::spawn<caf::event_based_actor>(sys, [this, run, known,
                                                     context](caf::event_based_actor* self) {
        return run_actor(self, &ports, run.tenant, run.run, known, [context] { context.ready(); });
      });
    };
    cc::post(supervisor, add_child_message{std::move(spec)});
  }

  house_settings settings;
  house_ground ground;
  journal_port journal;
  fact_log facts;
  std::mutex tenant_facts_mutex;
  std::unordered_map<uuid, std::unique_ptr<fact_log>> tenant_facts;  // one a tenant at most
  executor_fronts fronts;
  run_registry registry;
  run_ports ports;
  std::shared_ptr<actor_slot> launcher = std::make_shared<actor_slot>();
  std::shared_ptr<actor_slot> reconciler = std::make_shared<actor_slot>();
  std::shared_ptr<actor_slot> runs = std::make_shared<actor_slot>();
  command_desk desk;
  supervision shared;
  std::promise<void> stopped;
  std::atomic<bool> log_up{true};
  quiet_config config;
  std::unique_ptr<caf::actor_system> system;
  caf::actor root;
};

house::house(house_settings settings, house_ground ground)
    : impl_(std::make_unique<impl>(std::move(settings), std::move(ground))) {}

house::~house() {
  impl_->ports.spares->close();
  auto stopped = impl_->stopped.get_future();
  cc::stop(impl_->root);
  impl_->root = nullptr;
  stopped.wait_for(15s);
  impl_->journal.detach();
  impl_->launcher->put(nullptr);
  impl_->reconciler->put(nullptr);
  impl_->runs->put(nullptr);
}

/// The reconciler is the last of the static children: those before it are up when it is.
bool house::await_up(std::chrono::milliseconds within) const {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!impl_->reconciler->get()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

actors::commands& house::commands() {
  return impl_->desk;
}

void house::record(domain::system_event fact) {
  impl_->facts.record(std::move(fact));
}

void house::record(const uuid& tenant, domain::system_event fact) {
  impl_->facts_of(tenant).record(std::move(fact));
}

bool house::await_recorded(std::chrono::milliseconds within) const {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!impl_->facts_are_written()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

bool house::await_tidied(std::chrono::milliseconds within) {
  return impl_->ports.spares->discard(within);
}

void house::engine_available(bool available) {
  impl_->facts.record(domain::engine_availability_changed{available});
  if (!available) return;
  for (const auto& run : impl_->registry.all()) cc::post(run, engine_is_back{});
  if (const auto reconciler = impl_->reconciler->get()) cc::post(reconciler, reconcile_now{});
}

std::vector<agent_row> house::agents() const {
  return impl_->shared.board->rows();
}
supervision_totals house::totals() const {
  return impl_->shared.board->totals();
}
bool house::log_available() const {
  // A database that no longer answers at all is noticed by the silence.
  return impl_->log_up && impl_->journal.may_act();
}
bool house::may_act() const {
  return impl_->journal.may_act();
}
std::int64_t house::queued_appends() const {
  return impl_->journal.queued();
}
std::size_t house::active_runs() const {
  return impl_->registry.size();
}

}  // namespace reeve::actors
