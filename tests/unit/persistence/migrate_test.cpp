#include "persistence/migrate.hpp"

#include "base/digest.hpp"
#include "persistence/pg_session.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/source_dir.hpp"
#include "tests/unit/persistence/bare_cluster.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using reeve::fixture::bare_database;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What the program carries: the names of the files, and their checksums.
std::map<std::string, std::string> known_migrations() {
  std::map<std::string, std::string> known;
  for (const auto& file :
       std::filesystem::directory_iterator(support::source_dir() + "/migrations")) {
    if (file.path().extension() != ".sql") continue;
    std::stringstream text;
    text << std::ifstream(file.path(), std::ios::binary).rdbuf();
    known[file.path().stem()] = to_hex(sha256(text.str()));
  }
  return known;
}

class migrations_on_database : public ::testing::Test {
 protected:
  migrations_on_database() : options{db.owner_url(), db.make_role("w"), db.make_role("r")} {}

  std::int64_t count(const std::string& from) const {
    return db.root("SELECT count(*) FROM " + from)[0][0].as<std::int64_t>();
  }

  const std::map<std::string, std::string> known = known_migrations();
  const std::int64_t total = static_cast<std::int64_t>(known.size());
  bare_database db;
  migration_options options;
};

TEST_F(migrations_on_database, P28_all_are_applied_once_and_in_order) {
  const auto first = migrate(options);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(first->version, static_cast<int>(known.size()));
  ASSERT_EQ(first->applied.size(), known.size());
  const auto rows = db.root("SELECT name, sha256 FROM reeve.migrations ORDER BY number");
  ASSERT_EQ(rows.size(), known.size());
  int i = 0;
  for (const auto& [name, checksum] : known) {
    EXPECT_EQ(first->applied[static_cast<std::size_t>(i)], name);
    EXPECT_EQ(rows[i][0].as<std::string>(), name);
    EXPECT_EQ(rows[i++][1].as<std::string>(), checksum);
  }
  const auto again = migrate(options);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_THAT(again->applied, IsEmpty());
  EXPECT_EQ(again->version, first->version);
}

TEST_F(migrations_on_database, P28_servers_that_start_at_once_do_not_meet) {
  std::vector<std::future<outcome<migration_report>>> starts;
  for (int i = 0; i < 4; ++i) {
    starts.push_back(std::async(std::launch::async, [this] { return migrate(options); }));
  }
  std::size_t applied = 0;
  for (auto& start : starts) {
    const auto report = start.get();
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_TRUE(report->applied.empty() || report->applied.size() == known.size());
    applied += report->applied.size();
  }
  EXPECT_EQ(applied, known.size());
  EXPECT_EQ(count("reeve.migrations"), total);
}

TEST_F(migrations_on_database, P28_a_changed_migration_is_refused) {
  ASSERT_TRUE(migrate(options));
  db.root("UPDATE reeve.migrations SET sha256 = repeat('0', 64) WHERE number = 2");
  const auto refused = migrate(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr(std::next(known.begin())->first));
}

TEST_F(migrations_on_database, P28_a_newer_schema_is_refused_and_left_alone) {
  ASSERT_TRUE(migrate(options));
  db.root("INSERT INTO reeve.migrations (number, name, sha256) VALUES (999, '999_later', 'x')");
  const auto refused = migrate(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("999"));
  EXPECT_EQ(count("reeve.migrations"), total + 1);
}

TEST_F(migrations_on_database, P28_what_fails_halfway_leaves_nothing_of_itself) {
  // The third migration cannot make its schema; the first two stay.
  db.root("CREATE SCHEMA reeve_read");
  const auto broken = migrate(options);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, errc::unavailable);
  EXPECT_THAT(broken.error().detail, HasSubstr("42P06"));
  EXPECT_EQ(count("reeve.migrations"), 2);
  db.root("DROP SCHEMA reeve_read");
  const auto mended = migrate(options);
  ASSERT_TRUE(mended) << mended.error().detail;
  EXPECT_EQ(mended->applied.size(), known.size() - 2);
}

TEST_F(migrations_on_database, P28_a_server_that_dies_midway_is_taken_over) {
  // Its lock and its open transaction end with its session, which is what kill -9 leaves.
  auto dying = std::make_unique<pqxx::connection>(db.owner_url());
  pqxx::nontransaction(*dying).exec("SELECT pg_advisory_lock(491496043109)");
  auto next = std::async(std::launch::async, [this] { return migrate(options); });
  const auto waits = [this] {
    return count(
               "pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
               " (SELECT oid FROM pg_database WHERE datname = current_database())") == 1;
  };
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::seconds(20) * support::time_factor();
  while (!waits() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(waits());
  EXPECT_EQ(count("pg_namespace WHERE nspname = 'reeve'"), 0);
  dying.reset();
  const auto report = next.get();
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->applied.size(), known.size());
}

TEST_F(migrations_on_database, P2_an_unsafe_database_is_refused_by_name) {
  const auto with = [this](const std::string& setting) {
    db.root("ALTER DATABASE " + db.name() + " SET " + setting);
    auto answer = migrate(options);
    db.root("ALTER DATABASE " + db.name() + " RESET ALL");
    return answer;
  };
  auto refused = with("synchronous_commit = off");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::invalid);
  EXPECT_EQ(refused.error().field, "synchronous_commit");
  EXPECT_EQ(count("pg_namespace WHERE nspname = 'reeve'"), 0) << "nothing was touched";
  EXPECT_TRUE(with("synchronous_commit = local"));
}

TEST(P2_migrate, another_encoding_is_refused) {
  bare_database db("LATIN1");
  const auto refused = migrate({db.owner_url(), "w", "r"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "server_encoding");
}

TEST(P2_migrate, every_setting_that_breaks_a_promise_is_named) {
  const database_settings safe{150004, false, "on", "on", "on", "UTF8",
                               "none", "-1",  "-1", "-1", "0"};
  ASSERT_TRUE(check_settings(safe));
  using change = void (*)(database_settings&);
  const std::vector<std::pair<std::string, change>> unsafe{
      {"server_version", [](database_settings& s) { s.server_version = 140009; }},
      {"fsync", [](database_settings& s) { s.fsync = "off"; }},
      {"full_page_writes", [](database_settings& s) { s.full_page_writes = "off"; }},
      {"synchronous_commit", [](database_settings& s) { s.synchronous_commit = "off"; }},
      {"server_encoding", [](database_settings& s) { s.server_encoding = "SQL_ASCII"; }},
      {"log_parameter_max_length", [](database_settings& s) { s.log_statement = "all"; }},
      {"log_parameter_max_length", [](database_settings& s) { s.log_statement = "mod"; }},
      {"log_parameter_max_length",
       [](database_settings& s) { s.log_min_duration_statement = "100"; }},
      {"log_parameter_max_length", [](database_settings& s) { s.log_min_duration_sample = "0"; }},
      {"log_parameter_max_length_on_error",
       [](database_settings& s) { s.log_parameter_max_length_on_error = "-1"; }}};
  for (const auto& [name, make] : unsafe) {
    auto settings = safe;
    make(settings);
    const auto answer = check_settings(settings);
    ASSERT_FALSE(answer) << name;
    EXPECT_EQ(answer.error().code, errc::invalid);
    EXPECT_EQ(answer.error().field, name);
  }
  auto quiet = safe;
  quiet.log_statement = "all";
  quiet.log_parameter_max_length = "0";
  EXPECT_TRUE(check_settings(quiet));
  auto standby = safe;
  standby.in_recovery = true;
  EXPECT_EQ(check_settings(standby).error().code, errc::unavailable);
}

TEST(P28_migrate, no_database_is_unavailable_and_the_url_is_not_told) {
  const auto refused = migrate({"host=/nowhere dbname=x password=hidden", "w", "r"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  EXPECT_EQ(refused.error().detail.find("hidden"), std::string::npos);
}

}  // namespace
