#include "persistence/roles.hpp"

#include "persistence/migrate.hpp"
#include "tests/support/environment.hpp"
#include "tests/unit/persistence/bare_cluster.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <stdlib.h>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using reeve::fixture::bare_database;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto ready = std::future_status::ready;

class roles_of_database : public ::testing::Test {
 protected:
  roles_of_database() {
    auto pattern = (std::filesystem::temp_directory_path() / "reeve-roles-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder = pattern;
    options.owner_url = db.owner_url();
    options.secrets_file = folder + "/roles";
    const auto oid = db.root("SELECT oid FROM pg_database WHERE datname = current_database()");
    for (const char* kind : {"reeve_writer_", "reeve_reader_"}) {
      db.drop_later(kind + oid[0][0].as<std::string>());
    }
  }
  ~roles_of_database() override { std::filesystem::remove_all(folder); }

  std::string secrets() const {
    std::stringstream text;
    text << std::ifstream(options.secrets_file).rdbuf();
    return text.str();
  }
  void write_secrets(const std::string& text, mode_t mode) const {
    std::ofstream(options.secrets_file) << text;
    ::chmod(options.secrets_file.c_str(), mode);
  }
  static mode_t mode_of(const std::string& path) {
    struct stat about {};
    EXPECT_EQ(::stat(path.c_str(), &about), 0);
    return about.st_mode & 0777;
  }

  bare_database db;
  std::string folder;
  roles_options options;
};

TEST_F(roles_of_database, P4_two_logins_that_own_nothing_and_may_nothing_by_themselves) {
  const auto logins = ensure_roles(options);
  ASSERT_TRUE(logins) << logins.error().detail;
  EXPECT_NE(logins->writer_role, logins->reader_role);
  const auto rows = db.root(
      "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls OR rolreplication,"
      " rolcanlogin FROM pg_roles WHERE rolname IN ('" +
      logins->writer_role + "', '" + logins->reader_role + "')");
  ASSERT_EQ(rows.size(), 2U);
  for (const auto& row : rows) {
    EXPECT_FALSE(row[0].as<bool>());
    EXPECT_TRUE(row[1].as<bool>());
  }
  EXPECT_EQ(pqxx::connection(logins->writer_url).username(), logins->writer_role);
  EXPECT_EQ(pqxx::connection(logins->reader_url).dbname(), db.name());
}

TEST_F(roles_of_database, P4_again_gives_the_same) {
  const auto first = ensure_roles(options);
  ASSERT_TRUE(first);
  const auto kept = secrets();
  const auto again = ensure_roles(options);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->writer_url, first->writer_url);
  EXPECT_EQ(again->reader_url, first->reader_url);
  EXPECT_EQ(secrets(), kept);
}

TEST_F(roles_of_database, P4_a_role_that_may_more_than_it_should_is_refused_and_not_changed) {
  const auto first = ensure_roles(options);
  ASSERT_TRUE(first);
  db.root("ALTER ROLE " + first->reader_role + " BYPASSRLS CREATEROLE");
  const auto refused = ensure_roles(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::invalid);
  EXPECT_THAT(refused.error().detail,
              HasSubstr("ALTER ROLE \"" + first->reader_role + "\" NOSUPERUSER"));
  EXPECT_TRUE(db.root("SELECT rolbypassrls FROM pg_roles WHERE rolname = '" + first->reader_role +
                      "'")[0][0]
                  .as<bool>());
}

TEST_F(roles_of_database, P31_another_server_changes_no_password_and_makes_none) {
  const auto first = ensure_roles(options);
  ASSERT_TRUE(first);
  const auto stored = [this, &first] {
    return db
        .root("SELECT rolpassword FROM pg_authid WHERE rolname = '" + first->writer_role +
              "'")[0][0]
        .as<std::string>();
  };
  const auto before = stored();
  auto other = options;
  other.secrets_file = folder + "/of-another-server";
  // This cluster trusts everybody, so the other one gets in without a password.
  EXPECT_TRUE(ensure_roles(other));
  EXPECT_EQ(stored(), before);
  EXPECT_FALSE(std::filesystem::exists(other.secrets_file));
}

TEST_F(roles_of_database, P16_passwords_are_kept_0600_and_stored_as_verifiers) {
  const auto logins = ensure_roles(options);
  ASSERT_TRUE(logins);
  EXPECT_EQ(mode_of(options.secrets_file), 0600U);
  std::istringstream text(secrets());
  std::string writer, reader;
  text >> writer >> reader;
  EXPECT_GE(writer.size(), 32U);
  EXPECT_NE(writer, reader);
  EXPECT_THAT(logins->writer_url, HasSubstr(writer));
  const auto stored = db.root("SELECT rolpassword FROM pg_authid WHERE rolname = '" +
                              logins->writer_role + "'")[0][0]
                          .as<std::string>();
  EXPECT_THAT(stored, ::testing::StartsWith("SCRAM-SHA-256$4096:"));
  EXPECT_THAT(stored, Not(HasSubstr(writer)));
  // No draft is left beside it.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST_F(roles_of_database, P16_a_file_that_others_may_read_is_refused) {
  write_secrets("one\ntwo\n", 0640);
  const auto refused = ensure_roles(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::invalid);
  EXPECT_THAT(refused.error().detail, HasSubstr("0600"));
}

TEST_F(roles_of_database, P16_a_file_with_one_password_is_refused_and_left_alone) {
  write_secrets("one\n", 0600);
  const auto refused = ensure_roles(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::invalid);
  EXPECT_EQ(secrets(), "one\n");
}

TEST_F(roles_of_database, P16_a_folder_that_is_not_there_is_unavailable) {
  options.secrets_file = folder + "/nowhere/roles";
  EXPECT_EQ(ensure_roles(options).error().code, errc::unavailable);
}

TEST_F(roles_of_database, DESIGN_roles_servers_that_start_at_once_agree) {
  std::vector<std::future<outcome<runtime_logins>>> starts;
  for (int i = 0; i < 6; ++i) {
    starts.push_back(std::async(std::launch::async, [this] { return ensure_roles(options); }));
  }
  for (auto& start : starts) {
    const auto logins = start.get();
    ASSERT_TRUE(logins) << logins.error().detail;
    EXPECT_THAT(secrets(),
                HasSubstr(logins->writer_url.substr(logins->writer_url.size() - 33, 32)));
  }
}

/// The first one is held up, as if it were frozen, by a file that nobody writes.
TEST_F(roles_of_database, P31_a_start_that_stands_still_holds_up_the_others_for_seconds_only) {
  ASSERT_EQ(::mkfifo(options.secrets_file.c_str(), 0600), 0);
  auto frozen = std::async(std::launch::async, [this] { return ensure_roles(options); });
  const auto has_lock = [this] {
    return !db.root(
                  "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
                  " WHERE a.application_name = 'reeve_roles' AND l.locktype = 'advisory'"
                  " AND l.granted AND a.datname = current_database()")
                .empty();
  };
  while (!has_lock() && frozen.wait_for(std::chrono::milliseconds(10)) != ready) {
  }
  auto next = options;
  next.secrets_file = folder + "/of-another-server";
  auto other = std::async(std::launch::async, [&next] { return ensure_roles(next); });
  EXPECT_EQ(other.wait_for(std::chrono::seconds(20) * support::time_factor()), ready);
  ASSERT_TRUE(other.get());
  const auto verifiers = [this] {
    return db
        .root(
            "SELECT string_agg(rolpassword, ' ' ORDER BY rolname) FROM pg_authid WHERE rolname"
            " IN (SELECT unnest(ARRAY[writer, reader]) FROM reeve.runtime_roles)")[0][0]
        .as<std::string>();
  };
  const auto made = verifiers();
  std::fstream(options.secrets_file) << "one\ntwo\n";  // for both ends, so it waits for none
  const auto late = frozen.get();
  ASSERT_FALSE(late) << "its lock is another one's";
  EXPECT_EQ(late.error().code, errc::unavailable);
  EXPECT_EQ(verifiers(), made);
}

/// Held up between the two roles by a third one, who makes the second one and thinks better of it.
TEST_F(roles_of_database, P28_a_start_that_is_killed_between_the_roles_leaves_none) {
  pqxx::connection third(db.owner_url());
  pqxx::work making(third);
  const auto oid = making.exec1("SELECT oid FROM pg_database WHERE datname = current_database()");
  const auto number = oid[0].as<std::string>();
  making.exec("CREATE ROLE reeve_reader_" + number);
  auto killed = std::async(std::launch::async, [this] { return ensure_roles(options); });
  const auto waits = [this] {
    return !db.root(
                  "SELECT 1 FROM pg_stat_activity WHERE application_name = 'reeve_roles'"
                  " AND wait_event_type = 'Lock' AND query LIKE 'CREATE ROLE%'"
                  " AND datname = current_database()")
                .empty();
  };
  while (!waits() && killed.wait_for(std::chrono::milliseconds(10)) != ready) {
  }
  db.root(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
      " WHERE application_name = 'reeve_roles' AND datname = current_database()");
  EXPECT_EQ(killed.get().error().code, errc::unavailable);
  making.abort();
  EXPECT_TRUE(
      db.root("SELECT 1 FROM pg_roles WHERE rolname ~ '^reeve_(writer|reader)_" + number + "$'")
          .empty());

  auto next = options;
  next.secrets_file = folder + "/of-another-server";
  ASSERT_TRUE(ensure_roles(next));
  EXPECT_EQ(db.root("SELECT 1 FROM pg_roles WHERE rolname ~ '^reeve_(writer|reader)_" + number +
                    "$' AND rolcanlogin")
                .size(),
            2U);
}

TEST_F(roles_of_database, P16_sessions_keep_statements_and_values_out_of_postgresqls_log) {
  const auto logins = ensure_roles(options);
  ASSERT_TRUE(logins) << logins.error().detail;
  for (const auto& url : {logins->writer_url, logins->reader_url}) {
    pqxx::connection connection(url);
    pqxx::nontransaction tx(connection);
    for (const auto& [name, wanted] :
         {std::pair("log_min_error_statement", "panic"),
          std::pair("log_parameter_max_length_on_error", "0"),
          std::pair("log_parameter_max_length", "0"), std::pair("log_error_verbosity", "terse")}) {
      EXPECT_EQ(tx.exec1("SHOW " + std::string(name))[0].as<std::string>(), wanted) << url;
    }
    EXPECT_THROW(tx.exec("SET log_min_error_statement = error"), pqxx::insufficient_privilege)
        << "the login may undo it";
  }
}

TEST_F(roles_of_database, DESIGN_roles_given_logins_are_used_as_they_are) {
  options.writer_url = db.url_of(db.make_role("given_w"));
  EXPECT_EQ(ensure_roles(options).error().code, errc::invalid) << "one without the other";
  options.reader_url = db.url_of(db.make_role("given_r"));
  const auto logins = ensure_roles(options);
  ASSERT_TRUE(logins) << logins.error().detail;
  EXPECT_EQ(logins->writer_url, options.writer_url);
  EXPECT_THAT(logins->writer_role, HasSubstr("given_w"));
  EXPECT_THAT(logins->reader_role, HasSubstr("given_r"));
  EXPECT_FALSE(std::filesystem::exists(options.secrets_file));
}

TEST_F(roles_of_database, DESIGN_roles_the_schema_works_for_them) {
  const auto logins = ensure_roles(options);
  ASSERT_TRUE(logins);
  const auto migrated = migrate({options.owner_url, logins->writer_role, logins->reader_role});
  ASSERT_TRUE(migrated) << migrated.error().detail;
  pqxx::connection writer(logins->writer_url), reader(logins->reader_url);
  EXPECT_EQ(pqxx::nontransaction(writer).exec1("SELECT count(*) FROM reeve.events")[0].as<int>(),
            0);
  EXPECT_EQ(pqxx::nontransaction(reader).exec1("SELECT count(*) FROM reeve.events")[0].as<int>(),
            0);
  EXPECT_THROW(pqxx::nontransaction(reader).exec("SELECT count(*) FROM reeve.data_keys"),
               pqxx::insufficient_privilege);
  EXPECT_THROW(pqxx::nontransaction(writer).exec("DROP TABLE reeve.events"),
               pqxx::insufficient_privilege);
}

TEST(DESIGN_roles, no_database_is_unavailable) {
  roles_options options;
  options.owner_url = "host=/nowhere dbname=x";
  options.peer = true;
  EXPECT_EQ(ensure_roles(options).error().code, errc::unavailable);
}

}  // namespace
