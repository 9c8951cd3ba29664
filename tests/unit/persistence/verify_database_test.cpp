// Changes that a superuser makes behind the log's back (P5), and what an unreadable row is.

#include "persistence/admission.hpp"
#include "tests/unit/persistence/verify_fixture.hpp"

#include <fstream>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

class P5_database : public ::testing::Test {
 protected:
  P5_database() {
    log.db.root(
        "ALTER TABLE reeve.events_p000000 DISABLE TRIGGER ALL;"
        "ALTER TABLE reeve.events DISABLE TRIGGER ALL;"
        "ALTER TABLE reeve.checkpoints DISABLE TRIGGER ALL");
  }
  std::optional<domain::position> found() {
    const auto result = verify_database(log.db.writer_url(), log.trusting());
    if (!result) throw std::runtime_error(result.error().detail);
    what = result->what;
    return result->first_bad;
  }
  std::optional<domain::position> found_after(const std::string& sql) {
    log.db.root(sql);
    return found();
  }

  signed_log log;
  std::string what;
};

TEST_F(P5_database, a_changed_payload) {
  EXPECT_EQ(found(), std::nullopt) << what;
  EXPECT_EQ(found_after("UPDATE reeve.events SET payload = '{ }' WHERE position = 5"), 5);
}

TEST_F(P5_database, a_changed_principal_of_the_last_event) {
  EXPECT_EQ(found_after("UPDATE reeve.events SET principal = 'system'"
                        " WHERE position = (SELECT max(position) FROM reeve.events)"),
            log.last.position);
}

TEST_F(P5_database, a_deleted_event) {
  EXPECT_EQ(found_after("DELETE FROM reeve.events WHERE position = 4"), 4);
}

TEST_F(P5_database, two_events_that_changed_places) {
  EXPECT_EQ(found_after("UPDATE reeve.events SET position = 9999999 WHERE position = 3;"
                        "UPDATE reeve.events SET position = 3 WHERE position = 4;"
                        "UPDATE reeve.events SET position = 4 WHERE position = 9999999"),
            3);
}

TEST_F(P5_database, an_event_before_the_first) {
  EXPECT_EQ(found_after("INSERT INTO reeve.events SELECT 0, epoch, stream, version, type,"
                        " schema_version, tenant, payload, payload_format, key_id, principal,"
                        " command_id, request_digest, correlation_id, causation_id, traceparent,"
                        " recorded_at_us, leaf, hash FROM reeve.events WHERE position = 1"),
            1);
}

TEST_F(P5_database, a_tail_that_was_cut_off) {
  EXPECT_EQ(found_after("DELETE FROM reeve.events WHERE position > 6"), 7);
  EXPECT_NE(what.find("ends before its checkpoint"), std::string::npos) << what;
}

TEST_F(P5_database, a_tail_that_was_cut_off_together_with_its_heads) {
  EXPECT_EQ(found_after("DELETE FROM reeve.events WHERE position > 6;"
                        "DELETE FROM reeve.checkpoints WHERE position > 6"),
            7);
}

/// Nothing was signed there, but this server was there a second ago.
TEST_F(P5_database, a_tail_behind_the_last_head_that_only_the_mark_tells_of) {
  auto options = log.trusting();
  options.known_file = log.options.key_file + ".mark";
  const auto look = [&] {
    const auto result = verify_database(log.db.writer_url(), options);
    if (!result) throw std::runtime_error(result.error().detail);
    return *result;
  };
  EXPECT_EQ(look().marked_to, 0) << "no mark, no word";
  journal writer(journal_on(log.db.writer_url()));
  ASSERT_TRUE(eventually([&] { return writer.open().ok(); }));
  ASSERT_TRUE(append_one(writer, append_to(fresh_stream(), 0, log.tenant)));
  const auto head = writer.head();
  ASSERT_TRUE(write_known(options.known_file,
                          {to_string(head.origin), "7001", 1, head.position, head.hash}));
  EXPECT_TRUE(look().good()) << look().what;
  EXPECT_EQ(look().marked_to, head.position);
  EXPECT_LT(look().signed_to, head.position);
  log.db.root("UPDATE reeve.events SET hash = sha256(hash) WHERE position = " +
              std::to_string(head.position));
  EXPECT_EQ(look().first_bad, head.position);
  log.db.root("DELETE FROM reeve.events WHERE position = " + std::to_string(head.position));
  EXPECT_EQ(look().first_bad, head.position);
  EXPECT_NE(look().what.find("up to which this server knew it"), std::string::npos);
}

TEST_F(P5_database, another_origin) {
  EXPECT_EQ(found_after("UPDATE reeve.log SET origin = gen_random_uuid()"), 1);
}

TEST_F(P5_database, a_changed_head) {
  const auto head = read_heads(log.options.heads_file)->front().position;
  EXPECT_EQ(found_after("UPDATE reeve.checkpoints SET epoch = epoch + 1"
                        " WHERE position = (SELECT min(position) FROM reeve.checkpoints)"),
            head);
}

TEST_F(P5_database, a_head_whose_row_was_removed) {
  const auto heads = *read_heads(log.options.heads_file);
  EXPECT_EQ(found_after("DELETE FROM reeve.checkpoints WHERE position = " +
                        std::to_string(heads[1].position)),
            heads[1].position);
  EXPECT_NE(what.find("missing in the database"), std::string::npos) << what;
}

/// A crash may come between the file and the database: with the next head it is mended.
TEST_F(P5_database, a_newest_head_without_its_row_is_put_back) {
  const auto heads = *read_heads(log.options.heads_file);
  EXPECT_EQ(found_after("DELETE FROM reeve.checkpoints WHERE position = " +
                        std::to_string(heads.back().position)),
            std::nullopt);
  log.fill();
  EXPECT_EQ(found(), std::nullopt) << what;
}

/// The rows before it are checked all the same: what is named is the first that does not fit.
TEST_F(P5_database, a_row_that_cannot_be_read) {
  log.db.root("UPDATE reeve.events SET leaf = '\\x00' WHERE position = 6");
  EXPECT_EQ(found(), 6);
  EXPECT_EQ(found_after("UPDATE reeve.events SET payload = '{ }' WHERE position = 5"), 5);
}

TEST_F(P5_database, the_first_of_several) {
  EXPECT_EQ(found_after("UPDATE reeve.events SET type = 'x' WHERE position IN (7, 3, 9)"), 3);
}

TEST_F(P5_database, an_export_of_a_broken_log_shows_the_same) {
  log.db.root("DELETE FROM reeve.events WHERE position > 6");
  EXPECT_EQ(found_in(log.exported(), {"", log.public_key}), 7);
  log.db.root("UPDATE reeve.events SET payload = '{ }' WHERE position = 5");
  EXPECT_EQ(found_in(log.exported(), {"", log.public_key}), 5);
}

}  // namespace
