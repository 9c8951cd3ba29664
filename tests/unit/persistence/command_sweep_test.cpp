// Idempotency keys go after their 7 days and not before (EV3).

#include "persistence/command_sweep.hpp"

#include "tests/unit/persistence/journal_fixture.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

class EV3_sweep : public ::testing::Test {
 protected:
  EV3_sweep() : log(journal_on(db.writer_url())) {
    if (!log.open()) throw std::runtime_error("the journal does not open");
  }
  append_request keyed(const std::string& key) const {
    auto request = append_to(fresh_stream(), 0, tenant);
    request.command = key_of(tenant, key, "body");
    return request;
  }
  std::string keys() const {
    const auto rows = db.root("SELECT string_agg(key, ' ' ORDER BY key) FROM reeve.commands");
    return rows[0][0].is_null() ? "" : rows[0][0].c_str();
  }
  outcome<std::int64_t> look(const uuid& by, time_us passed, std::int64_t batch = 1000,
                             int batches = 100) const {
    return sweep_commands(db.writer_url(), {by, passed}, batch, batches);
  }
  int marks() const { return db.root("SELECT count(*) FROM reeve.command_marks")[0][0].as<int>(); }
  /// Marks the keys of now as old enough.
  void let_wait() const {
    const auto by = real_ids().next();
    ASSERT_TRUE(look(by, 0));
    db.root("UPDATE reeve.command_marks SET waited_us = " + std::to_string(command_lifetime_us));
  }

  static constexpr time_us day = 24 * 3600 * us_per_second;
  test_database db;
  uuid tenant = real_ids().next();
  uuid server = real_ids().next();
  journal log;
};

/// Blobs are stored by the same thread.
TEST_F(EV3_sweep, does_not_wait_for_ever_for_somebody_else_who_counts) {
  pqxx::connection other(db.writer_url());
  pqxx::work tx(other);
  ASSERT_TRUE(append_one(log, keyed("a")));
  let_wait();
  tx.exec("UPDATE reeve.command_marks SET waited_us = waited_us");
  EXPECT_EQ(look(server, 0).error().code, errc::unavailable);
  tx.abort();
  EXPECT_TRUE(look(server, 0));
}

TEST_F(EV3_sweep, takes_keys_after_seven_days_and_leaves_what_came_later) {
  for (const char* key : {"a", "b"}) ASSERT_TRUE(append_one(log, keyed(key)));
  EXPECT_EQ(*look(server, 0), 0);
  ASSERT_TRUE(append_one(log, keyed("c")));
  EXPECT_EQ(*look(server, 4 * day), 0);
  EXPECT_EQ(*look(server, 3 * day - 1), 0) << "not yet";
  EXPECT_EQ(keys(), "a b c");
  EXPECT_EQ(*look(server, 1), 2);
  EXPECT_EQ(keys(), "c");
  EXPECT_EQ(db.root("SELECT count(*) FROM reeve.events")[0][0].as<int>(), 4) << "the log stays";
  auto again = append_one(log, keyed("c"));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed) << "a key that lives still stands for its first request";
  again = append_one(log, keyed("a"));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->replayed);
}

TEST_F(EV3_sweep, P33_counts_no_time_that_two_servers_saw_or_nobody) {
  ASSERT_TRUE(append_one(log, keyed("a")));
  const auto other = real_ids().next();
  EXPECT_EQ(*look(server, 0), 0);
  EXPECT_EQ(*look(server, 5 * day), 0);
  // One that took the lead, and then the old one again, which was stopped for all that time.
  EXPECT_EQ(*look(other, 8 * day), 0);
  EXPECT_EQ(*look(server, 8 * day), 0);
  EXPECT_EQ(*look(server, 2 * day - 1), 0);
  EXPECT_EQ(*look(server, 1), 1);
}

TEST_F(EV3_sweep, P33_asks_no_wall_clock) {
  // Stamps of a server whose clock is decades behind, or ahead, make no key older.
  auto config = journal_on(db.writer_url());
  struct : clock_port {
    time_us now_us() override { return 1; }
    std::int64_t mono_us() override { return real_clock().mono_us(); }
  } early;
  config.clock = &early;
  config.take_over = true;
  journal behind(config);
  ASSERT_TRUE(behind.open());
  ASSERT_TRUE(append_one(behind, keyed("early")));
  EXPECT_EQ(*look(server, 0), 0);
  EXPECT_EQ(*look(server, 7 * day - 1), 0);
  EXPECT_TRUE(append_one(behind, keyed("early"))->replayed);
}

TEST_F(EV3_sweep, goes_in_bounded_batches) {
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(append_one(log, keyed("k" + std::to_string(i))));
  let_wait();
  EXPECT_EQ(*look(server, 0, 2, 2), 4);
  EXPECT_EQ(*look(server, 0, 2, 2), 3);
  EXPECT_EQ(*look(server, 0, 2, 2), 0);
}

TEST_F(EV3_sweep, keeps_few_marks) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(append_one(log, keyed("k" + std::to_string(i))));
    ASSERT_TRUE(look(server, 0));
    ASSERT_TRUE(look(server, 0));
  }
  EXPECT_EQ(marks(), 3) << "one for each look that found new keys";
  EXPECT_EQ(*look(server, 7 * day), 3);
  EXPECT_EQ(marks(), 1);
}

TEST_F(EV3_sweep, only_the_writer_may) {
  ASSERT_TRUE(append_one(log, keyed("a")));
  let_wait();
  EXPECT_FALSE(sweep_commands(db.reader_url(), {server, 0}));
  EXPECT_EQ(sweep_commands("host=/nowhere dbname=x", {server, 0}).error().code, errc::unavailable);
  EXPECT_EQ(keys(), "a");
}

}  // namespace
