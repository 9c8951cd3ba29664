// P30: reads that are refused are never taken for well: a login that is kept out is told as a right
// that is missing is, and taken up again by itself.

#include "persistence/log_rights.hpp"
#include "persistence/login_refusal.hpp"
#include "persistence/read_store.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

read_store_config reading(const std::string& url) {
  read_store_config config;
  config.url = url;
  config.readers = 1;  // so that a look has the session of the look before it
  return config;
}

class P30_reader : public ::testing::Test {
 protected:
  P30_reader() : reads(reading(db.reader_url())) {}

  bool becomes(const std::function<bool(const std::string&)>& is) {
    return eventually([&] {
      reads.look_at_rights();
      return is(reads.missing_rights());
    });
  }
  bool is_told(const std::string& what) {
    return becomes([&](const auto& missing) { return missing.find(what) != missing.npos; });
  }
  bool is_well() {
    return becomes([](const auto& missing) { return missing.empty(); });
  }
  /// Well, by a look whose session stays open.
  bool is_well_in_a_session() {
    return is_well() && eventually([&] {
             reads.look_at_rights();
             const auto count = "SELECT count(*) FROM pg_stat_activity WHERE usename = '";
             return db.root(count + db.reader() + "'")[0][0].as<int>() == 1;
           });
  }
  /// So that the next look needs a new session.
  void end_sessions() const {
    db.root("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" +
            db.reader() + "'");
  }

  test_database db;
  read_store reads;
};

TEST_F(P30_reader, that_may_log_in_no_more_is_told_with_its_sessions_and_without) {
  ASSERT_TRUE(is_well_in_a_session());
  db.root("ALTER ROLE " + db.reader() + " NOLOGIN");
  EXPECT_TRUE(is_told("LOGIN")) << "although its session goes on";
  end_sessions();
  EXPECT_TRUE(is_told("the right to log in (28000)"));
  db.root("ALTER ROLE " + db.reader() + " LOGIN");
  EXPECT_TRUE(is_well());
}

TEST_F(P30_reader, that_may_not_connect_is_told_with_its_sessions_and_without) {
  ASSERT_TRUE(is_well_in_a_session());
  db.root("REVOKE CONNECT ON DATABASE " + db.name() + " FROM PUBLIC");
  EXPECT_TRUE(is_told("CONNECT ON DATABASE " + db.name()));
  end_sessions();
  EXPECT_TRUE(is_told("the right to log in (42501)"));
  db.root("GRANT CONNECT ON DATABASE " + db.name() + " TO PUBLIC");
  EXPECT_TRUE(is_well());
}

TEST_F(P30_reader, lacks_the_functions_that_reads_call_as_well_as_tables) {
  for (const char* function : {"reeve.head()", "reeve.position_at(bigint)"}) {
    const std::string right = std::string("EXECUTE ON FUNCTION ") + function;
    db.root("REVOKE " + right + " FROM PUBLIC, " + db.reader());
    EXPECT_TRUE(is_told(right));
    db.root("GRANT " + right + " TO " + db.reader());
    EXPECT_TRUE(is_well());
  }
}

TEST_F(P30_reader, is_refused_by_what_is_its_own_only) {
  EXPECT_EQ(login_refusal(db.reader_url()), "");
  EXPECT_EQ(login_refusal("host=/nowhere dbname=x user=" + db.reader()), "");
  // The port looks like a code.
  EXPECT_EQ(login_refusal("host=127.0.0.1 port=28000 dbname=x user=" + db.reader()), "");
  EXPECT_EQ(login_refusal(db.reader_url() + " dbname=no_such_database"), "");
  db.root("ALTER ROLE " + db.reader() + " CONNECTION LIMIT 0");
  EXPECT_EQ(login_refusal(db.reader_url()), "") << "full is no refusal: it passes";
  db.root("ALTER ROLE " + db.reader() + " CONNECTION LIMIT -1 NOLOGIN");
  EXPECT_EQ(login_refusal(db.reader_url()), "28000");
  EXPECT_EQ(user_named_in(db.reader_url()), db.reader());
  EXPECT_EQ(user_named_in("postgresql://somebody@host/x"), "somebody");
  EXPECT_EQ(user_named_in("host=/nowhere"), "");
}

TEST_F(P30_reader, and_writer_are_looked_at_by_the_doctor_as_logins_too) {
  db.root("CREATE TABLE reeve.runtime_roles AS SELECT '" + db.writer() + "' AS writer, '" +
          db.reader() + "' AS reader");
  const auto owner = db.url_of(db.root("SELECT current_user")[0][0].c_str());
  const auto before = look_at_log_rights(owner);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->reader.login, db.reader());
  EXPECT_THAT(before->reader.login_missing, IsEmpty());
  EXPECT_THAT(before->writer.login_missing, IsEmpty());
  db.root("ALTER ROLE " + db.reader() + " NOLOGIN");
  db.root("REVOKE CONNECT, TEMP ON DATABASE " + db.name() + " FROM PUBLIC");
  const auto found = look_at_log_rights(owner);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->reader.login_missing,
              ElementsAre(no_login, "CONNECT ON DATABASE " + db.name()));
  EXPECT_THAT(found->writer.login_missing,
              ElementsAre("CONNECT ON DATABASE " + db.name(), "TEMP ON DATABASE " + db.name()));
  EXPECT_THAT(found->writer.missing, IsEmpty());
  // Roles that only name the grants need not log in; the logins that were given have to.
  const auto given = look_at_log_rights(owner, {db.writer_url(), db.writer_url()});
  ASSERT_TRUE(given);
  EXPECT_EQ(given->reader.role, db.reader());
  EXPECT_EQ(given->reader.login, db.writer());
  EXPECT_THAT(given->reader.login_missing, ElementsAre("CONNECT ON DATABASE " + db.name()));
}

/// Logins that somebody else made stand in no table.
TEST_F(P30_reader, and_writer_that_were_given_are_looked_at_by_the_names_in_their_urls) {
  const auto owner = db.url_of(db.root("SELECT current_user")[0][0].c_str());
  EXPECT_EQ(look_at_log_rights(owner).error().code, errc::unavailable);
  db.root("REVOKE SELECT ON reeve.commands FROM " + db.reader());
  db.root("REVOKE INSERT ON reeve_read.runs FROM " + db.writer());
  const given_logins given{db.writer_url(), db.reader_url()};
  const auto found = look_at_log_rights(owner, given);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->reader.missing, ElementsAre("SELECT ON reeve.commands"));
  EXPECT_THAT(found->writer.missing, IsEmpty());
  const auto models = look_at_model_rights(owner, "runs", given);
  ASSERT_TRUE(models);
  EXPECT_EQ(models->role, db.writer());
  EXPECT_THAT(models->missing, ElementsAre("INSERT ON reeve_read.runs"));
}

}  // namespace
