#include "persistence/projection_follower.hpp"

#include "base/log.hpp"
#include "base/named_thread.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/row_writer.hpp"
#include "persistence/tail_fold.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace reeve::persistence {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 1s;
// Those who wait for it are answered in time.
constexpr auto tick = 100ms;

/// One projection, its place in the log and its session.
class followed {
 public:
  followed(std::string url, const projection& of) : url_(std::move(url)), of_(of) {}

  const projection& of() const { return of_; }
  domain::position position() const { return tail_ ? tail_->position() : 0; }

  /// True: there is more at once. An error ends the session; the next call begins anew.
  outcome<bool> advance(const std::function<void(const commit_notice&)>& on_rows) {
    return guarded([&]() -> outcome<bool> {
      if (!tail_ && !begin()) return reject(errc::unavailable, "it is still to be built");
      return tail_->advance([&](const commit_notice& notice) { return take(notice, on_rows); });
    });
  }

  /// A right is missing.
  void hold() { is_held_ = true; }

  /// Events of others move it on without a row: its checkpoint says so too, if it has said nothing
  /// for so long. Whoever compares its rows or takes them up reads on from there. One that was held
  /// shows that it may write again.
  outcome<bool> keep_place(std::chrono::milliseconds after) {
    const bool is_due = std::chrono::steady_clock::now() - kept_at_ >= after;
    const bool is_known = tail_ && tail_->position() == checkpoint_;
    if (!tail_ || (!is_held_ && (!is_due || is_known))) return false;
    return guarded([&]() -> outcome<bool> {
      pqxx::work tx(*connection_);
      if (auto ok = move_to(tx, tail_->position()); !ok) return ok.error();
      tx.commit();
      moved_to(tail_->position());
      is_held_ = false;
      return true;
    });
  }

 private:
  template <class F>
  outcome<bool> guarded(F work) {
    outcome<bool> result = false;
    try {
      result = work();
    } catch (const std::exception&) {
      result = connection_ ? rejection_of_try(trouble_of_current(*connection_))
                           : reject(errc::unavailable, "the database cannot be reached");
    }
    if (!result) {
      tail_.reset();
      writer_.reset();
      connection_.reset();
    }
    return result;
  }

  /// False: its table is not of this version yet. Then it is built, like every other, and followed
  /// from where that ended.
  bool begin() {
    connection_ = connect_session(url_, "reeve-follower");
    {
      // A lock that somebody else holds, or a statement that hangs, makes it late, not silent.
      pqxx::nontransaction settings(*connection_);
      settings.exec0("SET lock_timeout = '2s'; SET statement_timeout = '10s'");
    }
    const auto rows = pqxx::nontransaction(*connection_)
                          .exec_params(
                              "SELECT checkpoint FROM reeve.projections WHERE name = $1"
                              " AND version = $2 AND columns = $3",
                              std::string(of_.name), of_.version, columns_of(of_));
    if (rows.empty()) return false;
    writer_.emplace(*connection_, std::vector<const projection*>{&of_});
    moved_to(rows[0][0].as<domain::position>());
    tail_.emplace(url_, std::vector<const projection*>{&of_}, checkpoint_);
    return true;
  }

  outcome<done> take(const commit_notice& notice,
                     const std::function<void(const commit_notice&)>& on_rows) {
    const auto at = notice.events.back().position;
    pqxx::work tx(*connection_);
    if (auto ok = move_to(tx, at); !ok) return ok;
    writer_->write(tx, of_, table_of(of_), notice.rows);
    tx.commit();
    moved_to(at);
    on_rows({{}, notice.rows});
    return done{};
  }

  outcome<done> move_to(pqxx::work& tx, domain::position at) {
    const auto moved = tx.exec_params(
        "UPDATE reeve.projections SET checkpoint = $3 WHERE name = $1 AND checkpoint = $2"
        " AND version = $4",
        std::string(of_.name), checkpoint_, at, of_.version);
    if (moved.affected_rows() == 1) return done{};
    return reject(errc::conflict, "somebody else has moved the checkpoint");
  }

  void moved_to(domain::position at) {
    checkpoint_ = at;
    kept_at_ = std::chrono::steady_clock::now();
  }

  std::string url_;
  const projection& of_;
  std::unique_ptr<pqxx::connection> connection_;
  std::optional<row_writer> writer_;
  std::optional<tail_fold> tail_;
  domain::position checkpoint_ = 0;  // as the database has it
  bool is_held_ = false;
  std::chrono::steady_clock::time_point kept_at_;
};

}  // namespace

struct projection_follower::impl {
  explicit impl(options given) : config(std::move(given)) {
    for (const auto* one : projections()) {
      if (one->kind == projection_kind::follower) all.emplace_back(config.url, *one);
    }
    thread = named_thread("follower", [this] { work(); });
  }
  ~impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    thread.join();
  }

  void work() {
    auto next_look = std::chrono::steady_clock::now();
    for (;;) {
      {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, tick, [this] { return stopping || woken; });
        if (stopping) return;
        const auto now = std::chrono::steady_clock::now();
        if (!std::exchange(woken, false) && now < next_look) {
          lock.unlock();
          config.board->expire();
          continue;
        }
        next_look = now + look_every;
      }
      for (auto& one : all) follow(one);
      config.board->expire();
    }
  }

  void follow(followed& one) {
    for (bool more = true; more;) {
      const auto went = one.advance(config.on_rows);
      // What cannot be folded is told once by the journal already; here it is only late.
      if (!went) return note(one, went.error());
      if (const auto kept = one.keep_place(config.keep_place_every); !kept) {
        return note(one, kept.error());
      }
      config.board->reached(one.of(), one.position());
      more = *went;
    }
  }

  /// What a later try may mend makes it late only. Told once, until it was built anew, or goes on.
  void note(followed& one, const rejection& why) {
    const bool lacks_right = why.code == errc::forbidden;
    if (why.code != errc::internal && !lacks_right) return;
    const bool is_known = config.board->of(one.of()).state == projection_state::stale;
    if (lacks_right) {
      one.hold();
      config.board->hold(one.of());
    } else {
      config.board->set(one.of(), projection_state::stale, true);
    }
    if (is_known) return;
    log_error("a read model cannot follow the log",
              {{"projection", one.of().name}, {"why", why.detail}});
  }

  options config;
  std::vector<followed> all;
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = true;
  bool stopping = false;
  std::thread thread;
};

projection_follower::projection_follower(options given)
    : impl_(std::make_unique<impl>(std::move(given))) {}
projection_follower::~projection_follower() = default;

void projection_follower::wake() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->woken = true;
  }
  impl_->changed.notify_one();
}

outcome<domain::position> follow_to_head(const std::string& url, const projection& of) {
  followed one(url, of);
  for (;;) {
    const auto more = one.advance([](const commit_notice&) {});
    if (!more) return more.error();
    if (*more) continue;
    if (const auto kept = one.keep_place(0ms); !kept) return kept.error();
    return one.position();
  }
}

}  // namespace reeve::persistence
