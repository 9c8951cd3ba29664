#include "persistence/read_models.hpp"

#include "base/log.hpp"
#include "base/named_thread.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/projection_build.hpp"
#include "persistence/projection_follower.hpp"
#include "persistence/startup.hpp"
#include "persistence/stored_projections.hpp"
#include "persistence/tail_fold.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace reeve::persistence {
namespace {

using namespace std::chrono_literals;

using clock = std::chrono::steady_clock;

constexpr auto wake_every = 250ms;
constexpr std::chrono::seconds first_wait = 1s, longest_pause = 60s;

/// A build that failed fails again as a rule, and what was stale for a lasting reason is soon stale
/// again: a projection is built anew by itself more and more rarely, until all was well for a
/// minute.
class build_pause {
 public:
  bool is_over() const { return clock::now() >= until_; }
  void begin() {
    const auto now = clock::now();
    if (now > until_ + longest_pause) pause_ = first_wait;
    until_ = now + pause_;
    pause_ = std::min(longest_pause, 2 * pause_);
  }

 private:
  clock::time_point until_{};
  std::chrono::seconds pause_ = first_wait;
};

struct wanted_build {
  const projection* of = nullptr;
  std::int64_t asked_at_us = 0;  // 0: nobody has asked
};

bool concerns_followers(const commit_notice& notice) {
  for (const auto* of : projections()) {
    if (of->kind != projection_kind::follower) continue;
    for (const auto& event : notice.events) {
      if (is_made_of(*of, event.stream)) return true;
    }
  }
  return false;
}

}  // namespace

struct read_models::impl {
  explicit impl(options given) : config(std::move(given)), tokens(projection_named("tokens")) {}
  ~impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    stop = true;
    changed.notify_all();
    if (thread.joinable()) thread.join();
  }

  outcome<std::vector<wanted_build>> look(bool register_new);
  outcome<done> load_tokens();
  outcome<done> build(const std::vector<const projection*>& list);
  void build_each(const std::vector<wanted_build>& list);
  void tell_failure(const wanted_build& one, const rejection& why);
  void keep();
  void keep_once();

  options config;
  const projection& tokens;
  std::optional<tail_fold> tail;                 // of a standby
  std::unique_ptr<pqxx::connection> connection;  // of `look`, one thread after the other
  std::unique_ptr<projection_follower> follower;
  std::atomic<bool> stop{false};
  bool is_under_way = false;  // the server's work: its journal comes back by itself
  std::map<const projection*, build_pause> pauses;
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  bool stopping = false;
  std::thread thread;
};

/// What has to be built; the board then tells the state of each. What this process knows to be
/// stale is so until it was built: the table may have been read before the mark.
outcome<std::vector<wanted_build>> read_models::impl::look(bool register_new) {
  try {
    if (!connection) connection = connect_session(config.writer_url, "reeve-projections");
    pqxx::nontransaction tx(*connection);
    if (register_new) register_empty(tx);
    std::vector<wanted_build> wanted;
    const auto stored = read_stored(tx);
    for (const auto* of : projections()) {
      const auto& state = stored.at(of);
      const auto seen = state.is_stale           ? projection_state::stale
                        : state.needs_build(*of) ? projection_state::building
                                                 : projection_state::live;
      if (register_new) config.board->set(*of, seen, state.is_readable());
      const auto now = config.board->told(*of, seen, state.is_readable());
      if (now != projection_state::live) wanted.push_back({of, state.asked_at_us});
    }
    return wanted;
  } catch (const std::exception&) {
    connection.reset();
    return reject(errc::unavailable, "the versions of the read models cannot be read");
  }
}

outcome<done> read_models::impl::load_tokens() {
  config.tokens->begin_load();
  auto rows = read_startup(config.writer_url);
  if (!rows) return rows.error();
  config.tokens->load(rows->tokens, first_tenant_of(rows->tenants));
  return done{};
}

outcome<done> read_models::impl::build(const std::vector<const projection*>& list) {
  if (list.empty()) return done{};
  const auto begin = clock::now();
  build_options options;
  options.owner_url = config.owner_url;
  options.list = list;
  if (const auto* told = config.holder) options.holder = [told] { return told->load(); };
  options.waits_for_lead = is_under_way;
  if (!is_under_way) options.longest_pause = std::chrono::seconds(1);  // all wait for it anyway
  options.stop = &stop;
  const auto made = build_projections(options);
  if (!made) return made.error();
  config.reads->forget();
  if (std::find(list.begin(), list.end(), &tokens) != list.end()) {
    if (auto ok = load_tokens(); !ok) return ok;
  }
  for (const auto* of : list) config.board->built(*of, made->head);
  const auto took = clock::now() - begin;
  log_info("read models were built from the log",
           {{"projections", list.size()},
            {"events", made->events},
            {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()}});
  return done{};
}

/// All in one pass over the log; if that fails each by itself, so that one that cannot be built
/// keeps no other from it. Who leads no more builds none.
void read_models::impl::build_each(const std::vector<wanted_build>& list) {
  std::vector<const projection*> all;
  for (const auto& one : list) all.push_back(one.of);
  const auto together = build(all);
  const bool by_one = list.size() > 1 && (together || together.error().code != errc::fenced);
  for (const auto& one : list) {
    if (stop) return;
    if (!together) {
      const auto alone = by_one ? build({one.of}) : together;
      if (!alone && !stop) tell_failure(one, alone.error());
    }
    pauses[one.of].begin();
  }
}

void read_models::impl::tell_failure(const wanted_build& one, const rejection& why) {
  log_warn("a read model could not be built", {{"projection", one.of->name}, {"why", why.detail}});
  // Who leads no more, or not now, has nothing to say to those who ask.
  if (why.code == errc::fenced || (config.holder != nullptr && *config.holder <= 0)) return;
  try {
    if (!connection) connection = connect_session(config.writer_url, "reeve-projections");
    pqxx::nontransaction tx(*connection);
    note_failure(tx, *one.of, one.asked_at_us, why.detail);
  } catch (const std::exception&) {
    connection.reset();
  }
}

void read_models::impl::keep_once() {
  const auto wanted = look(false);
  if (!wanted) return;
  std::vector<wanted_build> due;
  for (const auto& one : *wanted) {
    if (one.asked_at_us != 0 || pauses[one.of].is_over()) due.push_back(one);
  }
  build_each(due);
}

void read_models::impl::keep() {
  for (;;) {
    keep_once();
    std::unique_lock lock(mutex);
    changed.wait_for(lock, wake_every, [this] { return stopping || woken; });
    if (stopping) return;
    woken = false;
  }
}

read_models::read_models(options given) : impl_(std::make_unique<impl>(std::move(given))) {}
read_models::~read_models() = default;

outcome<done> read_models::stand_by() {
  auto& in = *impl_;
  if (!in.tail) {
    // From before the rows are read: what comes in between is told twice and changes nothing.
    const auto rows = read_startup(in.config.writer_url);
    if (!rows) return rows.error();
    in.tail.emplace(in.config.writer_url,
                    std::vector<const projection*>{&in.tokens, &projection_named("tenants")},
                    rows->position);
    in.config.tokens->begin_load();
    in.config.tokens->load(rows->tokens, first_tenant_of(rows->tenants));
  }
  for (;;) {
    const auto more = in.tail->advance([&](const commit_notice& notice) -> outcome<done> {
      in.config.reads->on_commit(notice);
      in.config.tokens->on_commit(notice);
      return done{};
    });
    in.config.board->set(in.tokens, more ? projection_state::live : projection_state::stale, true);
    if (!more) in.tail.reset();
    if (!more) return more.error();
    if (!*more) return done{};
  }
}

outcome<done> read_models::lead() {
  auto& in = *impl_;
  in.tail.reset();
  const auto wanted = in.look(true);
  if (!wanted) return wanted.error();
  std::vector<wanted_build> first;
  for (const auto& one : *wanted) {
    if (one.of->is_built_first) first.push_back(one);
  }
  // One that fails is told by readiness; what rests on it is refused.
  in.build_each(first);
  if (auto ok = in.load_tokens(); !ok) return ok;
  projection_follower::options following;
  following.url = in.config.writer_url;
  following.board = in.config.board;
  following.on_rows = [&in](const commit_notice& notice) { in.config.reads->on_commit(notice); };
  in.follower = std::make_unique<projection_follower>(following);
  in.is_under_way = true;
  in.thread = named_thread("read-models", [&in] { in.keep(); });
  return done{};
}

void read_models::on_commit(const commit_notice& notice) {
  auto& in = *impl_;
  in.config.board->on_commit(notice);
  in.config.reads->on_commit(notice);
  in.config.tokens->on_commit(notice);
  if (in.follower && concerns_followers(notice)) in.follower->wake();
  if (notice.stale.empty()) return;
  {
    const std::lock_guard lock(in.mutex);
    in.woken = true;
  }
  in.changed.notify_all();
}

}  // namespace reeve::persistence
