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
constexpr const char* patience =
    "SET LOCAL lock_timeout = '200ms'; SET LOCAL synchronous_commit = on;"
    // And of a builder that stands still with the locks in its hand: shorter than a silent leader
    // is waited for, so that the next one can be elected.
    "SET LOCAL idle_in_transaction_session_timeout = '4s'";
// One that stands still elsewhere keeps others from building for so long.
constexpr const char* for_a_builder =
    "SET synchronous_commit = off; SET idle_in_transaction_session_timeout = '60s';"
    "SET idle_session_timeout = '60s'";
constexpr auto between_tries = 250ms;
constexpr const char* lock_not_available = "55P03";
// While so much is appended during a pass over the log, another pass takes it in faster than the
// way of the last few does.
constexpr domain::position worth_a_pass = 5'000;
constexpr int most_passes = 8;

// A quarter of PostgreSQL's own, for plans that have one way to go; autovacuum looks closer later.
constexpr const char* sample_size = "SET LOCAL default_statistics_target = 25";

/// What rows are looked for by: of documents nothing need be known, and they take longest.
std::string analyzed_columns_of(const projection& of) {
  std::string names;
  for (const auto& c : of.columns) {
    const bool is_filter =
        std::find(of.filters.begin(), of.filters.end(), c.name) != of.filters.end();
    if (!c.is_key && !is_filter && c.type == "text") continue;
    names += (names.empty() ? "" : ", ") + std::string(c.name);
  }
  return names;
}

class builder {
 public:
  explicit builder(const build_options& options)
      : options_(options), connection_(connect_session(options.owner_url, "reeve_build")) {
    for (const auto* one : options.list) tables_.push_back(next_table_of(*one));
  }

  outcome<build_result> run() {
    const auto lock = std::string("SELECT pg_try_advisory_lock(") + build_lock_key + ")";
    if (!pqxx::nontransaction(*connection_).exec1(lock)[0].as<bool>()) {
      return reject(errc::unavailable, "read models of this log are being built already");
    }
    // Nothing of it need last before the switch, whose commit is durable with all before it.
    pqxx::nontransaction(*connection_).exec0(for_a_builder);
    make_tables();
    if (auto ok = fold_log(); !ok) return ok.error();
    for (;;) {
      if (auto ok = catch_up(); !ok) return ok.error();
      const auto switched = switch_over();
      if (!switched) return switched.error();
      if (*switched) return result_;
      std::this_thread::sleep_for(between_tries);
    }
  }

 private:
  void make_tables() {
    pqxx::work tx(*connection_);
    for (const auto& table : tables_) {
      tx.exec0("DROP TABLE IF EXISTS " + table.scratch + "; CREATE TABLE " + table.scratch +
               " (LIKE " + table.live +
               " INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMMENTS)" +
               "; ALTER TABLE " + table.scratch +
               " SET (autovacuum_enabled = off, fillfactor = 100)");
    }
    tx.commit();
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
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      tx.exec0("ANALYZE " + tables_[i].scratch + " (" + analyzed_columns_of(*options_.list[i]) +
               ")");
    }
    tx.commit();
    return done{};
  }

  /// Rows of what was appended, into the new tables.
  outcome<done> take(pqxx::transaction_base& tx, const commit_notice& notice) {
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      writer_.write(tx, *options_.list[i], tables_[i].scratch, notice.rows);
    }
    result_.events += static_cast<std::int64_t>(notice.events.size());
    return done{};
  }

  /// True: there is more at once.
  outcome<bool> take_some(pqxx::transaction_base& tx) {
    return tail_->advance([&](const commit_notice& n) { return take(tx, n); });
  }

  outcome<done> catch_up() {
    if (!tail_) tail_.emplace(options_.owner_url, options_.list, result_.head);
    for (;;) {
      if (options_.stop != nullptr && options_.stop->load()) {
        return reject(errc::unavailable, "it was stopped");
      }
      pqxx::work tx(*connection_);
      const auto more = take_some(tx);
      if (!more) return more.error();
      tx.commit();
      result_.head = tail_->position();
      if (!*more) return done{};
    }
  }

  /// False: somebody holds on to a table for long, a backup perhaps. Appends go on meanwhile.
  outcome<bool> switch_over() {
    try {
      pqxx::work tx(*connection_);
      keep_vacuum_away(tx);
      tx.exec0(patience);
      // Appends wait from here on; they come behind what is read now.
      tx.exec0("LOCK TABLE reeve.events IN SHARE ROW EXCLUSIVE MODE");
      if (auto ok = check_epoch(tx); !ok) return ok.error();
      for (bool more = true; more;) {
        const auto went = take_some(tx);
        if (!went) return went.error();
        more = *went;
      }
      for (std::size_t i = 0; i < tables_.size(); ++i) put_in_place(tx, i, tail_->position());
      test_point("switch");
      tx.commit();
      result_.head = tail_->position();
      return true;
    } catch (const pqxx::sql_error& e) {
      if (e.sqlstate() != lock_not_available) throw;
      // What it had taken is undone with the transaction.
      if (tail_->position() != result_.head) tail_.reset();
      return false;
    }
  }

  void keep_vacuum_away(pqxx::transaction_base& tx) {
    tx.exec0(patience_for_vacuum);
    std::string names = "reeve.events";
    for (const auto& table : tables_) names += ", " + table.live;
    tx.exec0("LOCK TABLE " + names + std::string(without_vacuum));
  }

  outcome<done> check_epoch(pqxx::transaction_base& tx) {
    if (!options_.epoch) return done{};
    const auto last = tx.exec("SELECT epoch FROM reeve.events ORDER BY position DESC LIMIT 1");
    if (!last.empty() && last[0][0].as<std::int64_t>() == *options_.epoch) return done{};
    return reject(errc::fenced, "another server writes to this log");
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
  row_writer writer_{*connection_};
  std::vector<replay_table> tables_;
  std::optional<tail_fold> tail_;  // of what was appended after the passes
  build_result result_;
};

}  // namespace

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
