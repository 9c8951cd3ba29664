// The part of a server process that clients see.

#include "api/openapi.hpp"
#include "api/routes/health.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/named_thread.hpp"
#include "cli/serve.hpp"

#include <cstdio>
#include <cstdlib>
#include <tuple>

namespace reeve::cli {
namespace {

/// For those who are told at a stop that they are not answered.
constexpr std::chrono::milliseconds last_words_within{1000};

std::pair<std::string, std::uint16_t> split_listen(const std::string& listen) {
  const auto colon = listen.rfind(':');
  auto host = listen.substr(0, colon);
  // An IPv6 address stands in brackets where a port follows, and only there.
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host, static_cast<std::uint16_t>(std::atoi(&listen[colon + 1]))};
}

/// Without the tokens nobody is let in.
bool refuses_everybody(const persistence::projection_status& one) {
  return one.state == persistence::projection_state::stale && one.of->name == "tokens";
}

/// What does not work leaves the server ready all the same; its log says why.
api::check degraded_by(const char* name, bool is_failing, const char* how) {
  return {name, true, is_failing ? std::string(how) + ": see the server's log" : "", is_failing};
}

api::checkpoint_view view_of(const persistence::signed_head& s) {
  return {s.position,   s.epoch,     s.origin,         to_hex(s.hash),
          s.public_key, s.signature, {s.created_at_us}};
}

}  // namespace

void server_process::fill_services() {
  services_->reads = reads_.get();
  services_->feed = feed_.get();
  services_->ids = &real_ids();
  services_->clock = &real_clock();
  services_->llm = &llm_;
  services_->engine = [this] {
    const auto s = engine_->status();
    return api::engine_view{s.engine,  s.available,   s.breaker,
                            s.version, s.api_version, s.live_restore};
  };
  services_->agents = [this](const std::optional<uuid>& tenant) {
    std::vector<api::agent_view> all;
    for (const auto& row : tree_->agents(tenant)) {
      all.push_back({row.path,
                     row.strategy,
                     row.state,
                     row.last_exit,
                     row.incarnation,
                     row.restarts,
                     {row.since_us}});
    }
    return all;
  };
  services_->sign_head = [this](reply_slot<api::checkpoint_view> slot) {
    checkpoints_->sign_now(reply_slot<persistence::signed_head>(
        [slot = std::move(slot)](outcome<persistence::signed_head> made) {
          if (!made) return slot.answer(made.error());
          slot.answer(view_of(*made));
        }));
  };
}

/// What is asked of them comes only once this server leads, and has them.
void server_process::fill_upstreams() {
  services_->places = &llm_places_;
  services_->upstreams = [this] {
    auto views = upstreams_ ? upstreams_->views() : std::vector<domain::llm_upstream_view>();
    for (auto& one : views) one.calls = llm_places_.calls_of(one.what.name);
    return views;
  };
  services_->call_upstream = [this](adapters::upstream_call what,
                                    std::shared_ptr<call_stopper> stopper,
                                    reply_slot<adapters::upstream_answer> slot) {
    if (!llm_caller_) return slot.answer(reject(errc::unavailable, "there are no upstreams"));
    llm_caller_->call(std::move(what), std::move(stopper), std::move(slot));
  };
  services_->may_record = [this] { return lead_.token() && tree_->log_available(); };
}

void server_process::fill_secrets() {
  services_->keep_secret = [this](const uuid& tenant, const std::string& name, const uuid& value,
                                  std::shared_ptr<const secret_text> text,
                                  reply_slot<digest> slot) {
    secrets_->put({tenant, name, value}, std::move(text), std::move(slot));
  };
  services_->destroy_secrets = [this](const uuid& tenant, std::vector<uuid> values,
                                      reply_slot<done> slot) {
    secrets_->destroy(tenant, std::move(values), std::move(slot));
  };
}

outcome<done> server_process::open_gateway() {
  services_ = std::make_unique<api::services>();
  fill_services();
  fill_upstreams();
  fill_secrets();
  fill_logs();
  auto routes = api::all_routes(*services_);
  for (auto& r : api::health_routes([this] { return checks(); })) routes.push_back(std::move(r));
  auto table = api::router::make(api::with_openapi(std::move(routes)));
  if (!table) return table.error();
  router_.emplace(std::move(*table));
  api::server_options options;
  std::tie(options.address, options.port) = split_listen(config_.listen);
  options.max_connections = static_cast<std::size_t>(config_.max_connections);
  options.max_buffered_bytes = static_cast<std::size_t>(config_.buffered_bytes);
  options.limits.shares = {static_cast<std::size_t>(config_.token_share_percent),
                           static_cast<std::size_t>(config_.address_share_percent)};
  options.limits.requests_per_s = static_cast<double>(config_.rate_per_s);
  options.limits.burst = 2.0 * static_cast<double>(config_.rate_per_s);
  api::gateway_hooks hooks;
  hooks.authenticate = [this](std::string_view token) { return authenticate(token); };
  hooks.authenticate_job = [this](std::string_view token) { return authenticate_attempt(token); };
  hooks.denied = [this](const api::denial& what) { denials_.note(what); };
  hooks.closed = [this] { return closed(); };
  http_ = std::make_unique<api::http_server>(options, *router_, hooks);
  auto port = http_->listen();
  if (!port) {
    return reject(port.error().code,
                  port.error().detail + "; --listen (REEVE_LISTEN) takes another address");
  }
  feed_->wake_on([this](std::function<void()> work) { http_->post(std::move(work)); });
  http_thread_ = named_thread("http", [this] { http_->run(); });
  const bool v6 = options.address.find(':') != std::string::npos;
  const auto host = v6 ? "[" + options.address + "]" : options.address;
  url_ = "http://" + host + ":" + std::to_string(*port);
  return done{};
}

void server_process::drain_gateway() {
  http_->begin_drain();
  // Who has sent nothing yet loses nothing, and a resolver may hang for long.
  if (llm_caller_) llm_caller_->stop_names();
  const auto await_end = [this](std::chrono::milliseconds within) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    while (http_->connections() > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  };
  await_end(std::chrono::seconds(config_.drain_s));
  // Also without any grace nobody is left without a word.
  http_->cut_short();
  await_end(last_words_within);
  http_->stop();
}

void server_process::close_gateway() {
  if (http_) http_->stop();
  if (http_thread_.joinable()) http_thread_.join();
  if (feed_) feed_->wake_on({});
  http_.reset();
}

/// From here on this server answers for the log. What the handlers need was made before.
outcome<done> server_process::announce() {
  services_->commands = &tree_->commands();
  if (auto ok = write_small_file(endpoint_file(config_), url_ + "\n"); !ok) return ok;
  phase_ = phase::leading;
  std::printf("reeve: ready on %s\n", url_.c_str());
  std::fflush(stdout);
  return done{};
}

std::optional<rejection> server_process::closed() const {
  switch (phase_.load()) {
    case phase::starting:
      return reject(errc::unavailable, "this server is starting");
    case phase::log_away:
      return reject(errc::unavailable, "this server waits for the event log");
    case phase::standby:
      return reject(errc::unavailable, "this server is a standby: another one leads");
    case phase::refused:
      return reject(errc::unavailable, "this server refuses its database");
    case phase::leading:
      // A token that was revoked must not open anything because nobody could write it down.
      return board_.refusal(persistence::projection_named("tokens"));
  }
  return std::nullopt;
}

std::optional<api::caller> server_process::authenticate(std::string_view token) const {
  const auto row = tokens_.find(token);
  if (!row) return std::nullopt;
  api::caller who;
  who.tenant = row->tenant;
  who.token_id = row->id;
  who.principal = "token:" + to_string(row->id);
  who.has = row->role;
  who.is_of_first_tenant = tokens_.is_first_tenant(row->tenant);
  return who;
}

/// What is built or was not kept up to date is named; the server is ready all the same, unless
/// access rests on it.
api::check server_process::read_models_check() const {
  api::check found{"read_models", true, "", false};
  for (const auto& one : board_.all()) {
    if (one.state == persistence::projection_state::live) continue;
    found.is_degraded = true;
    found.ok = found.ok && !refuses_everybody(one);
    found.note += found.note.empty() ? "" : ", ";
    found.note += std::string(one.of->name) + " is " + std::string(name_of(one.state));
  }
  return found;
}

/// A request with a key needs a look at the keys as well, so this is more than a list that is away.
api::check server_process::reads_check() const {
  if (!reads_->missing_rights().empty()) {
    return {"reads", false,
            "the reader's login lacks a right: see the server's log, or reeve doctor"};
  }
  if (!reads_->refused_login().empty()) {
    return {"reads", false,
            "the database does not let the reader's login in: see the server's log"};
  }
  return {"reads", true, ""};
}

api::check server_process::event_log_check() const {
  if (tree_->log_available()) return {"event_log", true, "leader"};
  const std::lock_guard lock(barred_mutex_);
  return {"event_log", false, barred_.empty() ? "leader, the log is away" : "leader, " + barred_};
}

std::vector<api::check> server_process::checks() const {
  std::vector<api::check> all;
  const auto now = phase_.load();
  if (now != phase::leading) {
    all.push_back({"event_log", false,
                   now == phase::refused    ? refusal_
                   : now == phase::standby  ? "standby"
                   : now == phase::log_away ? "standby, the log is away"
                                            : "starting"});
    return all;
  }
  all.push_back(event_log_check());
  all.push_back(reads_check());
  all.push_back({"accepting", !draining_.load(), draining_ ? "the server is stopping" : ""});
  all.push_back(read_models_check());
  all.push_back(degraded_by("blobs", blobs_->is_failing(), "output cannot be stored, jobs wait"));
  all.push_back(degraded_by("checkpoints", checkpoints_->is_failing(), "heads are not signed"));
  const auto engine = engine_->status();
  // Without an engine the server is ready all the same: jobs wait.
  all.push_back({"engine", true, engine.engine + (engine.available ? "" : ", unavailable"),
                 !engine.available});
  return all;
}

}  // namespace reeve::cli
