// The part of a server process that works: the engine, the kinds of tasks, the actors.

#include "adapters/bulkhead.hpp"
#include "adapters/mount_source.hpp"
#include "adapters/tenant_logs.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "cli/engine_choice.hpp"
#include "cli/own_paths.hpp"
#include "cli/serve.hpp"
#include "tasks/container/stored_log.hpp"

#include <algorithm>
#include <filesystem>
#include <unistd.h>

namespace reeve::cli {
namespace {

// Each has a call to the engine open that waits for its end, of which it takes 900 (bulkhead.hpp).
constexpr std::int64_t attempts_at_once = 800;
static_assert(attempts_at_once < adapters::bulkhead_limits{}.long_at_once);
// On its way to its start each asks for changes one after the other, of which the engine takes 8
// (guarded_engine.hpp). With twice as many each start takes twice as long (16: 10 s on a slow
// disk), and none more comes in a minute. The simulated engine takes no time.
constexpr std::int64_t starts_at_once = 8;
static_assert(starts_at_once == adapters::guard_options{}.mutations_at_once);

/// Two tenants can have two outputs each in the room, however large those may be.
text_pool::options texts_for(const config& of) {
  const auto kept = std::get<actors::shared_settings>(of.tree).job_log_bytes;
  text_pool::options room;
  room.bytes = std::max(room.bytes, 4 * 2 * tasks::ends_of(static_cast<std::size_t>(kept)));
  return room;
}

/// Of each of two tenants a beginning can be kept while an output is read, however large those may
/// be; and places as many as the engine takes calls that last beside the attempts and the outputs
/// that are followed.
tasks::early_rooms::options early_for(const config& of) {
  const auto kept = std::get<actors::shared_settings>(of.tree).job_log_bytes;
  tasks::early_rooms::options most;
  most.bytes = std::max(most.bytes, 6 * tasks::ends_of(static_cast<std::size_t>(kept)));
  return most;
}
static_assert(attempts_at_once + tasks::early_rooms::options{}.places + 64 <
              adapters::bulkhead_limits{}.long_at_once);

metric_gauge& log_gauge() {
  static metric_gauge gauge = process_metrics().gauge(
      "reeve_log_available",
      "1 while events can be appended; 0: the database is away, or refuses them.");
  return gauge;
}

std::vector<std::string> canonical_roots(const std::vector<std::string>& roots) {
  std::vector<std::string> canonical;
  for (const auto& root : roots) {
    std::error_code failed;
    const auto path = std::filesystem::canonical(root, failed);
    if (failed) {
      log_warn("a mount root is not there", {{"folder", root}});
    } else {
      if (!adapters::can_list_root(path.string())) {
        log_warn("a mount root cannot be listed, or has too many names: nothing is mounted",
                 {{"folder", root}, {"most", adapters::max_root_names}});
      }
      canonical.push_back(path.string());
    }
  }
  return canonical;
}

adapters::log_places log_places_of(const config& c) {
  return {c.logs, {c.data}, {cluster_folder(c), c.uploads}};
}

adapters::mount_rules mount_rules_of(const config& config, const domain::llm_settings& llm) {
  return {canonical_roots(config.mount_roots), own_paths(config, llm)};
}

}  // namespace

outcome<done> server_process::open_engine() {
  // What cannot be told is not taken for a no.
  const bool is_unknown = board_.refusal(persistence::projection_named("singletons")).has_value();
  auto chosen = choose_engine(config_.docker, rows_.real_engine_seen || is_unknown,
                              [this](fencing_token by) { return lead_.allows(by); });
  if (!chosen) return chosen.error();
  adapters::guarded_engine::listeners told;
  told.on_available = [this](const adapters::engine_status& status) {
    if (!status.data_root.empty()) {
      const std::lock_guard lock(engine_root_mutex_);
      engine_root_ = status.data_root;
    }
    if (status.available) {
      log_info("the engine answers", {{"engine", status.engine}, {"version", status.version}});
    } else {
      log_warn("the engine does not answer: jobs wait", {{"why", status.detail}});
    }
    tell([&status](actors::actor_tree& tree) {
      if (status.available && status.engine != "simulated") {
        tree.record(domain::engine_seen{status.engine, status.version});
      }
      tree.engine_available(status.available);
    });
  };
  told.on_breaker = [this](adapters::call_class kind, adapters::breaker_state from,
                           adapters::breaker_state to) {
    tell([&](actors::actor_tree& tree) {
      tree.record(domain::engine_breaker_changed{std::string(adapters::name_of(kind)),
                                                 std::string(adapters::name_of(from)),
                                                 std::string(adapters::name_of(to))});
    });
  };
  engine_ = std::make_unique<adapters::guarded_engine>(std::move(*chosen),
                                                       adapters::guard_options{}, told);
  const bool is_real = engine_->kind() != "simulated";
  work_ = std::make_unique<adapters::container_work>(*engine_, attempts_at_once,
                                                     is_real ? starts_at_once : attempts_at_once);
  engines_.add(*work_);
  return done{};
}

outcome<done> server_process::open_kinds() {
  texts_ = std::make_unique<text_pool>(texts_for(config_));
  early_ = std::make_unique<tasks::early_rooms>(early_for(config_));
  // Opened for each triage: the folder may come and go.
  const auto open_logs = [this, places = log_places_of(config_)](const uuid& tenant) {
    return adapters::open_tenant_logs(places, tenant, tokens_.is_first_tenant(tenant));
  };
  kinds_ = std::make_unique<tasks::task_kinds>(
      tasks::kind_surroundings{*engine_, real_clock(), open_logs, gpus_, processes_});
  return done{};
}

outcome<done> server_process::open_tree() {
  actors::tree_surroundings outside;
  outside.instance = head_.origin;
  outside.died_before_epoch = head_.after_a_death ? head_.epoch : 0;
  outside.journal = journal_;
  outside.next_journal = [this] {
    auto settings = journal_settings();
    settings.led_before = true;
    settings.prepare = nullptr;
    return std::make_shared<persistence::journal>(std::move(settings));
  };
  outside.lead = &lead_;
  outside.reads = reads_.get();
  outside.blobs = blobs_.get();
  outside.secret_values = secrets_.get();
  outside.kinds = kinds_.get();
  outside.redact = &job_redaction_;
  outside.texts = texts_.get();
  outside.early = early_.get();
  outside.engine = engine_.get();
  outside.engines = &engines_;
  outside.may_mount = [this, fixed = mount_rules_of(config_, llm_)](const uuid& tenant,
                                                                    const std::string& source) {
    auto rules = fixed;
    {
      const std::lock_guard lock(engine_root_mutex_);
      if (!engine_root_.empty()) rules.own.push_back(engine_root_);
    }
    return adapters::may_mount(source, rules, tenant, tokens_.is_first_tenant(tenant));
  };
  outside.llm_folder = llm_folder_;
  outside.token_of = [this](const attempt_name& whose) { return token_of(whose); };
  if (attempt_key_) outside.llm_key = attempt_key_->id();
  outside.is_first_tenant = [this](const uuid& tenant) { return tokens_.is_first_tenant(tenant); };
  outside.own_uid = static_cast<std::int64_t>(::geteuid());
  outside.clock = &real_clock();
  outside.ids = &real_ids();
  outside.active_runs = [this] { return persistence::read_active_runs(logins_.writer_url); };
  outside.on_fenced = [this] {
    log_warn("another server leads now: this one ends", {{"status", int{exit_fenced}}});
    exit_code_ = exit_fenced;
  };
  outside.on_collapse = [this] {
    // A part that does not stop in time is no reason to start again.
    if (draining_) ::_exit(exit_code_ >= 0 ? exit_code_.load() : exit_ok);
    log_error("the supervision tree gave up: the process ends");
    ::_exit(exit_collapsed);
  };
  log_gauge().set(1);
  outside.on_log_available = [](bool available) {
    log_gauge().set(available ? 1 : 0);
    log_warn(available ? "the event log is back" : "the event log is away");
  };
  tree_ = std::make_unique<actors::actor_tree>(config_.tree, outside);
  journal_.reset();
  {
    const std::unique_lock lock(told_mutex_);
    told_ = tree_.get();
  }
  const auto status = engine_->status();
  if (status.available && status.engine != "simulated" && !rows_.real_engine_seen) {
    tree_->record(domain::engine_seen{status.engine, status.version});
  }
  return done{};
}

void server_process::tell(const std::function<void(actors::actor_tree&)>& what) {
  const std::shared_lock lock(told_mutex_);
  if (told_ != nullptr) what(*told_);
}

void server_process::tell_nobody() {
  const std::unique_lock lock(told_mutex_);
  told_ = nullptr;
}

}  // namespace reeve::cli
