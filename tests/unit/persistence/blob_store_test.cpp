#include "persistence/blob_store.hpp"

#include "persistence/blob_writer.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/read_store.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <future>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

class blobs : public ::testing::Test {
 protected:
  blobs() : store({db.writer_url(), nullptr}), tenant(real_ids().next()) {
    read_store_config config;
    config.url = db.reader_url();
    reads = std::make_unique<read_store>(config);
  }
  outcome<std::string> read(const uuid& as, const digest& name, std::int64_t at,
                            std::int64_t size) {
    std::promise<outcome<std::string>> promise;
    auto future = promise.get_future();
    reads->blob(as, name, at, size, reply_slot<std::string>([&](outcome<std::string> bytes) {
                  promise.set_value(std::move(bytes));
                }));
    return future.get();
  }
  std::string begin_of_a_put(const std::string& bytes) const {
    return "INSERT INTO reeve.blobs (tenant, sha256, bytes, created_at_us) VALUES ('" +
           to_string(tenant) + "', '\\x" + to_hex(sha256(bytes)) + "', " +
           std::to_string(bytes.size()) + ", 1)";
  }
  std::int64_t count(const std::string& from) const {
    return db.root("SELECT count(*) FROM " + from)[0][0].as<std::int64_t>();
  }

  test_database db;
  blob_store store;
  std::unique_ptr<read_store> reads;
  uuid tenant;
};

TEST_F(blobs, any_bytes_come_back_over_the_edges_of_chunks) {
  std::string bytes;
  for (std::size_t i = 0; i < 2 * blob_chunk_bytes + 1000; ++i) {
    bytes.push_back(static_cast<char>((i * 7 + i / 251) & 0xff));
  }
  const auto name = store.put(tenant, bytes);
  ASSERT_TRUE(name);
  EXPECT_EQ(*name, sha256(bytes));
  EXPECT_EQ(count("reeve.blob_chunks"), 3);
  std::string back;
  for (std::int64_t at = 0;; at += 100'000) {
    const auto part = read(tenant, *name, at, 100'000);
    ASSERT_TRUE(part);
    if (part->empty()) break;
    back += *part;
  }
  EXPECT_TRUE(back == bytes);
  EXPECT_EQ(*read(tenant, *name, blob_chunk_bytes - 1, 2), bytes.substr(blob_chunk_bytes - 1, 2));
  EXPECT_EQ(read(tenant, *name, 0, 262145).error().code, errc::invalid);
}

TEST_F(blobs, the_same_bytes_are_one_blob_and_an_empty_one_is_one_too) {
  const auto first = store.put(tenant, "hello"), second = store.put(tenant, "hello");
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(count("reeve.blobs"), 1);
  const auto empty = store.put(tenant, "");
  ASSERT_TRUE(empty);
  EXPECT_EQ(*read(tenant, *empty, 0, 10), "");
}

TEST_F(blobs, P17_another_tenant_does_not_see_it) {
  const auto name = store.put(tenant, "mine");
  EXPECT_EQ(read(real_ids().next(), *name, 0, 10).error().code, errc::not_found);
  EXPECT_EQ(read(tenant, sha256("never put"), 0, 10).error().code, errc::not_found);
}

TEST_F(blobs, the_sweep_takes_old_ones_that_nothing_names) {
  const auto old = store.put(tenant, "old"), named = store.put(tenant, "named"),
             again = store.put(tenant, "again");
  db.root("UPDATE reeve.blobs SET created_at_us = 1");
  ASSERT_TRUE(store.put(tenant, "again"));
  ASSERT_TRUE(store.put(tenant, "fresh"));
  db.root("INSERT INTO reeve_read.blob_refs VALUES ('" + to_string(tenant) + "', '" +
          to_string(tenant) + "', 'log', '\\x" + to_hex(*named) + "', 5, 1)");
  db.root("INSERT INTO reeve.projections VALUES ('blob_refs', 2, '', 'live', 0)");
  EXPECT_EQ(*store.sweep(), 1);
  EXPECT_EQ(*store.sweep(), 0);
  EXPECT_EQ(read(tenant, *old, 0, 9).error().code, errc::not_found);
  EXPECT_EQ(*read(tenant, *named, 0, 9), "named");
  EXPECT_EQ(*read(tenant, *again, 0, 9), "again");
  EXPECT_EQ(count("reeve.blob_chunks"), 3);
}

TEST_F(blobs, a_lost_connection_is_replaced) {
  ASSERT_TRUE(store.put(tenant, "a"));
  db.root(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ="
      " 'reeve-blobs' AND datname = '" +
      db.name() + "'");
  EXPECT_TRUE(store.put(tenant, "b"));
}

/// P31: a leader that was frozen, or cut off, in the middle of it; the next one has the same output
/// to store.
TEST_F(blobs, P31_bytes_that_a_server_that_stands_still_was_storing_are_stored_soon) {
  const auto frozen = connect_session(db.writer_url(), "frozen");
  pqxx::work tx(*frozen);
  tx.exec(begin_of_a_put("hello"));
  EXPECT_TRUE(store.put(tenant, "hello"));
  try {
    tx.exec("SELECT 1");
    ADD_FAILURE() << "its session was left to it";
  } catch (const std::exception&) {
    EXPECT_TRUE(trouble_of_current(*frozen).lost) << "such a session is not used again";
  }
}

TEST_F(blobs, P30_whoever_holds_the_same_bytes_for_long_is_waited_for_and_then_told) {
  blob_store hasty({db.writer_url(), nullptr, 100});
  pqxx::connection other(db.writer_url());
  {
    pqxx::work tx(other);
    tx.exec(begin_of_a_put("hello"));
    const auto made = hasty.put(tenant, "hello");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, errc::unavailable);
    EXPECT_NE(made.error().detail.find("55P03"), std::string::npos) << made.error().detail;
    EXPECT_TRUE(hasty.put(tenant, "other bytes"));
  }
  EXPECT_TRUE(hasty.put(tenant, "hello"));
}

TEST_F(blobs, a_try_leaves_nothing_and_says_what_a_put_would) {
  EXPECT_TRUE(store.try_put());
  EXPECT_EQ(count("reeve.blobs"), 0);
  EXPECT_EQ(count("reeve.blob_chunks"), 0);
  ASSERT_TRUE(store.put(tenant, "there"));
  db.root("REVOKE INSERT ON reeve.blob_chunks FROM " + db.writer());
  EXPECT_TRUE(store.put(tenant, "there")) << "its chunk is not written again";
  EXPECT_EQ(store.try_put().error().code, errc::unavailable);
}

/// P30: what cannot be stored is told until it can, with each right that it takes.
TEST_F(blobs, P30_that_cannot_be_stored_are_told_until_they_can) {
  leadership lead(real_clock());
  blob_writer writer(db.writer_url(), lead);
  const auto put = [&](const std::string& bytes) {
    std::promise<outcome<digest>> promise;
    auto future = promise.get_future();
    writer.put(tenant, std::make_shared<const std::string>(bytes),
               reply_slot<digest>([&](outcome<digest> made) { promise.set_value(made); }));
    return future.get();
  };
  ASSERT_TRUE(put("well"));
  EXPECT_FALSE(writer.is_failing());
  for (const char* right : {"INSERT ON reeve.blobs", "INSERT ON reeve.blob_chunks",
                            "SELECT ON reeve.blobs", "UPDATE ON reeve.blobs"}) {
    db.root(std::string("REVOKE ") + right + " FROM " + db.writer());
    const auto made = put(right);
    EXPECT_EQ(made.error().code, errc::unavailable);
    EXPECT_NE(made.error().detail.find("42501"), std::string::npos) << made.error().detail;
    EXPECT_TRUE(writer.is_failing()) << right;
    db.root(std::string("GRANT ") + right + " TO " + db.writer());
    EXPECT_TRUE(eventually([&] { return !writer.is_failing(); })) << right << ", by itself";
    EXPECT_TRUE(put(right));
  }
}

}  // namespace
