#include "persistence/admission.hpp"

#include "tests/unit/persistence/journal_fixture.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using ::testing::HasSubstr;

class P5_admission : public ::testing::Test {
 protected:
  P5_admission() {
    auto pattern = (std::filesystem::temp_directory_path() / "reeve-admission-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder = pattern;
    files = {folder + "/heads.ndjson", folder + "/database", folder + "/accepted-database"};
    found.origin = origin;
    found.position = 10;
    found.hash = sha256("10");
    found.database = {"7001", 3};
    found.holds = [this](domain::position at, const digest& hash) {
      return at <= found.position && hash == sha256(std::to_string(at));
    };
    found.was_accepted = [this](domain::position at) { return at == accepted_behind; };
  }
  ~P5_admission() override { std::filesystem::remove_all(folder); }

  void sign_at(domain::position at) const {
    signed_head head;
    head.origin = origin;
    head.epoch = 1;
    head.position = at;
    head.hash = sha256(std::to_string(at));
    sign(head, key);
    ASSERT_TRUE(append_head(files.heads, head));
  }
  void lead_once() { ASSERT_TRUE(settle_admission(files, found, {})); }
  void expect_refused(const std::string& why) {
    const auto refused = admit(files, found);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::conflict);
    EXPECT_THAT(refused.error().detail, HasSubstr(why));
    EXPECT_THAT(refused.error().detail, HasSubstr("accept-database"));
  }
  void expect_plain() {
    const auto made = admit(files, found);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_FALSE(made->accepted);
  }

  const ed25519_key key = ed25519_key::generate();
  const uuid origin = real_ids().next();
  std::string folder;
  admission_files files;
  found_log found;
  domain::position accepted_behind = 0;
};

/// What is there and cannot be opened must not pass for missing: it may hold the head that refuses.
TEST_F(P5_admission, is_refused_where_what_is_known_cannot_be_read) {
  std::filesystem::create_symlink(files.heads, files.heads);
  EXPECT_EQ(admit(files, found).error().code, errc::invalid);
  std::filesystem::remove(files.heads);
  expect_plain();
  std::filesystem::create_symlink(files.known, files.known);
  EXPECT_EQ(admit(files, found).error().code, errc::invalid);
}

TEST_F(P5_admission, of_what_was_never_seen_or_goes_on_is_plain) {
  expect_plain();
  lead_once();
  sign_at(10);
  expect_plain();
  found.position = 25;
  expect_plain();
  found.database.timeline = 4;  // a standby was promoted that had everything
  expect_plain();
}

TEST_F(P5_admission, refuses_a_log_that_ends_before_the_signed_head) {
  sign_at(11);
  expect_refused("ends at 10");
}

TEST_F(P5_admission, refuses_a_log_that_went_another_way) {
  sign_at(9);
  found.holds = [](domain::position, const digest&) { return false; };
  found.position = 40;
  expect_refused("not the one that was signed");
}

TEST_F(P5_admission, refuses_another_log_and_a_new_one) {
  sign_at(9);
  found.origin = real_ids().next();
  found.position = 0;
  expect_refused("another log");
}

TEST_F(P5_admission, refuses_a_lower_timeline_of_the_same_cluster) {
  lead_once();
  found.database.timeline = 2;
  expect_refused("timeline 3");
}

TEST_F(P5_admission, tells_of_another_cluster_that_lies_behind_nothing) {
  lead_once();
  sign_at(10);
  found.database = {"7002", 1};
  const auto made = admit(files, found);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->accepted, "other_identifier");
  ASSERT_TRUE(settle_admission(files, found, *made));
  expect_plain();
  found.position = 9;
  expect_refused("ends at 9");
}

TEST_F(P5_admission, refuses_a_log_that_ends_before_what_this_server_knew) {
  lead_once();
  sign_at(10);
  ASSERT_TRUE(mark_progress(files, found, 14, sha256("14")));
  expect_refused("up to position 14");
  found.position = 20;
  expect_plain();
  const auto made = admit(files, found);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->signed_to, 10);
  EXPECT_EQ(made->marked_to, 14);
  found.holds = [](domain::position at, const digest&) { return at <= 10; };
  expect_refused("position 14 is not the one");
  // Of another log the mark says nothing; of a dump of this one on another cluster it does.
  found.database = {"7002", 1};
  expect_refused("position 14 is not the one");
  std::filesystem::remove(files.heads);
  found.origin = real_ids().next();
  EXPECT_TRUE(admit(files, found));
}

TEST_F(P5_admission, accepts_once_a_log_that_lies_behind_the_mark) {
  ASSERT_TRUE(mark_progress(files, found, 14, sha256("14")));
  expect_refused("up to position 14");
  const known_database seen{to_string(origin), "7001", 3, 10, sha256("10")};
  ASSERT_TRUE(write_known(files.accepted, seen));
  const auto made = admit(files, found);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->accepted, "asked");
  EXPECT_EQ(made->signed_position, std::nullopt);
  ASSERT_TRUE(settle_admission(files, found, *made));
  expect_plain();
}

TEST_F(P5_admission, refuses_a_file_of_heads_that_was_written_by_somebody_else) {
  signed_head head;
  head.origin = origin;
  head.position = 5;
  sign(head, key);
  head.position = 4;
  ASSERT_TRUE(append_head(files.heads, head));
  EXPECT_EQ(admit(files, found).error().code, errc::invalid);
}

TEST_F(P5_admission, accepts_once_exactly_what_an_operator_accepted) {
  sign_at(30);
  const known_database seen{to_string(origin), "7001", 3, 10, sha256("10")};
  ASSERT_TRUE(write_known(files.accepted, seen));
  auto changed = found;
  changed.database.timeline = 4;
  EXPECT_FALSE(admit(files, changed)) << "another state than the one that was looked at";
  const auto made = admit(files, found);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->accepted, "asked");
  EXPECT_EQ(made->signed_position, 30);
  ASSERT_TRUE(settle_admission(files, found, *made));
  EXPECT_FALSE(std::filesystem::exists(files.accepted));
  EXPECT_TRUE(std::filesystem::exists(files.heads + ".before-10")) << "the old heads are kept";
  expect_plain();
  sign_at(12);
  expect_refused("ends at 10");
}

/// An operator who accepted a state and then brought the newer database back after all has not
/// accepted the older one for ever.
TEST_F(P5_admission, of_a_state_that_was_accepted_ends_with_the_next_election) {
  const known_database seen{to_string(origin), "7001", 3, 10, sha256("10")};
  ASSERT_TRUE(write_known(files.accepted, seen));
  const auto plain = admit(files, found);
  ASSERT_TRUE(plain);
  ASSERT_TRUE(settle_admission(files, found, *plain));
  EXPECT_FALSE(std::filesystem::exists(files.accepted));
  sign_at(30);
  expect_refused("ends at 10");
}

TEST_F(P5_admission, accepts_no_log_that_goes_on_from_the_accepted_state) {
  sign_at(30);
  ASSERT_TRUE(write_known(files.accepted, {to_string(origin), "7001", 3, 10, sha256("10")}));
  found.position = 12;
  found.hash = sha256("12");
  expect_refused("ends at 12");
}

/// A death between the election and what follows it outside of the log: it was accepted.
TEST_F(P5_admission, goes_on_from_the_election_that_accepted_the_state) {
  sign_at(30);
  ASSERT_TRUE(write_known(files.accepted, {to_string(origin), "7001", 3, 10, sha256("10")}));
  found.position = 12;
  found.hash = sha256("12");
  accepted_behind = 10;
  const auto made = admit(files, found);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->accepted, "asked");
  ASSERT_TRUE(settle_admission(files, found, *made));
  expect_plain();
}

TEST_F(P5_admission, of_a_second_host_rests_on_the_heads_that_it_kept_as_a_standby) {
  const reeve::fixture::test_database db;
  journal log(reeve::fixture::journal_on(db.writer_url()));
  ASSERT_TRUE(log.open());
  signed_head head;
  head.origin = log.head().origin;
  head.epoch = log.head().epoch;
  head.position = log.head().position;
  head.hash = log.head().hash;
  sign(head, key);
  db.root(
      "INSERT INTO reeve.checkpoints (position, origin, epoch, hash, key_id, signature,"
      " created_at_us) VALUES (1, '" +
      to_string(head.origin) + "', 1, '\\x" + to_hex(head.hash) + "', '" + head.public_key +
      "', '\\x" + to_hex(*from_base64url(head.signature)) + "', 0)");
  ASSERT_TRUE(keep_newest_head(db.writer_url(), files.heads));
  ASSERT_TRUE(keep_newest_head(db.writer_url(), files.heads));
  const auto kept = read_last_head(files.heads);
  ASSERT_TRUE(kept && *kept);
  EXPECT_EQ((*kept)->position, 1);
  EXPECT_TRUE(is_genuine(**kept));
  found.origin = head.origin;
  found.position = 0;
  expect_refused("ends at 0");
}

/// What a server would be told at its election, without one.
TEST_F(P5_admission, can_be_looked_at_without_leading) {
  const reeve::fixture::test_database db;
  journal log(reeve::fixture::journal_on(db.writer_url()));
  ASSERT_TRUE(log.open());
  found.origin = log.head().origin;
  found.position = log.head().position;
  found.hash = log.head().hash;
  const auto plain = look_at_admission(files, db.writer_url());
  ASSERT_TRUE(plain) << plain.error().detail;
  ASSERT_TRUE(mark_progress(files, found, found.position, found.hash));
  EXPECT_TRUE(look_at_admission(files, db.writer_url()));
  ASSERT_TRUE(mark_progress(files, found, found.position + 1, sha256("later")));
  const auto refused = look_at_admission(files, db.writer_url());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("accept-database"));
  const auto seen = look_at_refused(files, db.writer_url());
  ASSERT_TRUE(seen) << seen.error().detail;
  ASSERT_TRUE(write_known(files.accepted, *seen));
  const auto accepted = look_at_admission(files, db.writer_url());
  ASSERT_TRUE(accepted) << accepted.error().detail;
  EXPECT_EQ(accepted->accepted, "asked");
  EXPECT_TRUE(std::filesystem::exists(files.accepted)) << "a look uses nothing up";
  auto config = reeve::fixture::journal_on(db.writer_url());
  config.admit = [&](const found_log&) { return *accepted; };
  log = journal(std::move(config));
  ASSERT_TRUE(log.open());
  const auto settled = look_at_admission(files, db.writer_url());
  ASSERT_TRUE(settled) << "the acceptance is in the log: " << settled.error().detail;
  EXPECT_EQ(settled->accepted, "asked");
  EXPECT_EQ(look_at_admission(files, "host=/nowhere").error().code, errc::unavailable);
}

}  // namespace
