// EV6: what is stored beside the log is compared with the digests that the log has of it, and what
// events name is looked for, whatever the read models say.

#include "persistence/verify_blobs.hpp"

#include "persistence/blob_store.hpp"
#include "persistence/event_codec_port.hpp"
#include "tests/unit/persistence/test_database.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;

class EV6_blobs : public ::testing::Test {
 protected:
  EV6_blobs() : store({db.writer_url(), nullptr}) {}
  blobs_result look() const {
    auto check = blob_check::open(db.writer_url());
    EXPECT_TRUE(check);
    if (!check) return {};
    for (const auto& e : log) EXPECT_TRUE(check->add(e));
    const auto found = check->finish();
    EXPECT_TRUE(found);
    return found ? *found : blobs_result();
  }
  /// The log has this event of a run of that tenant.
  void happens(const domain::run_event& event, const uuid& of) {
    const auto made = to_new_event<domain::run_state>(event);
    domain::event_record e;
    e.position = static_cast<domain::position>(log.size()) + 1;
    e.stream = domain::stream_of<domain::run_state>(run);
    e.type = made.type;
    e.schema_version = made.schema_version;
    e.payload = made.payload;
    e.tenant = of;
    log.push_back(std::move(e));
  }
  void ends(std::int64_t attempt, const digest& text,
            const std::optional<domain::log_streams>& streams = {}) {
    domain::attempt_ended e;
    e.job = job;
    e.attempt = attempt;
    e.log = {text, 1};
    e.log_streams = streams;
    happens(e, tenant);
  }
  void stores(const std::string& name, const digest& content) {
    happens(domain::artifact_stored{job, name, "text/plain", {content, 1}}, tenant);
  }

  const uuid run = real_ids().next(), job = real_ids().next();
  std::vector<domain::event_record> log;
  fixture::test_database db;
  blob_store store;
  const uuid tenant = real_ids().next();
};

}  // namespace

TEST_F(EV6_blobs, that_are_what_they_are_called_are_counted) {
  EXPECT_TRUE(look().good());
  // More chunks than are read at once, none, and one as large as they are.
  for (const auto bytes : {4 * blob_chunk_bytes + 1, std::size_t{0}, blob_chunk_bytes}) {
    ASSERT_TRUE(store.put(tenant, std::string(bytes, 'a')));
  }
  ASSERT_TRUE(store.put(real_ids().next(), "of another tenant"));
  const auto found = look();
  EXPECT_TRUE(found.good()) << found.first;
  EXPECT_EQ(found.blobs, 4);
  EXPECT_EQ(found.bytes, static_cast<std::int64_t>(5 * blob_chunk_bytes + 1 + 17));
}

TEST_F(EV6_blobs, that_were_changed_or_cut_are_found) {
  const auto changed = store.put(tenant, "all is well");
  ASSERT_TRUE(store.put(tenant, "another one"));
  const auto cut = store.put(tenant, std::string(2 * blob_chunk_bytes, 'a'));
  ASSERT_TRUE(changed && cut);
  db.root("UPDATE reeve.blob_chunks SET data = 'all is lost' WHERE data = 'all is well'");
  const auto found = look();
  EXPECT_EQ(found.changed, 1);
  EXPECT_EQ(found.blobs, 3);
  EXPECT_EQ(found.first, "tenant " + to_string(tenant) + ", SHA-256 " + to_hex(*changed));
  db.root("DELETE FROM reeve.blob_chunks WHERE ordinal = 1");
  EXPECT_EQ(look().changed, 2);
}

TEST_F(EV6_blobs, that_events_name_and_nobody_has_are_told) {
  const auto text = store.put(tenant, "all is well"), marks = store.put(tenant, "\x01");
  ASSERT_TRUE(text && marks);
  ends(1, *text, domain::log_streams{6, 5, {{*marks, 1}}});
  ends(2, *text);
  EXPECT_TRUE(look().good());
  EXPECT_EQ(look().named, 3);
  const auto of = [](const digest& d) { return " WHERE sha256 = '\\x" + to_hex(d) + "'"; };
  db.root("DELETE FROM reeve.blob_chunks" + of(*text));
  db.root("DELETE FROM reeve.blobs" + of(*text));
  const auto found = look();
  EXPECT_EQ(found.missing, 1) << "two attempts wrote the same";
  EXPECT_EQ(found.first, "tenant " + to_string(tenant) + ", SHA-256 " + to_hex(*text));
  db.root("DELETE FROM reeve.blobs" + of(*marks));
  EXPECT_EQ(look().missing, 2);
  log.clear();
  EXPECT_TRUE(look().good()) << "nothing names it";
  // Another tenant's bytes are none of its own.
  ASSERT_TRUE(store.put(tenant, "all is well"));
  happens(domain::artifact_stored{job, "a", "text/plain", {*text, 11}}, real_ids().next());
  EXPECT_EQ(look().missing, 1);
}

/// Whoever writes can change both tables alike; the log he cannot.
TEST_F(EV6_blobs, that_were_exchanged_together_with_the_read_model_are_told) {
  const auto text = store.put(tenant, "all is well"), other = store.put(tenant, "all is lost");
  ASSERT_TRUE(text && other);
  ends(1, *text);
  pqxx::connection writer(db.writer_url());
  pqxx::nontransaction tx(writer);
  tx.exec("INSERT INTO reeve_read.blob_refs VALUES ('" + to_string(tenant) + "', '" +
          to_string(job) + "', 'log-1', '\\x" + to_hex(*other) + "', 11, 1)");
  EXPECT_TRUE(look().good());
  tx.exec("DELETE FROM reeve.blob_chunks WHERE data = 'all is well'");
  tx.exec("DELETE FROM reeve.blobs WHERE sha256 = '\\x" + to_hex(*text) + "'");
  const auto found = look();
  EXPECT_EQ(found.missing, 1);
  EXPECT_FALSE(found.good());
}

/// Nothing keeps what was named before from the sweep.
TEST_F(EV6_blobs, whose_name_was_given_anew_may_be_gone) {
  const auto here = store.put(tenant, "all is well");
  ASSERT_TRUE(here);
  stores("a", sha256("gone"));
  EXPECT_EQ(look().missing, 1);
  stores("a", *here);
  EXPECT_EQ(look().missing, 0) << "in one batch";
  // In another one.
  while (log.size() < blob_names_at_once + 1) {
    log.insert(log.begin() + 1, log.back());
  }
  EXPECT_EQ(look().named, static_cast<std::int64_t>(blob_names_at_once + 1));
  EXPECT_TRUE(look().good());
  stores("a", sha256("gone"));
  EXPECT_EQ(look().missing, 1);
  log.pop_back();
  stores("b", sha256("gone"));
  EXPECT_EQ(look().missing, 1);
}

TEST_F(EV6_blobs, that_are_missing_in_any_number_are_counted) {
  constexpr auto many = most_missing_kept + 2 * blob_names_at_once;
  for (std::size_t i = 0; i < many; ++i) stores(std::to_string(i), sha256(std::to_string(i)));
  const auto found = look();
  EXPECT_EQ(found.missing, static_cast<std::int64_t>(many));
  EXPECT_FALSE(found.first.empty());
}

/// They may name what nobody looked for.
TEST_F(EV6_blobs, of_events_that_cannot_be_read_are_not_called_well) {
  stores("a", sha256("gone"));
  const auto whole = log.back();
  const auto after = [&](auto change) {
    log.assign(1, whole);
    change(log.back());
    return look();
  };
  using record = domain::event_record;
  EXPECT_EQ(after([](record& e) { e.payload = "{}"; }).unread, 1);
  EXPECT_EQ(after([](record& e) { e.payload_format = domain::payload_sealed; }).unread, 1);
  EXPECT_EQ(after([](record& e) { e.schema_version = 2; }).unread, 1);
  EXPECT_EQ(after([](record& e) { e.type = "picture_taken"; }).unread, 1);
  EXPECT_EQ(after([](record& e) { e.stream = "thing-1"; }).unread, 1);
  EXPECT_FALSE(look().good());
  // What names none is not looked at any closer.
  const auto other = after([](record& e) {
    e.type = "job_waiting";
    e.payload = "{}";
  });
  EXPECT_FALSE(other.unread);
  EXPECT_TRUE(other.good());
  EXPECT_EQ(other.named, 0);
}
