#include "cli/serve.hpp"

#include "adapters/llm_upstream.hpp"
#include "base/log.hpp"
#include "base/named_thread.hpp"
#include "base/test_point.hpp"
#include "cli/bootstrap.hpp"
#include "cli/doctor.hpp"
#include "cli/jobs_door.hpp"
#include "cli/llm_file.hpp"
#include "cli/output.hpp"
#include "persistence/migrate.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reeve::cli {
namespace {

using namespace std::chrono_literals;

int fail(const rejection& why) {
  complain(why.detail);
  return why.code == errc::invalid ? exit_usage : exit_refused;
}

outcome<done> make_folder(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) return reject(errc::invalid, path + " cannot be made: " + failed.message());
  ::chmod(path.c_str(), 0700);
  return done{};
}

/// A database that is away or slow now, or a server that was elected meanwhile, is no reason never
/// to be started again.
int fail_for_now(const rejection& why) {
  const int code = fail(why);
  const bool passes =
      why.code == errc::unavailable || why.code == errc::timed_out || why.code == errc::fenced;
  return passes ? exit_fenced : code;
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

bool is_ended_within(std::chrono::milliseconds time) {
  const auto signals = ending_signals();
  const timespec pause{time.count() / 1000, (time.count() % 1000) * 1'000'000};
  return ::sigtimedwait(&signals, nullptr, &pause) > 0;
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

server_process::server_process(const loaded_config& loaded) : config_(loaded.values) {
  list_parts();
}

server_process::~server_process() {
  parts_.close();
}

/// The order is that of their coming. What is told of a commit is told in this order too: what
/// answers reads before those who are rung to read.
void server_process::list_parts() {
  using persistence::commit_notice;
  parts_.add({.name = "llm", .open = [this] { return read_llm(); }});
  parts_.add({.name = "database", .open = [this] { return open_storage(); }});
  parts_.add({.name = "read_models",
              .lead = [this] { return lead_read_models(); },
              .on_commit = [this](const commit_notice& n) { models_->on_commit(n); },
              .close = [this] { models_.reset(); }});
  parts_.add(
      {.name = "feed", .on_commit = [this](const commit_notice& n) { feed_->publish(n.events); }});
  parts_.add({.name = "notifier", .on_commit = [this](const commit_notice& n) {
                if (!n.events.empty()) notifier_->notify(n.events.back().position);
              }});
  parts_.add({.name = "engine",
              .lead = [this] { return open_engine(); },
              .close = [this] { engine_.reset(); }});
  parts_.add({.name = "task_kinds",
              .lead = [this] { return open_kinds(); },
              .close =
                  [this] {
                    kinds_.reset();
                    texts_.reset();
                  }});
  parts_.add({.name = "jobs_door", .lead = [this] { return prepare_jobs_door(); }});
  // Closed after the actors: the last head that it signs covers whatever they wrote.
  parts_.add({.name = "checkpoints",
              .lead = [this] { return open_checkpoints(); },
              .on_commit = [this](const commit_notice& n) { note_head(n); },
              .close = [this] { checkpoints_.reset(); }});
  parts_.add({.name = "actors",
              .lead = [this] { return open_tree(); },
              .is_up = [this] { return tree_->is_up(); },
              .drain = [this] { drain_tree(); },
              .close =
                  [this] {
                    tell_nobody();
                    tree_.reset();
                  }});
  // Its answers go to the actors, and theirs to it.
  parts_.add({.name = "secrets", .close = [this] {
                if (secrets_) secrets_->close();
              }});
  parts_.add({.name = "upstreams",
              .lead = [this] { return watch_upstreams(); },
              .close =
                  [this] {
                    llm_caller_.reset();
                    upstreams_.reset();
                  }});
  parts_.add({.name = "denials", .drain = [this] { denials_.close(); }});
  parts_.add({.name = "gateway",
              .open = [this] { return open_gateway(); },
              .lead = [this] { return open_jobs_door(); },
              .drain = [this] { drain_gateway(); },
              .close = [this] { close_gateway(); }});
}

int server_process::run() {
  log_options logging;
  logging.least = parse_log_level(config_.log_level).value_or(log_level::info);
  logging.json = config_.log_format == "json";
  logging.redact = [rules = redactor()](std::string_view line) { return rules.redact(line); };
  set_up_log(std::move(logging));
  if (const auto user = judge_user(::geteuid()); user.verdict != "ok") {
    log_warn(user.seen, {{"fix", user.fix}});
  }
  if (auto ok = parts_.open(); !ok) {
    if (exit_code_ >= 0) return exit_code_;
    // A private PostgreSQL that does not start needs somebody who looks at it.
    return config_.database_url.empty() ? fail(ok.error()) : fail_for_now(ok.error());
  }
  if (auto ok = open_journal(); !ok)
    return database_refused_ ? refuse(ok.error()) : fail_for_now(ok.error());
  if (exit_code_ >= 0) {
    drain();
    return exit_code_;
  }
  const auto leads = take_up();
  if (!leads) {
    const int code = fail_for_now(leads.error());
    return exit_code_ >= 0 ? exit_code_.load() : code;
  }
  if (*leads) {
    if (auto ok = announce(); !ok) return fail(ok.error());
    exit_code_ = wait_for_end();
  }
  drain();
  return exit_code_;
}

/// From the election to the first request; a table may be locked. False: a signal came.
outcome<bool> server_process::take_up() {
  auto begun = named_async("take-up", [this]() -> outcome<done> {
    if (auto ok = parts_.lead(); !ok) return ok;
    return first_start();
  });
  if (is_ended_before(begun)) return false;
  if (auto ok = begun.get(); !ok) return ok.error();
  return true;
}

outcome<done> server_process::read_llm() {
  auto settings = read_llm_file(config_.llm);
  if (!settings) return settings.error();
  llm_ = std::move(*settings);
  if (llm_.upstreams.empty()) return done{};
  const auto door = fit_jobs_door(config_);
  return door ? outcome<done>(done{}) : outcome<done>(door.error());
}

outcome<done> server_process::watch_upstreams() {
  if (llm_.upstreams.empty()) return done{};
  const auto names = std::make_shared<adapters::name_lanes>();
  upstreams_ = std::make_unique<adapters::llm_watch>(
      llm_.upstreams, names,
      [may_send_plain = config_.allow_plain_http](const auto& upstream, const auto& where) {
        return adapters::look_at_upstream(upstream, where, may_send_plain);
      });
  adapters::llm_caller_limits limits;
  limits.may_send_plain = config_.allow_plain_http;
  llm_caller_ = std::make_unique<adapters::llm_caller>(limits, names);
  return done{};
}

outcome<done> server_process::open_storage() {
  if (auto ok = make_folder(config_.data); !ok) return ok;
  auto identity = server_identity::take(server_id_file(config_), real_ids());
  if (!identity) return identity.error();
  identity_ = std::move(*identity);
  // Of one that died here. This one says where it listens once it leads.
  ::unlink(endpoint_file(config_).c_str());
  if (auto ok = judge_secrets_key(config_); !ok) return ok;
  auto key = persistence::public_key_in(signing_key_file(config_));
  if (!key) return key.error();
  public_key_ = std::move(*key);
  auto db = open_database_to_serve(config_, [this] {
    if (is_ended_within(0ms)) exit_code_ = exit_ok;
    return exit_code_ >= 0;
  });
  if (!db) return db.error();
  database_ = std::move(*db);
  if (auto ok = prepare_database(); !ok) return ok;
  job_redaction_ = config_.redacted ? redactor() : redactor().without_patterns();
  persistence::read_store_config reading;
  reading.url = logins_.reader_url;
  reading.delay_ms = config_.reader_delay_ms;
  reading.board = &board_;
  reads_ = std::make_unique<persistence::read_store>(reading);
  models_ = std::make_unique<persistence::read_models>(persistence::read_models::options{
      database_.owner_url, logins_.writer_url, &board_, reads_.get(), &tokens_, &lead_holder_});
  feed_ = std::make_unique<api::event_feed>(*reads_);
  blobs_ = std::make_unique<persistence::blob_writer>(logins_.writer_url, lead_);
  secrets_ = std::make_unique<persistence::secret_vault>(
      persistence::secret_vault_config{logins_.writer_url, secrets_key_file(config_), nullptr},
      lead_);
  persistence::commit_notifier_options notifier;
  notifier.url = logins_.writer_url;
  notifier_ = std::make_unique<persistence::commit_notifier>(notifier);
  return done{};
}

/// Another process may be making the roles. An error, too, when a signal came.
outcome<done> server_process::prepare_database() {
  auto begun = named_async("open-database", [this]() -> outcome<done> {
    if (auto ok = reach_database(database_); !ok) return ok;
    if (auto ok = persistence::check_schema(database_.owner_url); !ok) return ok;
    auto logins = prepare_logins(config_, database_);
    if (!logins) return logins.error();
    logins_ = *logins;
    return done{};
  });
  if (is_ended_before(begun)) return reject(errc::unavailable, "it was stopped");
  return begun.get();
}

outcome<done> server_process::first_start() {
  if (auto ok = parts_.await_up(60s); !ok) return ok;
  test_point("first_start");
  auto made = bootstrap(tree_->commands(), real_ids(), rows_,
                        {token_file(config_), system_token_file(config_)});
  if (!made) return made.error();
  if (*made) say("reeve: the admin token is in " + token_file(config_));
  return done{};
}

int server_process::wait_for_end() {
  const auto signals = ending_signals();
  constexpr int looks_a_second = 5;
  for (int looks = 0; exit_code_ < 0;) {
    const timespec pause{0, 1'000'000'000 / looks_a_second};
    const int signal = ::sigtimedwait(&signals, nullptr, &pause);
    if (signal == SIGTERM || signal == SIGINT) return exit_ok;
    feed_->heartbeat();
    log_streams_->heartbeat();
    denials_.settle();
    // Not only on the follower's thread, which a database that does not answer holds up.
    board_.expire();
    if (++looks % looks_a_second == 0) reads_->look_at_rights();
    resets_.look(tree_->commands(), real_ids(), rows_.tenants);
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
  // First of all: a client takes whoever has that port for this server, and it is free before long.
  ::unlink(endpoint_file(config_).c_str());
  parts_.drain();
}

void server_process::drain_tree() {
  // Whoever waits for the database may wait for ever: a follower or a build behind somebody's lock,
  // or everybody when nothing can be written any more. Nothing that was acknowledged is lost by an
  // end without them.
  end_by_all_means(tree_ && tree_->log_available() ? 15s : 6s);
  if (tree_ && !tree_->await_tidied(3s)) log_warn("spare volumes stay on the engine");
  if (tree_ && !tree_->await_recorded(2s)) log_warn("the last facts may be missing in the log");
}

void server_process::end_by_all_means(std::chrono::milliseconds within) {
  const int code = exit_code_ >= 0 ? exit_code_.load() : int{exit_ok};
  named_thread("last-word", [within, code] {
    std::this_thread::sleep_for(within);
    log_warn("the database does not answer: the process ends without it");
    ::_exit(code);
  }).detach();
}

}  // namespace reeve::cli
