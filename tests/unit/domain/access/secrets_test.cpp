// Named secrets: what a version is, which values are still needed, and what a deletion leaves.

#include "domain/access/secrets.hpp"

#include "codec/codec.hpp"
#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::code_of;
using steps::id_of;
using steps::pointer_of;
using steps::take;

digest digest_for(int n) {
  digest d{};
  d[0] = static_cast<std::uint8_t>(n);
  return d;
}

/// The value n of a secret, which lies at the id n.
put_secret put(const std::string& name, int n) {
  return {name, id_of(n), digest_for(n)};
}

TEST(ACC4_secret, has_versions_and_says_who_made_it_and_when) {
  secret_list_state s;
  take(s, decide(s, put("db", 1)));
  take(s, decide(s, put("db", 2)));
  const auto* db = s.find_active("db");
  ASSERT_NE(db, nullptr);
  EXPECT_EQ(db->version, 2);
  EXPECT_EQ(db->created_by, steps::writer);
  EXPECT_EQ(db->created_at, 1000);
  EXPECT_EQ(db->updated_at, 2000);
  EXPECT_EQ(db->created_position, 10);
  EXPECT_EQ(db->last_position, 20);
  EXPECT_EQ(db->value_of(1), id_of(1)) << "a job that was started with it goes on";
  EXPECT_EQ(db->value_of(2), id_of(2));
  EXPECT_FALSE(db->value_of(3));
  EXPECT_EQ(s.active, 1U);
  EXPECT_EQ(s.find("DB"), nullptr);
}

TEST(ACC4_secret, put_again_with_its_value_is_no_new_version) {
  secret_list_state s;
  take(s, decide(s, put("db", 1)));
  const auto again = decide(s, put_secret{"db", id_of(9), digest_for(1)});
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->empty());
  const auto other = decide(s, put_secret{"dc", id_of(9), digest_for(1)});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->size(), 1U);
}

TEST(ACC4_secret, keeps_the_newest_versions_and_names_what_is_no_longer_needed) {
  secret_list_state s;
  for (int n = 1; n <= static_cast<int>(kept_versions); ++n) {
    take(s, decide(s, put("db", n)));
    EXPECT_TRUE(s.find("db")->gone.empty());
  }
  take(s, decide(s, put("db", 9)));
  EXPECT_EQ(s.find("db")->gone, std::vector{id_of(1)});
  EXPECT_FALSE(s.find("db")->value_of(1));
  EXPECT_EQ(s.find("db")->kept.size(), kept_versions);
  take(s, decide(s, put("db", 10)));
  EXPECT_EQ(s.find("db")->gone, std::vector{id_of(2)}) << "of the last event alone";
}

TEST(ACC4_secret, deleted_keeps_no_value_and_its_versions_count_on) {
  secret_list_state s;
  take(s, decide(s, put("db", 1)));
  take(s, decide(s, put("db", 2)));
  take(s, decide(s, delete_secret{"db"}));
  EXPECT_EQ(s.find_active("db"), nullptr);
  const auto* gone = s.find("db");
  ASSERT_NE(gone, nullptr);
  EXPECT_TRUE(gone->kept.empty());
  EXPECT_EQ(gone->gone, (std::vector{id_of(1), id_of(2)}));
  EXPECT_EQ(gone->value_digest, digest{});
  EXPECT_EQ(gone->deleted_at, 3000);
  EXPECT_EQ(s.active, 0U);
  const auto again = decide(s, delete_secret{"db"});
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->empty());
  EXPECT_EQ(code_of(decide(s, delete_secret{"other"})), errc::not_found);
  // The value that it had last is a new one now.
  take(s, decide(s, put_secret{"db", id_of(3), digest_for(2)}));
  EXPECT_EQ(s.find_active("db")->version, 3);
  EXPECT_FALSE(s.find("db")->deleted_at);
  EXPECT_TRUE(s.find("db")->gone.empty());
  EXPECT_EQ(s.active, 1U);
}

TEST(ACC4_secret, needs_a_name_that_can_be_a_files) {
  const secret_list_state s;
  for (const std::string bad : {"", ".", "..", "a/b", "a b", "-x", "a=b"}) {
    EXPECT_EQ(pointer_of(decide(s, put(bad, 1))), "/name") << bad;
  }
  EXPECT_EQ(pointer_of(decide(s, put(std::string(65, 'x'), 1))), "/name");
  EXPECT_EQ(pointer_of(decide(s, put("Db_1.prod-eu", 1))), steps::accepted);
}

TEST(ACC4_secret, are_a_thousand_in_a_tenant_at_most) {
  secret_list_state s;
  for (std::size_t i = 0; i < max_secrets; ++i) {
    take(s, decide(s, put("s" + std::to_string(i), static_cast<int>(i))));
  }
  EXPECT_EQ(code_of(decide(s, put("more", 1))), errc::conflict);
  EXPECT_TRUE(decide(s, put("s7", 8000))) << "one that is there gets a new version";
  take(s, decide(s, delete_secret{"s7"}));
  EXPECT_TRUE(decide(s, put("more", 1)));
}

TEST(ACC4_secret, names_are_ten_thousand_in_a_tenant_with_those_that_were_deleted) {
  secret_list_state s;
  for (std::size_t i = 0; i < max_secret_names; ++i) {
    const auto name = "s" + std::to_string(i);
    take(s, decide(s, put(name, 1)));
    take(s, decide(s, delete_secret{name}));
  }
  EXPECT_EQ(code_of(decide(s, put("more", 1))), errc::conflict);
  EXPECT_TRUE(decide(s, put("s7", 1))) << "a name that is there already";
}

TEST(ACC4_secret, document_has_neither_value_nor_digest) {
  secret_list_state s;
  take(s, decide(s, put("db", 1)));
  take(s, decide(s, delete_secret{"db"}));
  EXPECT_EQ(codec::encode_document(document_of(*s.find("db"))),
            R"({"created_at":"1970-01-01T00:00:00.001000Z","created_by":"token:writer",)"
            R"("deleted_at":"1970-01-01T00:00:00.002000Z","is_active":false,"name":"db",)"
            R"("updated_at":"1970-01-01T00:00:00.002000Z","updated_by":"token:writer",)"
            R"("version":1})");
}

}  // namespace
