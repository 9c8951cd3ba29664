#include "persistence/read_models.hpp"

#include "base/log.hpp"
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
#include <mutex>
#include <optional>
#include <thread>

namespace reeve::persistence {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 1s;
// A build that failed fails again as a rule; its reason stands in the log.
constexpr std::chrono::seconds first_pause = 2s, longest_pause = 60s;

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

  outcome<std::vector<const projection*>> look(bool register_new);
  outcome<done> load_tokens();
  outcome<done> build(const std::vector<const projection*>& list);
  void keep();
  void keep_once();

  options config;
  const projection& tokens;
  std::optional<tail_fold> tail;                 // of a standby
  std::unique_ptr<pqxx::connection> connection;  // of `look`, one thread after the other
  std::int64_t epoch = 0;
  std::unique_ptr<projection_follower> follower;
  std::atomic<bool> stop{false};
  std::chrono::steady_clock::time_point not_before{};
  std::chrono::seconds pause = first_pause;  // before a failed build is tried again
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  bool stopping = false;
  std::thread thread;
};

/// What has to be built; the board then tells the state of each. What this process knows to be
/// stale is so until it was built: the table may have been read before the mark.
outcome<std::vector<const projection*>> read_models::impl::look(bool register_new) {
  try {
    if (!connection) connection = connect_session(config.writer_url, "reeve-projections");
    pqxx::nontransaction tx(*connection);
    if (register_new) register_empty(tx);
    std::vector<const projection*> wanted;
    const auto stored = read_stored(tx);
    for (const auto* of : projections()) {
      const auto& state = stored.at(of);
      const bool is_needed = state.needs_build(*of);
      const bool was_stale =
          !register_new && config.board->of(*of).state == projection_state::stale;
      if (is_needed || was_stale) wanted.push_back(of);
      config.board->set(*of,
                        state.is_stale || was_stale ? projection_state::stale
                        : is_needed                 ? projection_state::building
                                                    : projection_state::live,
                        state.is_readable());
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
  config.tokens->load(rows->tokens);
  return done{};
}

outcome<done> read_models::impl::build(const std::vector<const projection*>& list) {
  if (list.empty()) return done{};
  const auto begin = std::chrono::steady_clock::now();
  const auto made = build_projections({config.owner_url, list, epoch, &stop});
  if (!made) {
    log_warn("read models could not be built", {{"why", made.error().detail}});
    return made.error();
  }
  config.reads->forget();
  if (std::find(list.begin(), list.end(), &tokens) != list.end()) {
    if (auto ok = load_tokens(); !ok) return ok;
  }
  for (const auto* of : list) config.board->set(*of, projection_state::live, true);
  const auto took = std::chrono::steady_clock::now() - begin;
  log_info("read models were built from the log",
           {{"projections", list.size()},
            {"events", made->events},
            {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()}});
  return done{};
}

void read_models::impl::keep_once() {
  const auto wanted = look(false);
  if (!wanted || wanted->empty() || std::chrono::steady_clock::now() < not_before) return;
  if (build(*wanted)) {
    pause = first_pause;
    return;
  }
  not_before = std::chrono::steady_clock::now() + pause;
  pause = std::min(longest_pause, 2 * pause);
}

void read_models::impl::keep() {
  for (;;) {
    keep_once();
    std::unique_lock lock(mutex);
    changed.wait_for(lock, look_every, [this] { return stopping || woken; });
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
    in.tail.emplace(in.config.writer_url, std::vector<const projection*>{&in.tokens},
                    rows->position);
    in.config.tokens->begin_load();
    in.config.tokens->load(rows->tokens);
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

outcome<done> read_models::lead(std::int64_t epoch) {
  auto& in = *impl_;
  in.epoch = epoch;
  in.tail.reset();
  const auto wanted = in.look(true);
  if (!wanted) return wanted.error();
  std::vector<const projection*> first;
  std::copy_if(wanted->begin(), wanted->end(), std::back_inserter(first),
               [](const projection* of) { return of->guards_access; });
  // One that fails is told by readiness; what rests on it is refused.
  (void)in.build(first);
  if (auto ok = in.load_tokens(); !ok) return ok;
  projection_follower::options following;
  following.url = in.config.writer_url;
  following.board = in.config.board;
  following.on_rows = [&in](const commit_notice& notice) { in.config.reads->on_commit(notice); };
  in.follower = std::make_unique<projection_follower>(following);
  in.thread = std::thread([&in] { in.keep(); });
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
