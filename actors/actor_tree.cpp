#include "actors/actor_tree.hpp"

#include "actors/command_dispatcher.hpp"
#include "actors/journal_actor.hpp"
#include "actors/runs/run_actor.hpp"
#include "actors/tree_parts.hpp"
#include "base/log.hpp"
#include "base/named_thread.hpp"

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

/// The log is asked four times a second. No answer for so long and it counts as lost, which has to
/// be told within a second.
constexpr std::int64_t silence_us = 950'000;

bool is_of_a_run(std::string_view path) {
  return path.find("/runs/") != std::string_view::npos;
}

/// The start and the normal end of a run's actor say nothing that the run's events do not.
bool is_worth_recording(const domain::supervision_fact& fact) {
  if (!is_of_a_run(fact.path)) return true;
  return fact.what != domain::fact_kind::started && is_abnormal(fact.reason);
}

domain::agent_changed event_of(const domain::supervision_fact& fact) {
  return {fact.path, std::string(name_of(fact.what)), std::string(name_of(fact.reason)),
          fact.incarnation, fact.restarts};
}

/// All threads of CAF: its workers, its clock, and those of detached actors.
struct named_threads final : caf::thread_hook {
  void init(caf::actor_system&) override {}
  void thread_started() override { name_this_thread("actors"); }
  void thread_terminates() override {}
};

}  // namespace

struct actor_tree::impl {
  struct quiet_config : caf::actor_system_config {
    explicit quiet_config(int threads) {
      set("scheduler.max-threads", static_cast<std::size_t>(threads));
      add_thread_hook<named_threads>();
    }
  };

  impl(tree_settings s, tree_surroundings g)
      : settings(std::move(s)),
        outside(std::move(g)),
        system_log(journal, *outside.ids),
        fronts(journal, *outside.reads),
        ready(outside.engines->preferred().slots(), outside.engines->preferred().starts()),
        ports{journal,
              *outside.lead,
              *outside.reads,
              *outside.engine,
              *outside.kinds,
              attempt_ports(),
              registry,
              *outside.clock,
              *outside.ids,
              std::make_shared<spare_volumes>(
                  spare_ports{*outside.engine, [lead = outside.lead] { return lead->token(); },
                              *outside.ids, outside.instance}),
              ready,
              std::make_shared<last_tries>(),
              {}},
        parts{settings, outside, journal, system_log, fronts, registry, ports},
        dispatcher(fronts, ports, parts.launcher),
        config(static_cast<int>(parts.own<shared_settings>().threads)),
        system(std::make_unique<caf::actor_system>(config)) {
    ports.settings.instance = outside.instance;
    ports.settings.died_before_epoch = outside.died_before_epoch;
    shared.sink = [this](const domain::supervision_fact& fact) {
      if (is_worth_recording(fact)) system_log.record(event_of(fact));
    };
    shared.seed = static_cast<std::uint64_t>(outside.clock->now_us());
    root = spawn_root(*system, shared, root_spec(), [this](domain::exit_class why) {
      stopped.set_value();
      if (why != domain::exit_class::shutdown && outside.on_collapse) outside.on_collapse();
    });
  }

  template <class List>
  tasks::list_fn<List> list() {
    return [this](uuid tenant, reply_slot<std::shared_ptr<const List>> slot) {
      fronts.of<List>().fetch(tenant, tenant, state_slot<List>([slot](outcome<executed<List>> got) {
                                if (!got) return slot.answer(got.error());
                                slot.answer(got->state);
                              }));
    };
  }

  tasks::attempt_ports attempt_ports() {
    return {*outside.reads,
            *outside.blobs,
            *outside.engines,
            *outside.redact,
            *outside.texts,
            *outside.clock,
            outside.may_mount,
            list<domain::image_list_state>(),
            list<domain::container_list_state>(),
            [this](uuid tenant, uuid run, auto slot) {
              rebuild<domain::run_state>(*outside.reads, tenant,
                                         domain::stream_of<domain::run_state>(run), no_end, slot);
            },
            [this] { return ports.spares->take(); },
            [this] { ports.spares->refill(); },
            outside.instance,
            static_cast<std::size_t>(std::get<shared_settings>(settings).job_log_bytes),
            outside.own_uid,
            list<domain::secret_list_state>(),
            outside.secret_values,
            outside.is_first_tenant,
            outside.llm_folder,
            outside.token_of,
            outside.llm_key,
            outside.early};
  }

  system_event_log& log_of(const uuid& tenant) {
    if (tenant == system_tenant) return system_log;
    std::lock_guard lock(tenant_logs_mutex);
    auto& its = tenant_logs[tenant];
    if (!its) its = std::make_unique<system_event_log>(journal, *outside.ids, tenant);
    return *its;
  }

  bool logs_are_written() {
    if (!system_log.is_written()) return false;
    std::lock_guard lock(tenant_logs_mutex);
    return std::all_of(tenant_logs.begin(), tenant_logs.end(),
                       [](const auto& its) { return its.second->is_written(); });
  }

  void resume_logs() {
    system_log.resume();
    std::lock_guard lock(tenant_logs_mutex);
    for (auto& [tenant, its] : tenant_logs) its->resume();
  }

  child_spec journal_child() {
    child_spec spec;
    spec.name = "journal";
    // It is up once it leads again, and the database may be away for long.
    spec.start_timeout = 10min;
    spec.start = [this](caf::actor_system& sys, const child_context& context) {
      journal_actor_args args;
      args.port = &journal;
      args.worker.opened = std::exchange(outside.journal, nullptr);
      args.worker.make = outside.next_journal;
      args.worker.before = worker;
      args.worker.lead = outside.lead;
      args.worker.on_fenced = outside.on_fenced;
      args.on_start = [this](std::shared_ptr<journal_worker> fresh) { worker = std::move(fresh); };
      args.worker.on_available = [this](bool available) {
        log_up = available;
        if (available) resume_logs();
        if (outside.on_log_available) outside.on_log_available(available);
      };
      return cc::spawn<caf::event_based_actor>(sys, [args, context](caf::event_based_actor* self) {
        return journal_actor(self, args, [context] { context.ready(); });
      });
    };
    return spec;
  }

  supervisor_spec root_spec() {
    supervisor_spec work;
    work.children = fronts.children();
    for (const auto& row : work_children) work.children.push_back(row(parts));
    supervisor_spec spec;
    spec.config.strategy = domain::restart_strategy::rest_for_one;
    spec.children = {journal_child(),
                     supervisor_child("work", domain::restart_kind::permanent, std::move(work))};
    return spec;
  }

  tree_settings settings;
  tree_surroundings outside;
  journal_port journal;
  system_event_log system_log;
  std::mutex tenant_logs_mutex;
  std::unordered_map<uuid, std::unique_ptr<system_event_log>> tenant_logs;  // one a tenant at most
  executor_fronts fronts;
  run_registry registry;
  ready_queue ready;
  run_ports ports;
  tree_parts parts;
  command_dispatcher dispatcher;
  supervision shared;
  std::promise<void> stopped;
  std::atomic<bool> log_up{true};
  std::shared_ptr<journal_worker> worker;  // the newest; joined when the tree is gone
  quiet_config config;
  std::unique_ptr<caf::actor_system> system;
  caf::actor root;
};

actor_tree::actor_tree(tree_settings settings, tree_surroundings outside)
    : impl_(std::make_unique<impl>(std::move(settings), std::move(outside))) {}

actor_tree::~actor_tree() {
  impl_->dispatcher.close();
  impl_->ports.spares->close();
  auto stopped = impl_->stopped.get_future();
  cc::stop(impl_->root);
  impl_->root = nullptr;
  stopped.wait_for(15s);
  // The last one to go: it resigns, and nobody is left who could act.
  if (impl_->worker) impl_->worker->join();
  for (auto* slot : impl_->parts.slots()) slot->put(nullptr);
}

/// A supervisor is up once all of its static children are, so the root answers for every part.
bool actor_tree::is_up() const {
  return impl_->shared.board->state_of("root") == "up";
}

command_port& actor_tree::commands() {
  return impl_->dispatcher;
}

void actor_tree::record(domain::system_event fact) {
  impl_->system_log.record(std::move(fact));
}

void actor_tree::record(const uuid& tenant, domain::system_event fact) {
  impl_->log_of(tenant).record(std::move(fact));
}

bool actor_tree::await_recorded(std::chrono::milliseconds within) const {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!impl_->logs_are_written()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

bool actor_tree::await_tidied(std::chrono::milliseconds within) {
  return impl_->ports.spares->discard(within);
}

void actor_tree::engine_available(bool available) {
  impl_->system_log.record(domain::engine_availability_changed{available});
  if (!available) return;
  for (const auto& run : impl_->registry.all()) cc::post(run, engine_is_back{});
  if (const auto one = impl_->parts.reconciler->get()) cc::post(one, engine_is_back{});
}

std::vector<agent_row> actor_tree::agents(const std::optional<uuid>& tenant) const {
  auto rows = impl_->shared.board->rows();
  if (!tenant) return rows;
  std::erase_if(rows, [&](const agent_row& row) {
    const auto name = row.path.substr(row.path.find_last_of('/') + 1);
    const auto run = is_of_a_run(row.path) ? parse_uuid(name) : std::nullopt;
    return run && impl_->registry.tenant_of(*run) != tenant;
  });
  return rows;
}
supervision_totals actor_tree::totals() const {
  return impl_->shared.board->totals();
}
bool actor_tree::log_available() const {
  // A database that no longer answers at all is noticed by the silence.
  return impl_->log_up && impl_->outside.lead->heard_within(silence_us);
}
std::size_t actor_tree::active_runs() const {
  return impl_->registry.size();
}

}  // namespace reeve::actors
