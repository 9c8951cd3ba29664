// Values of secrets at rest: sealed, bound to what they are of, destroyed for good.

#include "base/log.hpp"
#include "base/sealing.hpp"
#include "persistence/projection.hpp"
#include "persistence/secret_vault.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <filesystem>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ACC4_secret_store : public ::testing::Test {
 protected:
  ACC4_secret_store() : folder(made_folder()) {}
  ~ACC4_secret_store() override { std::filesystem::remove_all(folder); }

  static std::string made_folder() {
    std::string name = ::testing::TempDir() + "reeve-secrets-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    return name;
  }
  std::string key_file() const { return folder + "/secrets.key"; }
  secret_vault_config config() const { return {db.writer_url(), key_file(), nullptr}; }
  secret_place place(const std::string& name) const { return {tenant, name, real_ids().next()}; }
  outcome<digest> put(secret_store& to, const secret_place& where, std::string value) const {
    return to.put(where, secret_text(std::move(value)));
  }
  /// The values, or what is wrong.
  std::vector<std::string> opened(secret_store& from,
                                  const std::vector<secret_place>& which) const {
    const auto all = from.open(which);
    if (!all) return {std::string(name_of(all.error().code)), all.error().detail};
    std::vector<std::string> values;
    for (const auto& one : **all) values.emplace_back(one.view());
    return values;
  }
  std::int64_t rows() const {
    return db.root("SELECT count(*) FROM reeve.secret_values")[0][0].as<std::int64_t>();
  }
  std::string everything() const {
    return db
        .root(
            "SELECT coalesce(string_agg(v::text || encode(sealed, 'escape'), ' '), '')"
            " FROM reeve.secret_values v")[0][0]
        .as<std::string>();
  }
  void list(const std::string& name, const std::string& kept, bool is_active = true) const {
    db.root("INSERT INTO reeve_read.secrets VALUES ('" + to_string(tenant) + "', '" + name +
            "', 1, " + (is_active ? "true" : "false") + ", 1, '" + kept + "', '{}')");
  }
  void projection_is(const std::string& state) const {
    db.root(
        "INSERT INTO reeve.projections (name, version, columns, state, checkpoint) VALUES"
        " ('secrets', " +
        std::to_string(projection_named("secrets").version) + ", '', '" + state +
        "', 0) ON CONFLICT (name) DO UPDATE SET state = excluded.state");
  }

  test_database db;
  const std::string folder;
  const uuid tenant = real_ids().next();
};

TEST_F(ACC4_secret_store, opens_what_was_put_and_nothing_of_it_is_in_clear) {
  secret_store store(config());
  const auto db_place = place("db"), other = place("other");
  const auto digest_of_db = put(store, db_place, "hunter2-hunter2");
  ASSERT_TRUE(digest_of_db) << digest_of_db.error().detail;
  ASSERT_TRUE(put(store, other, "another value"));
  EXPECT_THAT(opened(store, {other, db_place}), ElementsAre("another value", "hunter2-hunter2"));
  EXPECT_EQ(everything().find("hunter2"), std::string::npos);
  EXPECT_NE(*digest_of_db, sha256("hunter2-hunter2"));
  // The same value, at another place.
  EXPECT_EQ(*put(store, place("db"), "hunter2-hunter2"), *digest_of_db);
  EXPECT_NE(*put(store, place("dc"), "hunter2-hunter2"), *digest_of_db);
  struct stat about {};
  ASSERT_EQ(::stat(key_file().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(ACC4_secret_store, opens_nothing_as_something_else) {
  secret_store store(config());
  const auto mine = place("db");
  ASSERT_TRUE(put(store, mine, "hunter2-hunter2"));
  auto renamed = mine;
  renamed.name = "dc";
  EXPECT_EQ(opened(store, {renamed})[0], "internal");
  auto foreign = mine;
  foreign.tenant = real_ids().next();
  EXPECT_EQ(opened(store, {foreign})[0], "not_found");
  // Who may write the table cannot make one secret out of another one.
  const auto target = place("target");
  ASSERT_TRUE(put(store, target, "for everybody"));
  db.root(
      "UPDATE reeve.secret_values SET sealed = (SELECT sealed FROM reeve.secret_values WHERE"
      " name = 'db') WHERE name = 'target'");
  EXPECT_EQ(opened(store, {target})[0], "internal");
}

TEST_F(ACC4_secret_store, destroys_what_it_is_told_to) {
  secret_store store(config());
  const auto first = place("db"), second = place("db");
  ASSERT_TRUE(put(store, first, "the first one"));
  ASSERT_TRUE(put(store, second, "the second one"));
  ASSERT_TRUE(store.destroy(tenant, {first.value, real_ids().next()}));
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(opened(store, {second, first})[0], "not_found");
  ASSERT_TRUE(store.destroy(real_ids().next(), {second.value}));
  EXPECT_THAT(opened(store, {second}), ElementsAre("the second one"));
  ASSERT_TRUE(store.destroy(tenant, {}));
}

TEST_F(ACC4_secret_store, whose_key_is_lost_says_so_and_makes_no_other_one) {
  const auto where = place("db");
  {
    secret_store store(config());
    ASSERT_TRUE(put(store, where, "hunter2-hunter2"));
  }
  std::filesystem::rename(key_file(), key_file() + ".away");
  secret_store store(config());
  const auto refused = put(store, place("db"), "hunter3-hunter3");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("reeve doctor"));
  EXPECT_EQ(refused.error().detail.find(folder), std::string::npos) << "clients see it";
  EXPECT_FALSE(std::filesystem::exists(key_file()));
  EXPECT_EQ(opened(store, {where})[0], "internal");
  // It is found when it is put back, by the same process.
  std::filesystem::rename(key_file() + ".away", key_file());
  EXPECT_THAT(opened(store, {where}), ElementsAre("hunter2-hunter2"));
  EXPECT_TRUE(put(store, place("db"), "hunter3-hunter3"));
}

TEST_F(ACC4_secret_store, another_servers_key_is_told_until_its_values_are_gone) {
  const auto where = place("db");
  {
    secret_store store(config());
    ASSERT_TRUE(put(store, where, "hunter2-hunter2"));
  }
  auto other = config();
  other.key_file += ".other";
  ASSERT_TRUE(sealing_key::generate().save(other.key_file));
  secret_store store(other);
  EXPECT_EQ(opened(store, {where})[0], "internal");
  EXPECT_EQ(put(store, place("dc"), "hunter3-hunter3").error().code, errc::conflict);
  const auto keys = sealing_keys_of(db.writer_url());
  ASSERT_TRUE(keys);
  EXPECT_THAT(*keys, ElementsAre((*sealing_key::load(key_file()))->id()));
  ASSERT_TRUE(store.destroy(tenant, {where.value}));
  EXPECT_TRUE(put(store, place("dc"), "hunter3-hunter3"));
}

/// As a standby that has a key of its own gets the right one.
TEST_F(ACC4_secret_store, whose_key_file_is_replaced_uses_the_one_that_fits) {
  const auto where = place("db");
  {
    secret_store store(config());
    ASSERT_TRUE(put(store, where, "hunter2-hunter2"));
  }
  for (const bool puts_first : {false, true}) {
    auto standby = config();
    standby.key_file += puts_first ? ".second" : ".first";
    ASSERT_TRUE(sealing_key::generate().save(standby.key_file));
    secret_store store(standby);
    EXPECT_EQ(opened(store, {where})[0], "internal");
    std::filesystem::copy_file(key_file(), standby.key_file,
                               std::filesystem::copy_options::overwrite_existing);
    if (puts_first) {
      EXPECT_TRUE(put(store, place("dc"), "hunter3-hunter3"));
    }
    EXPECT_THAT(opened(store, {where}), ElementsAre("hunter2-hunter2"));
    // What was read stays, whatever becomes of the file.
    std::filesystem::remove(standby.key_file);
    EXPECT_THAT(opened(store, {where}), ElementsAre("hunter2-hunter2"));
    EXPECT_TRUE(put(store, place("dd"), "hunter4-hunter4"));
    EXPECT_FALSE(std::filesystem::exists(standby.key_file));
  }
}

TEST_F(ACC4_secret_store, sweeps_what_no_secret_needs_and_only_if_that_is_known) {
  secret_store store(config());
  const auto kept = place("db"), old = place("db"), deleted = place("gone"), lone = place("lone");
  for (const auto& each : {kept, old, deleted, lone}) ASSERT_TRUE(put(store, each, "a value"));
  list("db", to_string(real_ids().next()) + " " + to_string(kept.value));
  list("gone", "", false);
  const auto swept = [&](time_us older) { return *store.sweep(older); };
  EXPECT_EQ(swept(-us_per_second), 0) << "nobody knows what is needed";
  projection_is("stale");
  EXPECT_EQ(swept(-us_per_second), 0);
  projection_is("live");
  EXPECT_EQ(swept(3600 * us_per_second), 0) << "the event that names one may be on its way";
  EXPECT_EQ(swept(-us_per_second), 3);
  EXPECT_THAT(opened(store, {kept}), ElementsAre("a value"));
}

TEST_F(ACC4_secret_store, is_not_the_readers_to_look_into) {
  secret_store store(config());
  ASSERT_TRUE(put(store, place("db"), "hunter2-hunter2"));
  pqxx::connection reader(db.reader_url());
  pqxx::nontransaction tx(reader);
  EXPECT_THROW(tx.exec("SELECT count(*) FROM reeve.secret_values"), pqxx::insufficient_privilege);
}

TEST_F(ACC4_secret_store, that_cannot_be_reached_says_nothing_else) {
  secret_store store({"host=/nowhere dbname=x", key_file(), nullptr});
  const auto refused = put(store, place("db"), "hunter2-hunter2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  EXPECT_EQ(refused.error().detail.find("hunter2"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(key_file())) << "none is made for nothing";
}

/// Who answers the client logs it; an attempt that cannot have one is told by the vault alone.
TEST_F(ACC4_secret_store, logs_no_refusal_that_others_log) {
  leadership lead{real_clock()};
  std::filesystem::create_directory(key_file());
  set_up_log({});
  ::testing::internal::CaptureStderr();
  {
    secret_vault vault(config(), lead);
    std::promise<errc> put;
    vault.put(place("db"), std::make_shared<const secret_text>(std::string("hunter2-hunter2")),
              reply_slot<digest>([&](outcome<digest> d) { put.set_value(d.error().code); }));
    EXPECT_EQ(put.get_future().get(), errc::internal);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(ACC4_secret_store, answers_through_its_port_what_was_asked_in_order) {
  leadership lead{real_clock()};
  secret_vault vault(config(), lead);
  const auto where = place("db");
  std::promise<outcome<digest>> made;
  std::promise<std::string> read;
  vault.put(where, std::make_shared<const secret_text>(std::string("hunter2-hunter2")),
            reply_slot<digest>([&](outcome<digest> d) { made.set_value(std::move(d)); }));
  using answer = std::shared_ptr<const opened_secrets>;
  vault.open({where}, reply_slot<answer>([&](outcome<answer> all) {
               read.set_value(all ? std::string((**all)[0].view()) : all.error().detail);
             }));
  EXPECT_TRUE(made.get_future().get());
  EXPECT_EQ(read.get_future().get(), "hunter2-hunter2");
}

}  // namespace
