// What a command that took the leader's lock changes when it stood still and has lost it, and what
// a server does that finds another schema when it has the lock again.

#include "persistence/leader_lock.hpp"

#include "persistence/migrate.hpp"
#include "persistence/read_models.hpp"
#include "tests/unit/persistence/bare_cluster.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using reeve::fixture::bare_database;
using reeve::fixture::eventually;

class P31_leader_lock : public ::testing::Test {
 protected:
  std::int64_t count(const std::string& from) const {
    return db.root("SELECT count(*) FROM " + from)[0][0].as<std::int64_t>();
  }
  /// As PostgreSQL does to one whose command says nothing.
  void end_holder(const leader_lock& lock) const {
    const auto pid = std::to_string(lock.holder());
    db.root("SELECT pg_terminate_backend(" + pid + ")");
    EXPECT_TRUE(eventually([&] { return count("pg_locks WHERE pid = " + pid) == 0; }));
  }
  bool waits(const std::string& application) const {
    return count("pg_stat_activity WHERE datname = current_database() AND application_name = '" +
                 application + "' AND wait_event_type = 'Lock'") == 1;
  }

  bare_database db;
  migration_options options{db.owner_url(), db.make_role("w"), db.make_role("r")};
};

TEST_F(P31_leader_lock, P28_who_lost_it_before_it_could_begin_changes_no_schema) {
  const auto lock = leader_lock::take(db.owner_url());
  ASSERT_TRUE(lock) << lock.error().detail;
  options.leader_pid = lock->holder();
  auto another = std::make_unique<pqxx::connection>(db.owner_url());
  pqxx::nontransaction(*another).exec("SELECT pg_advisory_lock(491496043109)");
  auto late = std::async(std::launch::async, [this] { return migrate(options); });
  ASSERT_TRUE(eventually([&] { return waits("reeve_migrate"); }));
  end_holder(*lock);
  another.reset();
  EXPECT_EQ(late.get().error().code, errc::fenced);
  EXPECT_EQ(count("pg_namespace WHERE nspname = 'reeve'"), 0);

  const auto again = leader_lock::take(db.owner_url());
  ASSERT_TRUE(again) << again.error().detail;
  options.leader_pid = again->holder();
  EXPECT_TRUE(migrate(options));
  end_holder(*again);
  EXPECT_EQ(migrate(options).error().code, errc::fenced) << "with nothing left to apply too";
}

/// Whoever leads next waits for the one that was begun.
TEST_F(P31_leader_lock, P28_who_lost_it_midway_begins_no_other_migration) {
  const auto lock = leader_lock::take(db.owner_url());
  ASSERT_TRUE(lock) << lock.error().detail;
  options.leader_pid = lock->holder();
  pqxx::connection another(db.owner_url());
  pqxx::work making(another);
  making.exec("CREATE SCHEMA reeve_read");  // as the third migration does
  auto late = std::async(std::launch::async, [this] { return migrate(options); });
  ASSERT_TRUE(eventually([&] { return waits("reeve_migrate"); }));
  end_holder(*lock);
  making.abort();
  EXPECT_EQ(late.get().error().code, errc::fenced);
  EXPECT_EQ(count("reeve.migrations"), 3);
}

TEST_F(P31_leader_lock, who_lost_it_builds_no_read_model_under_the_next_leaders_epoch) {
  ASSERT_TRUE(migrate(options));
  auto lock = leader_lock::take(db.owner_url());
  ASSERT_TRUE(lock) << lock.error().detail;
  end_holder(*lock);
  {
    journal leads(reeve::fixture::journal_on(db.url_of(options.writer_role)));
    ASSERT_TRUE(leads.open());
    EXPECT_EQ(build_here(db.owner_url(), "runs", [&] { return lock->holder(); }).error().code,
              errc::fenced);
  }
  ASSERT_TRUE(eventually([&] {
    lock = leader_lock::take(db.owner_url());
    return lock.ok();
  }));
  const auto built = build_here(db.owner_url(), "runs", [&] { return lock->holder(); });
  EXPECT_TRUE(built) << built.error().detail;
}

class P28_leads_again : public P31_leader_lock {
 protected:
  P28_leads_again() {
    EXPECT_TRUE(migrate(options));
    config = reeve::fixture::journal_on(db.url_of(options.writer_role));
    config.on_barred = [this](const std::string& why, const std::string&) { barred = why; };
  }
  void end_writer() const {
    db.root(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'reeve-writer' AND datname = current_database()");
  }
  std::int64_t elections() const { return count("reeve.events WHERE type = 'leader_elected'"); }
  /// As `reeve migrate` of a newer program would.
  void make_newer() const {
    db.root("INSERT INTO reeve.migrations (number, name, sha256) VALUES (999, '999_later', 'x')");
  }

  journal_config config;
  std::string barred;
};

TEST_F(P28_leads_again, who_finds_a_newer_schema_is_fenced_and_says_why) {
  journal leads(config);
  ASSERT_TRUE(leads.open());
  end_writer();
  std::optional<leader_lock> lock;
  ASSERT_TRUE(eventually([&] {
    if (auto taken = leader_lock::take(db.owner_url())) lock = std::move(*taken);
    return lock.has_value();
  }));
  make_newer();
  EXPECT_FALSE(leads.renew());
  EXPECT_EQ(leads.state(), journal_state::away);
  lock.reset();
  EXPECT_TRUE(eventually([&] { return leads.renew().error().code == errc::fenced; }));
  EXPECT_EQ(leads.state(), journal_state::fenced);
  EXPECT_EQ(elections(), 1);
  EXPECT_EQ(barred, "the database's schema is not this program's") << "anybody may read that";
}

TEST_F(P28_leads_again, a_journal_that_is_opened_again_looks_too) {
  ASSERT_TRUE(journal(config).open());
  config.led_before = true;
  ASSERT_TRUE(eventually([this] { return journal(config).open().ok(); }));
  ASSERT_TRUE(eventually([this] { return leader_lock::take(db.owner_url()).ok(); }));
  make_newer();
  journal again(config);
  outcome<journal_head> answer = reject(errc::conflict, "");
  EXPECT_TRUE(eventually([&] {
    answer = again.open();
    return answer.ok() || answer.error().code != errc::conflict;
  }));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::fenced);
  EXPECT_EQ(again.state(), journal_state::fenced);
  EXPECT_EQ(elections(), 2);
}

TEST_F(P28_leads_again, nobody_does_while_a_migration_is_under_way) {
  journal leads(config);
  ASSERT_TRUE(leads.open());
  auto migrating = std::make_unique<pqxx::connection>(db.owner_url());
  pqxx::nontransaction(*migrating).exec("SELECT pg_advisory_lock(491496043109)");
  end_writer();
  EXPECT_FALSE(leads.renew());
  const auto has_lock = [this] {
    return count(
               "pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.granted"
               " AND l.locktype = 'advisory' AND a.application_name = 'reeve-writer'"
               " AND a.datname = current_database()") == 1;
  };
  EXPECT_TRUE(eventually([&] { return !leads.renew() && has_lock(); }));
  EXPECT_FALSE(leads.renew());
  EXPECT_EQ(leads.state(), journal_state::away);
  EXPECT_EQ(elections(), 1);
  migrating.reset();
  EXPECT_TRUE(eventually([&] { return leads.renew().ok(); }));
  EXPECT_EQ(elections(), 2);
}

}  // namespace
