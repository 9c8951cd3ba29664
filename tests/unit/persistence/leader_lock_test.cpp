// What a command that took the leader's lock changes when it stood still and has lost it.

#include "persistence/leader_lock.hpp"

#include "persistence/migrate.hpp"
#include "persistence/read_models.hpp"
#include "tests/unit/persistence/bare_cluster.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <future>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using reeve::testing::bare_database;
using reeve::testing::eventually;

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
    journal leads(reeve::testing::journal_on(db.url_of(options.writer_role)));
    ASSERT_TRUE(leads.open());
    EXPECT_EQ(build_here(db.owner_url(), "runs", lock->holder()).error().code, errc::fenced);
  }
  ASSERT_TRUE(eventually([&] {
    lock = leader_lock::take(db.owner_url());
    return lock.ok();
  }));
  const auto built = build_here(db.owner_url(), "runs", lock->holder());
  EXPECT_TRUE(built) << built.error().detail;
}

}  // namespace
