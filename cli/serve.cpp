#include "cli/serve.hpp"

#include "adapters/bulkhead.hpp"
#include "adapters/log_files.hpp"
#include "adapters/mount_source.hpp"
#include "base/log.hpp"
#include "cli/bootstrap.hpp"
#include "cli/engine_choice.hpp"
#include "persistence/migrate.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reeve::cli {
namespace {

using namespace std::chrono_literals;

int fail(const rejection& why) {
  std::fputs(("reeve: " + why.detail + "\n").c_str(), stderr);
  return why.code == errc::invalid ? exit_usage : exit_refused;
}

// Each has a call to the engine open that waits for its end, of which it takes 900 (bulkhead.hpp).
constexpr std::int64_t attempts_at_once = 800;
static_assert(attempts_at_once < adapters::bulkhead_limits{}.long_at_once);

outcome<done> make_folder(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) return reject(errc::unavailable, path + " cannot be made: " + failed.message());
  ::chmod(path.c_str(), 0700);
  return done{};
}

std::vector<std::string> canonical_roots(const std::vector<std::string>& roots) {
  std::vector<std::string> canonical;
  for (const auto& root : roots) {
    std::error_code failed;
    const auto path = std::filesystem::canonical(root, failed);
    if (failed) {
      log_warn("a mount root is not there", {{"folder", root}});
    } else {
      canonical.push_back(path.string());
    }
  }
  return canonical;
}

/// Asked for each triage: the folder may come and go.
outcome<std::unique_ptr<adapters::log_files>> open_logs(const std::string& folder) {
  auto opened = adapters::log_folder::open(folder);
  if (!opened) return opened.error();
  return std::unique_ptr<adapters::log_files>(
      std::make_unique<adapters::log_folder>(std::move(*opened)));
}

/// For the whole process, before its first thread: signals are taken where they are waited for.
void block_signals() {
  const auto set = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // A terminal that closes ends no server, whether it leads or waits.
  ::signal(SIGHUP, SIG_IGN);
}

}  // namespace

void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

sigset_t ending_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  return set;
}

int serve(const loaded_config& config) {
  if (::geteuid() == 0) {
    return fail(reject(errc::invalid,
                       "the server does not run as root: start it as another user, or use ./run"));
  }
  block_signals();
  for (const auto& warning : config.warnings) log_warn(warning);
  return server_process(config).run();
}

server_process::~server_process() {
  if (http_) http_->stop();
  if (http_thread_.joinable()) http_thread_.join();
  tell_nobody();
  if (feed_) feed_->wake_on({});
  http_.reset();
  tree_.reset();
  checkpoints_.reset();  // signs the last head, after everything that was appended
  kinds_.reset();
  engine_.reset();
  models_.reset();
}

int server_process::run() {
  log_options logging;
  logging.least = parse_log_level(config_.log_level).value_or(log_level::info);
  logging.json = config_.log_format == "json";
  logging.redact = [rules = redactor()](std::string_view line) { return rules.redact(line); };
  set_up_log(std::move(logging));
  if (auto ok = open_storage(); !ok) return fail(ok.error());
  if (auto ok = open_gateway(); !ok) return fail(ok.error());
  if (auto ok = open_journal(); !ok)
    return database_refused_ ? refuse(ok.error()) : fail(ok.error());
  if (exit_code_ >= 0) {
    drain();
    return exit_code_;
  }
  if (auto ok = open_engine(); !ok) return fail(ok.error());
  open_tree();
  if (auto ok = first_start(); !ok) return fail(ok.error());
  if (auto ok = announce(); !ok) return fail(ok.error());
  exit_code_ = wait_for_end();
  drain();
  return exit_code_;
}

outcome<done> server_process::open_storage() {
  if (auto ok = make_folder(config_.data); !ok) return ok;
  auto identity = server_identity::take(server_id_file(config_), real_ids());
  if (!identity) return identity.error();
  identity_ = std::move(*identity);
  auto key = persistence::public_key_in(signing_key_file(config_));
  if (!key) return key.error();
  public_key_ = std::move(*key);
  auto db = open_database(config_, true);
  if (!db) return db.error();
  database_ = std::move(*db);
  if (auto ok = persistence::check_schema(database_.owner_url); !ok) return ok;
  auto logins = prepare_logins(config_, database_);
  if (!logins) return logins.error();
  logins_ = *logins;
  job_redaction_ = config_.redacted ? redactor() : redactor().without_patterns();
  persistence::read_store_config reading;
  reading.url = logins_.reader_url;
  reading.delay_ms = config_.reader_delay_ms;
  reading.board = &board_;
  reads_ = std::make_unique<persistence::read_store>(reading);
  models_ = std::make_unique<persistence::read_models>(persistence::read_models::options{
      database_.owner_url, logins_.writer_url, &board_, reads_.get(), &tokens_});
  feed_ = std::make_unique<api::event_feed>(*reads_);
  blobs_ = std::make_unique<persistence::blob_writer>(logins_.writer_url);
  persistence::commit_notifier_options notifier;
  notifier.url = logins_.writer_url;
  notifier_ = std::make_unique<persistence::commit_notifier>(notifier);
  return done{};
}

outcome<done> server_process::open_engine() {
  // What cannot be told is not taken for a no.
  const bool is_unknown = board_.refusal(persistence::projection_named("singletons")).has_value();
  auto chosen = choose_engine(config_.docker, rows_.real_engine_seen || is_unknown,
                              [this](fencing_token by) { return lead_.allows(by); });
  if (!chosen) return chosen.error();
  adapters::guarded_engine::listeners told;
  told.on_available = [this](const adapters::engine_status& status) {
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
  work_ = std::make_unique<adapters::container_work>(*engine_, attempts_at_once);
  engines_.add(*work_);
  kinds_ = std::make_unique<tasks::task_kinds>(tasks::kind_surroundings{
      *engine_, real_clock(), [folder = config_.logs] { return open_logs(folder); }});
  return done{};
}

void server_process::open_tree() {
  actors::tree_settings settings;
  settings.instance = head_.origin;
  settings.log_bytes = static_cast<std::size_t>(config_.job_log_bytes);
  settings.reconcile_ms = config_.reconcile_s * 1000;
  settings.orphan_ms = config_.orphan_s * 1000;
  settings.threads = static_cast<int>(config_.threads);
  settings.died_before_epoch = head_.after_a_death ? head_.epoch : 0;
  actors::tree_surroundings outside;
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
  outside.kinds = kinds_.get();
  outside.redact = &job_redaction_;
  outside.engine = engine_.get();
  outside.engines = &engines_;
  outside.may_mount = [roots = canonical_roots(config_.mount_roots)](const std::string& source) {
    return adapters::may_mount(source, roots);
  };
  outside.clock = &real_clock();
  outside.ids = &real_ids();
  outside.active_runs =
      [this]() -> outcome<std::vector<actors::tree_surroundings::active_run_row>> {
    auto rows = persistence::read_active_runs(logins_.writer_url);
    if (!rows) return rows.error();
    std::vector<actors::tree_surroundings::active_run_row> runs;
    for (const auto& row : *rows) runs.push_back({row.tenant, row.run});
    return runs;
  };
  outside.on_fenced = [this] { exit_code_ = exit_fenced; };
  outside.on_collapse = [this] {
    // A part that does not stop in time is no reason to start again.
    if (draining_) ::_exit(exit_code_ >= 0 ? exit_code_.load() : exit_ok);
    log_error("the supervision tree gave up: the process ends");
    ::_exit(exit_collapsed);
  };
  outside.on_log_available = [](bool available) {
    log_warn(available ? "the event log is back" : "the event log is away");
  };
  tree_ = std::make_unique<actors::actor_tree>(settings, outside);
  journal_.reset();
  {
    const std::unique_lock lock(told_mutex_);
    told_ = tree_.get();
  }
  const auto status = engine_->status();
  if (status.available && status.engine != "simulated" && !rows_.real_engine_seen) {
    tree_->record(domain::engine_seen{status.engine, status.version});
  }
}

outcome<done> server_process::first_start() {
  if (!tree_->await_up(60s)) return reject(errc::timed_out, "the actors did not start in time");
  auto made = bootstrap(tree_->commands(), real_ids(), rows_,
                        {token_file(config_), system_token_file(config_)});
  if (!made) return made.error();
  if (*made) say("reeve: the admin token is in " + token_file(config_));
  return done{};
}

int server_process::wait_for_end() {
  const auto signals = ending_signals();
  while (exit_code_ < 0) {
    const timespec pause{0, 200'000'000};
    const int signal = ::sigtimedwait(&signals, nullptr, &pause);
    if (signal == SIGTERM || signal == SIGINT) return exit_ok;
    feed_->heartbeat();
    denials_.settle();
    // Not only on the follower's thread, which a database that does not answer holds up.
    board_.expire();
    if (!database_.own || database_.own->alive()) continue;
    log_warn("the private PostgreSQL was killed; it is started again");
    if (auto ok = database_.own->revive(); !ok) {
      log_error("PostgreSQL does not come back", {{"why", ok.error().detail}});
      return exit_collapsed;
    }
  }
  return exit_code_;
}

void server_process::drain() {
  draining_ = true;
  http_->begin_drain();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(config_.drain_s);
  while (http_->connections() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(5ms);
  }
  http_->stop();
  denials_.close();
  // Whoever waits for the database may wait for ever: a follower or a build behind somebody's lock,
  // or everybody when nothing can be written any more. Nothing that was acknowledged is lost by an
  // end without them.
  end_by_all_means(tree_ && tree_->log_available() ? 15s : 6s);
  if (tree_ && !tree_->await_tidied(3s)) log_warn("spare volumes stay on the engine");
  if (tree_ && !tree_->await_recorded(2s)) log_warn("the last facts may be missing in the log");
  // A standby has written none; what lies there is the leader's.
  if (phase_ == phase::leading) ::unlink(endpoint_file(config_).c_str());
}

void server_process::end_by_all_means(std::chrono::milliseconds within) {
  std::thread([within, code = exit_code_ >= 0 ? exit_code_.load() : int{exit_ok}] {
    std::this_thread::sleep_for(within);
    log_warn("the database does not answer: the process ends without it");
    ::_exit(code);
  }).detach();
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
