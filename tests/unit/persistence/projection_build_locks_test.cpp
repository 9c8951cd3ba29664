// Who holds a lock, stands still or is ended while read models are built delays the build, and
// neither the log nor the next leader (C8).

#include "persistence/advisory_locks.hpp"
#include "persistence/leader_lock.hpp"
#include "persistence/projection_build.hpp"
#include "persistence/read_models.hpp"
#include "persistence/tail_fold.hpp"
#include "tests/support/environment.hpp"
#include "tests/unit/persistence/replay_fixture.hpp"

#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>

namespace {

using namespace reeve;
using namespace reeve::domain;
using namespace reeve::persistence;
using namespace reeve::fixture;
using namespace std::chrono_literals;

/// Until it is destroyed.
class held_lock {
 public:
  held_lock(const std::string& url, const std::string& table, const std::string& mode)
      : connection_(url), tx_(connection_) {
    tx_.exec("LOCK TABLE " + table + " IN " + mode + " MODE");
  }

 private:
  pqxx::connection connection_;
  pqxx::work tx_;
};

class builds_among_others : public read_models_of_a_log {
 protected:
  builds_among_others() {
    built.owner_url = options.owner_url;
    built.list = {&projection_named("runs")};
    built.holder = [this] { return holder.load(); };
  }

  std::future<outcome<build_result>> build() {
    return std::async(std::launch::async, [this] { return build_projections(built); });
  }
  std::unique_ptr<held_lock> hold(const std::string& table, const std::string& mode) {
    return std::make_unique<held_lock>(options.owner_url, table, mode);
  }
  std::string locks_of_builder(const std::string& mode, const std::string& table) const {
    return " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
           " WHERE a.application_name = 'reeve_build' AND a.datname = current_database()"
           " AND l.mode = '" +
           mode + "Lock' AND l.relation = '" + table + "'::regclass";
  }
  bool builder_waits(const std::string& mode, const std::string& table) const {
    return !db.root("SELECT 1" + locks_of_builder(mode, table) + " AND NOT l.granted").empty();
  }
  bool builder_holds(const std::string& mode, const std::string& table) const {
    return !db.root("SELECT 1" + locks_of_builder(mode, table) + " AND l.granted").empty();
  }
  /// Of this database only, those of other tests are not seen.
  void end_sessions(const std::string& name) {
    db.root(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE '" +
        name + "'");
  }
  /// What is open stays open.
  void let_connect(bool may) {
    pqxx::connection other(std::getenv("REEVE_TEST_PG"));
    pqxx::nontransaction(other).exec("ALTER DATABASE " + db.name() + " ALLOW_CONNECTIONS " +
                                     (may ? "true" : "false"));
  }
  void expect_as_the_log_says() {
    ASSERT_TRUE(follow());
    EXPECT_EQ(replayed().different_rows, 0);
  }

  build_options built;
};

// Its row type was made in the try that was undone.
TEST_F(builds_among_others, C8_the_first_event_of_a_kind_outlives_a_switch_that_is_tried_again) {
  live_through();
  built.list = {&projection_named("directives")};
  std::future<outcome<build_result>> building;
  auto reader = hold("reeve_read.directives", "ACCESS SHARE");
  auto vacuum = hold("reeve_read.directives", "SHARE UPDATE EXCLUSIVE");
  building = build();
  ASSERT_TRUE(
      eventually([&] { return builder_waits("ShareUpdateExclusive", "reeve_read.directives"); }));
  const auto id = real_ids().next();
  author<directive_state> one(log, tenant, stream_of<directive_state>(id));
  one.write(decide(*one.state, create_directive{id, spec_named("d"), false}));
  vacuum.reset();
  const auto is_at_the_switch = [&] {
    return builder_waits("AccessExclusive", "reeve_read.directives");
  };
  ASSERT_TRUE(eventually(is_at_the_switch));
  ASSERT_TRUE(eventually([&] { return !is_at_the_switch(); })) << "it was undone";
  reader.reset();
  const auto made = building.get();
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(
      db.root("SELECT 1 FROM reeve_read.directives WHERE id = '" + to_string(id) + "'").size(), 1U);
  expect_as_the_log_says();
}

TEST_F(builds_among_others, C8_what_comes_while_a_vacuum_is_waited_for_is_taken_beside_appends) {
  live_through();
  std::future<outcome<build_result>> building;
  auto vacuum = hold("reeve_read.runs", "SHARE UPDATE EXCLUSIVE");
  building = build();
  ASSERT_TRUE(eventually([&] { return builder_waits("ShareUpdateExclusive", "reeve_read.runs"); }));
  const auto limit =
      "SET statement_timeout = '" + std::to_string(20 * support::time_factor()) + "s'";
  EXPECT_NO_THROW(db.root(limit + "; SELECT reeve.make_partition(2)"))
      << "the journal makes one in the middle of its appends";
  write_run(true);
  // Rows of it cannot be written, so here the builder is seen at it.
  auto next = hold("reeve_read.runs__next", "SHARE");
  vacuum.reset();
  ASSERT_TRUE(eventually([&] { return builder_waits("RowExclusive", "reeve_read.runs__next"); }));
  EXPECT_FALSE(builder_holds("ShareRowExclusive", "reeve.events"));
  next.reset();
  const auto made = building.get();
  ASSERT_TRUE(made) << made.error().detail;
  expect_as_the_log_says();
}

// A backup may hold a table for hours, and each try has appends and readers of it wait.
TEST_F(builds_among_others, C8_a_switch_that_cannot_be_had_is_tried_more_and_more_rarely) {
  live_through();
  auto reader = hold("reeve_read.runs", "ACCESS SHARE");
  std::vector<std::int64_t> pauses_ms;
  built.wait = [&](std::chrono::milliseconds time, const auto&) {
    pauses_ms.push_back(time.count());
    if (pauses_ms.size() == 9) reader.reset();
  };
  const auto made = build_projections(built);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_THAT(pauses_ms,
              ::testing::ElementsAre(250, 500, 1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000));
  expect_as_the_log_says();
}

TEST_F(builds_among_others, C8_a_stop_ends_the_wait_for_the_switch_at_once) {
  live_through();
  auto reader = hold("reeve_read.runs", "ACCESS SHARE");
  std::atomic<bool> stop = false;
  built.stop = &stop;
  int waits = 0;
  built.wait = [&](std::chrono::milliseconds, const std::function<bool()>& is_over) {
    ++waits;
    EXPECT_FALSE(is_over());
    stop = true;
    wait_unless(std::chrono::hours(1), is_over);
  };
  EXPECT_EQ(build_projections(built).error().detail, "it was stopped");
  EXPECT_EQ(waits, 1);
}

TEST_F(builds_among_others,
       C8_a_builder_that_was_ended_at_the_switch_goes_on_with_another_session) {
  live_through();
  std::future<outcome<build_result>> building;
  auto reader = hold("reeve_read.runs", "ACCESS SHARE");
  building = build();
  ASSERT_TRUE(eventually([&] {
    return !db.root("SELECT pg_terminate_backend(l.pid)" +
                    locks_of_builder("AccessExclusive", "reeve_read.runs") + " AND NOT l.granted")
                .empty();
  }));
  write_run(true);
  reader.reset();
  const auto made = building.get();
  ASSERT_TRUE(made) << made.error().detail;
  expect_as_the_log_says();
}

// As when PostgreSQL is started again: its leader is elected anew, and nobody led meanwhile.
TEST_F(builds_among_others, C8_a_build_outlives_the_loss_of_all_sessions_with_one_pass) {
  live_through();
  built.list = {projections().begin(), projections().end()};
  ASSERT_TRUE(build_projections(built)) << "so that one is left to be built";
  db.root(
      "CREATE TABLE public.made (name text);"
      "CREATE FUNCTION public.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
      " INSERT INTO public.made SELECT object_identity FROM pg_event_trigger_ddl_commands()"
      " WHERE command_tag = 'CREATE TABLE'; END $$;"
      "CREATE EVENT TRIGGER note ON ddl_command_end WHEN TAG IN ('CREATE TABLE')"
      " EXECUTE FUNCTION public.note();"
      "UPDATE reeve.projections SET version = version + 7 WHERE name = 'runs'");
  projection_board board;
  token_table tokens;
  read_store_config reading;
  reading.url = db.reader_url();
  reading.board = &board;
  read_store reads(reading);
  auto reader = hold("reeve_read.runs", "ACCESS SHARE");
  auto models = std::make_unique<read_models>(
      read_models::options{options.owner_url, db.writer_url(), &board, &reads, &tokens, &holder});
  on_commit = [&models](const commit_notice& notice) { models->on_commit(notice); };
  ASSERT_TRUE(models->lead());
  ASSERT_TRUE(eventually([&] { return builder_waits("AccessExclusive", "reeve_read.runs"); }));
  end_sessions("reeve%");
  ASSERT_TRUE(eventually([&] { return log.renew().ok(); }));
  write_run(true);
  reader.reset();
  EXPECT_TRUE(eventually(
      [&] { return board.of(projection_named("runs")).state == projection_state::live; }));
  on_commit = {};
  models.reset();
  EXPECT_EQ(db.root("SELECT 1 FROM public.made WHERE name = 'reeve_read.runs__next'").size(), 1U)
      << "nothing was built again";
  expect_as_the_log_says();
}

TEST_F(builds_among_others, C8_a_builder_waits_for_a_database_that_refuses_it_for_a_minute) {
  live_through();
  for (const bool comes_back : {true, false}) {
    // All at once when PostgreSQL is started again, and then the journal knows it first.
    for (const std::string ends : {"reeve_build", "reeve%"}) {
      const bool all = ends == "reeve%";
      auto reader = hold("reeve_read.runs", "ACCESS SHARE");
      int waits = 0;
      std::chrono::milliseconds waited{0};
      built.waits_for_lead = true;
      built.longest_pause = all ? 1s : 30s;
      built.wait = [&](std::chrono::milliseconds time, const auto&) {
        if (++waits == 1) {
          end_sessions(ends);
          end_sessions("reeve-writer");
          let_connect(false);
          EXPECT_TRUE(!all || eventually([&] { return !log.renew().ok(); }));
        } else {
          waited += time;
        }
        if (waited < 20s || !comes_back) return;
        let_connect(true);
        EXPECT_TRUE(eventually([&] { return log.renew().ok(); }));
        reader.reset();
      };
      const auto made = build_projections(built);
      let_connect(true);
      EXPECT_EQ(made.ok(), comes_back) << ends;
      EXPECT_GE(waited, comes_back ? 20s : 60s) << ends;
      EXPECT_LE(waited, 95s) << ends;
      ASSERT_TRUE(eventually([&] { return log.renew().ok(); }));
    }
  }
  expect_as_the_log_says();
}

TEST_F(builds_among_others, C8_a_switch_waits_no_longer_than_the_lead_is_away) {
  live_through();
  auto reader = hold("reeve_read.runs", "ACCESS SHARE");
  std::vector<std::int64_t> pauses_ms;
  built.waits_for_lead = true;
  built.wait = [&](std::chrono::milliseconds time, const std::function<bool()>& is_over) {
    pauses_ms.push_back(time.count());
    EXPECT_FALSE(is_over());
    if (pauses_ms.size() == 1) {
      end_sessions("reeve-writer");
      let_connect(false);
      EXPECT_TRUE(eventually([&] { return !log.renew().ok(); }));
      reader.reset();
    } else {
      let_connect(true);
      EXPECT_TRUE(eventually([&] { return log.renew().ok(); }));
      EXPECT_TRUE(is_over());
    }
  };
  const auto made = build_projections(built);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_THAT(pauses_ms, ::testing::ElementsAre(250, 250));
  expect_as_the_log_says();
}

TEST_F(builds_among_others, C8_another_servers_lead_ends_the_wait_for_ones_own_at_once) {
  live_through();
  auto config = journal_on(db.writer_url());
  config.take_over = true;
  journal next(config);
  ASSERT_TRUE(next.open());
  db.root("UPDATE reeve_read.runs SET doc = '{}'");
  built.waits_for_lead = true;
  int waits = 0;
  built.wait = [&](std::chrono::milliseconds, const std::function<bool()>& is_over) {
    ++waits;
    EXPECT_FALSE(is_over()) << "it may be a loss that passes";
    EXPECT_TRUE(eventually([&] { return log.renew().error().code == errc::fenced; }));
    wait_unless(std::chrono::hours(1), is_over);
  };
  EXPECT_EQ(build_projections(built).error().code, errc::fenced);
  EXPECT_EQ(waits, 1);
  EXPECT_EQ(replayed().different_rows, 3) << "nothing was switched";
}

// No timeout of PostgreSQL ends a session whose client says nothing in the middle of a COPY.
TEST_F(builds_among_others, P31_a_builder_that_stands_still_in_a_copy_is_ended_by_the_next_leader) {
  live_through();
  db.root("CREATE TABLE reeve_read.runs__next (LIKE reeve_read.runs)");
  pqxx::connection frozen(options.owner_url);
  pqxx::work tx(frozen);
  tx.exec("SELECT pg_advisory_lock(" + std::string(build_lock_key) + ")");
  tx.exec("LOCK TABLE reeve_read.runs__next IN ROW EXCLUSIVE MODE");
  tx.exec("CREATE TEMPORARY TABLE held (n int)");
  pqxx::stream_to rows(tx, "held");
  const auto made = build_projections(built);
  ASSERT_TRUE(made) << made.error().detail;
  expect_as_the_log_says();
}

TEST_F(builds_among_others, P31_a_server_without_the_leaders_lock_ends_nobody_who_builds) {
  live_through();
  end_sessions("reeve-writer");
  std::optional<leader_lock> lock;
  const auto is_taken = [&] {
    if (auto taken = leader_lock::take(options.owner_url)) lock.emplace(std::move(*taken));
    return lock.has_value();
  };
  ASSERT_TRUE(eventually(is_taken)) << "by a command, whose build it is then";
  pqxx::connection other(options.owner_url);
  pqxx::nontransaction(other).exec("SELECT pg_advisory_lock(" + std::string(build_lock_key) + ")");
  for (const bool knows : {false, true}) {
    EXPECT_FALSE(knows && log.renew()) << "it is away";
    const auto made = build_projections(built);
    ASSERT_FALSE(made) << "nobody was elected since";
    EXPECT_EQ(made.error().code, errc::unavailable);
    EXPECT_NO_THROW(pqxx::nontransaction(other).exec("SELECT 1"));
  }
  built.holder = [&lock] { return lock->holder(); };
  EXPECT_TRUE(build_projections(built)) << "who has the lock ends who builds without it";
}

TEST_F(builds_among_others, P31_a_command_that_lost_the_leaders_lock_builds_nothing) {
  live_through();
  db.root("UPDATE reeve_read.runs SET doc = '{}'");
  const auto built_by = [this](int session) {
    return build_here(options.owner_url, "runs", [session] { return session; });
  };
  pqxx::connection frozen(options.owner_url);
  EXPECT_EQ(built_by(frozen.backendpid()).error().code, errc::fenced);
  pqxx::connection other(options.owner_url);
  pqxx::nontransaction(other).exec("SELECT pg_advisory_lock(" + std::string(build_lock_key) + ")");
  EXPECT_EQ(built_by(frozen.backendpid()).error().code, errc::internal);
  EXPECT_NO_THROW(pqxx::nontransaction(other).exec("SELECT 1"));
  EXPECT_EQ(replayed().different_rows, 3);
}

// While a pass over a long log makes few rows, the session that has the lock says nothing.
TEST_F(builds_among_others, C8_a_builder_may_read_for_long_before_it_has_a_row_to_write) {
  live_through();
  db.root(
      "CREATE TABLE public.seen (value text);"
      "CREATE FUNCTION public.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
      " INSERT INTO public.seen VALUES (current_setting('idle_session_timeout')); END $$;"
      "CREATE EVENT TRIGGER note ON ddl_command_end WHEN TAG IN ('CREATE TABLE')"
      " EXECUTE FUNCTION public.note()");
  ASSERT_TRUE(build_projections(built));
  const auto seen = db.root("SELECT DISTINCT value FROM public.seen");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0][0].as<std::string>(), "0");
}

TEST_F(builds_among_others, EV8_what_a_taker_of_the_tail_throws_is_its_own_and_comes_again) {
  live_through();
  tail_fold tail(options.owner_url, {&projection_named("runs")}, 0);
  EXPECT_THROW((void)tail.advance([](const commit_notice&) -> outcome<done> {
    throw std::length_error("planted");
  }),
               std::length_error);
  EXPECT_EQ(tail.position(), 0);
  std::size_t rows = 0;
  ASSERT_TRUE(tail.advance([&](const commit_notice& notice) -> outcome<done> {
    rows = notice.rows.size();
    return done{};
  }));
  EXPECT_GE(rows, 3U);
  EXPECT_EQ(tail.position(), log.head().position);
}

}  // namespace
