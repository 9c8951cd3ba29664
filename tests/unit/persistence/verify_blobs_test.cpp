// EV6: what is stored beside the log is compared with the digests that the log has of it.

#include "persistence/verify_blobs.hpp"

#include "persistence/blob_store.hpp"
#include "tests/unit/persistence/test_database.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;

class EV6_blobs : public ::testing::Test {
 protected:
  EV6_blobs() : store({db.writer_url(), nullptr}) {}
  blobs_result look() const {
    const auto found = verify_blobs(db.writer_url());
    EXPECT_TRUE(found);
    return found ? *found : blobs_result();
  }

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

TEST_F(EV6_blobs, that_the_log_names_and_nobody_has_are_told) {
  const auto gone = store.put(tenant, "all is well");
  ASSERT_TRUE(gone);
  db.root("INSERT INTO reeve_read.blob_refs VALUES ('" + to_string(tenant) + "', '" +
          to_string(real_ids().next()) + "', 'log-1', '\\x" + to_hex(*gone) + "', 11, 5)");
  db.root("INSERT INTO reeve.projections VALUES ('blob_refs', 2, '', 'live', 0)");
  EXPECT_TRUE(look().good());
  db.root("DELETE FROM reeve.blob_chunks");
  db.root("DELETE FROM reeve.blobs");
  const auto found = look();
  EXPECT_EQ(found.missing, 1);
  EXPECT_TRUE(found.knows_names);
  EXPECT_NE(found.first.find(to_hex(*gone)), std::string::npos);
  db.root("UPDATE reeve.projections SET state = 'building'");
  EXPECT_TRUE(look().good()) << "nobody knows what is named";
  EXPECT_FALSE(look().knows_names);
}
