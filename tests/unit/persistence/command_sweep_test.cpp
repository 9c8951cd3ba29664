// Idempotency keys go after their 7 days and not before (EV3).

#include "persistence/command_sweep.hpp"

#include "tests/unit/persistence/journal_fixture.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::testing;

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
  void expire(const std::string& where) const {
    db.root("UPDATE reeve.commands SET expires_at_us = 1000 WHERE " + where);
  }

  test_database db;
  uuid tenant = real_ids().next();
  journal log;
};

TEST_F(EV3_sweep, takes_what_has_expired_and_leaves_what_lives) {
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(append_one(log, keyed(key)));
  expire("key IN ('a', 'c')");
  EXPECT_EQ(*sweep_commands(db.writer_url(), 999), 0) << "not yet";
  EXPECT_EQ(keys(), "a b c");
  EXPECT_EQ(*sweep_commands(db.writer_url(), 1000), 2);
  EXPECT_EQ(keys(), "b");
  EXPECT_EQ(db.root("SELECT count(*) FROM reeve.events")[0][0].as<int>(), 4) << "the log stays";
  auto again = append_one(log, keyed("b"));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed) << "a key that lives still stands for its first request";
  again = append_one(log, keyed("a"));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->replayed);
}

TEST_F(EV3_sweep, a_key_lives_for_seven_days) {
  ASSERT_TRUE(append_one(log, keyed("a")));
  const auto now = real_clock().now_us();
  const time_us day = 24 * 3600 * us_per_second;
  EXPECT_EQ(*sweep_commands(db.writer_url(), now + 7 * day - 60 * us_per_second), 0);
  EXPECT_EQ(*sweep_commands(db.writer_url(), now + 7 * day + 60 * us_per_second), 1);
}

TEST_F(EV3_sweep, goes_in_bounded_batches) {
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(append_one(log, keyed("k" + std::to_string(i))));
  expire("true");
  EXPECT_EQ(*sweep_commands(db.writer_url(), 2000, 2, 2), 4);
  EXPECT_EQ(*sweep_commands(db.writer_url(), 2000, 2, 2), 3);
  EXPECT_EQ(*sweep_commands(db.writer_url(), 2000, 2, 2), 0);
}

TEST_F(EV3_sweep, only_the_writer_may) {
  ASSERT_TRUE(append_one(log, keyed("a")));
  expire("true");
  EXPECT_FALSE(sweep_commands(db.reader_url(), 2000));
  EXPECT_EQ(sweep_commands("host=/nowhere dbname=x", 2000).error().code, errc::unavailable);
  EXPECT_EQ(keys(), "a");
}

}  // namespace
