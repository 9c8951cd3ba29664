#include "persistence/projection_build.hpp"

#include "base/test_point.hpp"
#include "persistence/advisory_locks.hpp"
#include "persistence/bulk_fold.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/row_writer.hpp"
#include "persistence/tail_fold.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace reeve::persistence {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view suffix = "__next";
// Keeps VACUUM away from the tables, and makes an autovacuum that is at one of them give way, which
// it does after deadlock_timeout (1 s as a rule). Nobody who reads or writes waits for this lock or
// behind it; those who would wait for the locks below would wait for the VACUUM too.
constexpr std::string_view without_vacuum = " IN SHARE UPDATE EXCLUSIVE MODE";
constexpr const char* patience_for_vacuum = "SET LOCAL lock_timeout = '5s'";
// What an append waits for at most while a build tries to take the live tables' place.
constexpr const char* patience_of_build =
    "SET LOCAL lock_timeout = '200ms';"
    // And of a builder that stands still with the locks in its hand: shorter than a silent leader
    // is waited for, so that the next one can be elected.
    "SET LOCAL idle_in_transaction_session_timeout = '4s'";
// It makes rows and reads the log in its transactions; who leads next ends it if it is in the way.
constexpr const char* for_a_builder = "SET idle_in_transaction_session_timeout = '60s'";
// A session that was ended keeps its locks for a moment.
constexpr std::int64_t wait_for_other_ms = 5'000;
constexpr int most_losses = 3;
// Pauses in a row after which no database was there, together.
constexpr auto most_in_vain = std::chrono::milliseconds(1min);
constexpr auto first_pause = 250ms;
constexpr auto between_looks = 20ms;
constexpr const char* lock_not_available = "55P03";
// While so much is appended during a pass over the log, another pass takes it in faster than the
// way of the last few does.
constexpr domain::position worth_a_pass = 5'000;
constexpr int most_passes = 8;

// A quarter of PostgreSQL's own, for plans that have one way to go; autovacuum looks closer later.
constexpr const char* sample_size = "SET LOCAL default_statistics_target = 25";

class builder {
 public:
  explicit builder(const build_options& options) : options_(options) {
    for (const auto* one : options.list) tables_.push_back(next_table_of(*one));
  }

  outcome<build_result> run() {
    connect();
    const bool is_mine = !is_fenced() && take_lock();
    if (is_fenced()) return fenced();
    if (!is_mine) {
      return reject(errc::unavailable, "read models of this log are being built already");
    }
    begin();
    make_tables();
    if (auto ok = fold_log(); !ok) return ok.error();
    for (;; pause_ = std::min(2 * pause_, options_.longest_pause)) {
      const auto is_over = finish();
      if (!is_over) return is_over.error();
      if (*is_over) return result_;
      const bool is_led = told() > 0;
      // Nobody is made to wait by a try; a database that is away is tried rarely all the same.
      if (!is_led && !is_lost_ && in_vain_ == 0ms) pause_ = first_pause;
      options_.wait(pause_, [&] { return is_stopped() || is_fenced() || (!is_led && told() > 0); });
    }
  }

 private:
  void connect() {
    writer_.reset();
    connection_.reset();
    connection_ = connect_session(options_.owner_url, "reeve_build");
  }

  /// With the lock of builds.
  void begin() {
    pqxx::nontransaction(*connection_).exec0(for_a_builder);
    writer_.emplace(*connection_, options_.list);
  }

  /// Only who leads builds, one build at a time: under the leader's lock whoever else builds leads
  /// no more, or is a session of ours that is going. No timeout ends one that stands still in a
  /// COPY. Without that lock it may be a command that has it.
  bool take_lock() {
    {
      pqxx::nontransaction tx(*connection_);
      const auto lock = std::string("SELECT pg_try_advisory_lock(") + build_lock_key + ")";
      if (tx.exec1(lock)[0].as<bool>()) return true;
      if (!options_.holder || !leads(tx)) return false;
      try {
        for (const auto& other : holders_of(tx, build_lock_key)) terminate(tx, other);
      } catch (const pqxx::insufficient_privilege&) {
        return false;
      }
    }
    return lock_within(*connection_, build_lock_key, wait_for_other_ms);
  }

  void make_tables() {
    pqxx::work tx(*connection_);
    // Nothing of the fold need last before it is over.
    tx.exec0("SET synchronous_commit = off");
    for (const auto& table : tables_) {
      tx.exec0("DROP TABLE IF EXISTS " + table.scratch + "; CREATE TABLE " + table.scratch +
               " (LIKE " + table.live +
               " INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMMENTS)" +
               "; ALTER TABLE " + table.scratch +
               " SET (autovacuum_enabled = off, fillfactor = 100)");
      made_.push_back(number_of(tx, table.scratch));
    }
    tx.commit();
  }

  /// Of a table, whatever it is called; empty: there is none.
  static std::string number_of(pqxx::transaction_base& tx, const std::string& table) {
    return tx.exec1("SELECT pg_catalog.to_regclass('" + table + "')::oid::text")[0].c_str();
  }

  domain::position head() {
    return pqxx::nontransaction(*connection_)
        .exec1("SELECT reeve.head()")[0]
        .as<domain::position>();
  }

  /// All of the log that there is now; then the tables get their keys and indexes.
  outcome<done> fold_log() {
    bulk_fold fold(options_.owner_url, *connection_, options_.list, tables_);
    fold.stop = options_.stop;
    fold.sources = sources_of(options_.list);
    for (int pass = 0; pass < most_passes; ++pass) {
      const auto until = head();
      if (pass > 0 && until - fold.position() < worth_a_pass) break;
      if (auto ok = fold.fold_to(until); !ok) return ok;
    }
    result_.events = fold.events();
    result_.head = fold.position();
    pqxx::work tx(*connection_);
    for (const auto& table : tables_) {
      tx.exec("SELECT reeve.dress_projection('" + table.live + "'::regclass, '" + table.scratch +
              "'::regclass, '" + std::string(suffix) + "')");
    }
    fold.rows().merge_by_key(tx);
    tx.exec0(sample_size);
    tx.exec0("SET synchronous_commit = on");  // all before it lasts when this is committed
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      // Documents take longest, and nobody looks for rows by them.
      tx.exec0("ANALYZE " + tables_[i].scratch + " (" + sought_columns_of(*options_.list[i]) + ")");
    }
    tx.commit();
    return done{};
  }

  static rejection stopped() { return reject(errc::unavailable, "it was stopped"); }
  bool is_stopped() const { return options_.stop != nullptr && options_.stop->load(); }

  /// Rows of what was appended, into the new tables.
  void take(pqxx::transaction_base& tx, const commit_notice& notice) {
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      writer_->write(tx, *options_.list[i], tables_[i].scratch, notice.rows);
    }
    result_.events += static_cast<std::int64_t>(notice.events.size());
  }

  /// All that was appended.
  outcome<done> take_all(const tail_fold::take_fn& take_some) {
    for (;;) {
      if (is_stopped()) return stopped();
      const auto more = tail_->advance(take_some);
      if (!more) return more.error();
      if (!*more) return done{};
    }
  }
  outcome<done> take_all(pqxx::transaction_base& tx) {
    return take_all([&](const commit_notice& notice) -> outcome<done> {
      take(tx, notice);
      return done{};
    });
  }

  outcome<done> catch_up() {
    if (!tail_) tail_.emplace(options_.owner_url, options_.list, result_.head);
    const auto caught_up = take_all([this](const commit_notice& notice) -> outcome<done> {
      // Begun here: while the log is read, nothing is open.
      pqxx::work tx(*connection_);
      take(tx, notice);
      tx.commit();
      result_.head = notice.events.back().position;
      return done{};
    });
    if (caught_up) result_.head = tail_->position();
    return caught_up;
  }

  /// False: not now, since the lead is away.
  outcome<bool> switch_over() {
    pqxx::work tx(*connection_);
    if (!leads(tx)) return without_lead();
    keep_vacuum_away(tx);
    // What came while that waited, so that hardly anything is left for those who wait below.
    if (auto ok = take_all(tx); !ok) return ok.error();
    tx.exec0(patience_of_build);
    // Appends wait from here on; they come behind what is read now.
    tx.exec0("LOCK TABLE reeve.events IN SHARE ROW EXCLUSIVE MODE");
    // Who takes the leader's lock from here on is elected after the switch.
    if (!leads(tx)) return without_lead();
    if (auto ok = take_all(tx); !ok) return ok.error();
    in_place_at_ = tail_->position();
    for (std::size_t i = 0; i < tables_.size(); ++i) put_in_place(tx, i, in_place_at_);
    test_point("switch");
    tx.commit();
    return true;
  }

  /// False: not now, since somebody holds on to a table for long, a backup perhaps, or the session
  /// was lost, or the lead. Appends go on meanwhile.
  outcome<bool> finish() {
    outcome<bool> is_over = false;
    try {
      is_over = try_switch();
    } catch (const std::exception&) {
      const auto why = connection_ ? trouble_of_current(*connection_) : sql_trouble{true, {}};
      if (why.lost ? !may_lose() : why.sqlstate != lock_not_available) throw;
    }
    if (is_over && !*is_over && tail_ && tail_->position() != result_.head) {
      tail_.reset();  // what it had taken is undone with the transaction
    }
    return is_over;
  }

  outcome<bool> try_switch() {
    if (is_stopped()) return stopped();
    if (is_lost_) {
      const auto is_switched = come_back();
      if (!is_switched || *is_switched || is_lost_) return is_switched;
    }
    if (auto ok = catch_up(); !ok) return later(ok.error());
    in_vain_ = 0ms;
    const auto is_switched = switch_over();
    if (!is_switched) return later(is_switched.error());
    if (*is_switched) result_.head = in_place_at_;
    return is_switched;
  }

  /// What the database does not answer now it may answer soon, PostgreSQL being started again.
  outcome<bool> later(const rejection& why) {
    if (why.code != errc::unavailable || is_stopped() || !may_be_in_vain()) return why;
    return false;
  }

  bool may_be_in_vain() {
    if (in_vain_ >= most_in_vain) return false;
    in_vain_ += pause_;
    return true;
  }

  bool may_lose() {
    if (is_lost_) return may_be_in_vain();
    is_lost_ = true;
    pause_ = first_pause;
    return ++losses_ <= most_losses;
  }

  /// With another session. What was committed since the fold is durable, so nothing of it is lost;
  /// true: the switch is too. False and still lost: not now.
  outcome<bool> come_back() {
    connect();
    if (are_made(&replay_table::live)) {
      result_.head = in_place_at_;
      return true;
    }
    {
      pqxx::nontransaction tx(*connection_);
      if (!leads(tx)) return without_lead();
    }
    if (!take_lock()) return later(reject(errc::unavailable, "another server builds"));
    begin();
    if (!are_made(&replay_table::scratch)) {
      return reject(errc::unavailable, "what was built is gone");
    }
    is_lost_ = false;
    pause_ = first_pause;
    return false;
  }

  /// Whether those of these names are the tables that were filled here.
  bool are_made(std::string replay_table::*name) {
    pqxx::nontransaction tx(*connection_);
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      if (number_of(tx, tables_[i].*name) != made_[i]) return false;
    }
    return true;
  }

  /// First from the live tables, since it may take a while; then from the partitions of the log,
  /// not from the log itself: who attaches the next one, in the middle of the appends, would wait.
  void keep_vacuum_away(pqxx::transaction_base& tx) {
    tx.exec0(patience_for_vacuum);
    std::string names;
    for (const auto& table : tables_) names += (names.empty() ? "" : ", ") + table.live;
    for (const auto& row :
         tx.exec("SELECT inhrelid::pg_catalog.regclass FROM pg_catalog.pg_inherits"
                 " WHERE inhparent = 'reeve.events'::pg_catalog.regclass"
                 " ORDER BY inhrelid")) {
      names += ", " + std::string(row[0].c_str());
    }
    tx.exec0("LOCK TABLE " + names + std::string(without_vacuum));
  }

  /// Who has held the lock since the last election is the last who was elected.
  bool leads(pqxx::transaction_base& tx) const {
    if (!options_.holder) return true;
    const int holder = options_.holder();
    return holder > 0 && is_held_by(tx, leader_lock_key, holder);
  }
  int told() const { return options_.holder ? options_.holder() : 1; }
  bool is_fenced() const { return told() < 0; }
  static rejection fenced() {
    return reject(errc::fenced, "the leader's lock was lost meanwhile, to another server perhaps");
  }

  /// Whoever takes the lead again finds nobody else's event in the log, so that what was built goes
  /// on. Else he is fenced.
  outcome<bool> without_lead() const {
    if (options_.waits_for_lead && !is_fenced()) return false;
    return fenced();
  }

  /// Those of the live table, instead of those for being filled: most rows never change again, so
  /// the pages were filled to the end.
  static void give_settings(pqxx::transaction_base& tx, const replay_table& table) {
    tx.exec0("ALTER TABLE " + table.scratch + " RESET (autovacuum_enabled, fillfactor)");
    const auto row =
        tx.exec1("SELECT array_to_string(reloptions, ', ') FROM pg_catalog.pg_class WHERE oid = '" +
                 table.live + "'::regclass");
    if (row[0].is_null()) return;
    tx.exec0("ALTER TABLE " + table.scratch + " SET (" + row[0].c_str() + ")");
  }

  void put_in_place(pqxx::transaction_base& tx, std::size_t i, domain::position at) {
    const auto& table = tables_[i];
    const auto& of = *options_.list[i];
    tx.exec0("LOCK TABLE " + table.live + " IN ACCESS EXCLUSIVE MODE");
    give_settings(tx, table);
    const auto both = "('" + table.live + "'::regclass, '" + table.scratch + "'::regclass";
    // They may have changed since it was made ready.
    tx.exec("SELECT reeve.copy_rights" + both + ")");
    tx.exec("SELECT reeve.swap_projection" + both + ", '" + std::string(suffix) + "')");
    tx.exec_params0(
        "INSERT INTO reeve.projections (name, version, columns, state, checkpoint)"
        " VALUES ($1, $2, $3, 'live', $4) ON CONFLICT (name) DO UPDATE SET"
        " version = excluded.version, columns = excluded.columns, state = 'live',"
        " checkpoint = excluded.checkpoint, stale_from = NULL, asked_at_us = NULL, failure = NULL",
        std::string(of.name), of.version, columns_of(of), at);
  }

  const build_options& options_;
  std::unique_ptr<pqxx::connection> connection_;
  std::optional<row_writer> writer_;
  std::vector<replay_table> tables_;
  std::vector<std::string> made_;  // their numbers
  std::optional<tail_fold> tail_;  // of what was appended after the passes
  std::chrono::milliseconds pause_ = first_pause;
  domain::position in_place_at_ = 0;  // of a switch whose commit may be in doubt
  bool is_lost_ = false;              // the session
  int losses_ = 0;
  std::chrono::milliseconds in_vain_{0};
  build_result result_;
};

}  // namespace

void wait_unless(std::chrono::milliseconds time, const std::function<bool()>& is_over) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!is_over() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(between_looks);
  }
}

outcome<build_result> build_projections(const build_options& options) {
  if (options.list.empty()) return build_result{};
  try {
    return builder(options).run();
  } catch (const pqxx::sql_error& e) {
    return reject(errc::unavailable, "building read models failed with SQLSTATE " + e.sqlstate());
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the database cannot be reached");
  }
}

}  // namespace reeve::persistence
