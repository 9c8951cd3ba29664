// P30: reads that are refused are never taken for well: a login that is kept out is told as a right
// that is missing is, and taken up again by itself.

#include "persistence/reader_rights.hpp"

#include "persistence/log_rights.hpp"
#include "persistence/login_refusal.hpp"
#include "persistence/read_store.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;
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

TEST_F(P30_reader, is_refused_by_who_answers_only) {
  EXPECT_EQ(login_refusal(db.reader_url()), "");
  EXPECT_EQ(login_refusal("host=/nowhere dbname=x user=" + db.reader()), "");
  // The port looks like a code.
  EXPECT_EQ(login_refusal("host=127.0.0.1 port=28000 dbname=x user=" + db.reader()), "");
  EXPECT_EQ(login_refusal(db.reader_url() + " dbname=no_such_database"), "3D000");
  db.root("ALTER ROLE " + db.reader() + " CONNECTION LIMIT 0");
  EXPECT_EQ(login_refusal(db.reader_url()), "53300");
  EXPECT_FALSE(is_lasting_refusal("53300")) << "full may pass";
  EXPECT_TRUE(is_lasting_refusal("28P01") && is_lasting_refusal("42501"));
  db.root("ALTER ROLE " + db.reader() + " CONNECTION LIMIT -1 NOLOGIN");
  EXPECT_EQ(login_refusal(db.reader_url()), "28000");
  EXPECT_EQ(user_named_in(db.reader_url()), db.reader());
  EXPECT_EQ(user_named_in("postgresql://somebody@host/x"), "somebody");
  EXPECT_EQ(user_named_in("host=/nowhere"), "");
}

class rights_clock final : public clock_port {
 public:
  time_us now_us() override { return 0; }
  std::int64_t mono_us() override { return at; }
  std::int64_t at = 0;
};

/// Connections that are all taken are nothing for one look, and something once they stay taken.
TEST_F(P30_reader, that_finds_no_place_is_told_once_that_lasts) {
  rights_clock clock;
  reader_rights rights(db.reader_url(), clock);
  read_pool pool(db.reader_url(), 1, 10, 5000);
  const auto look_after = [&](std::int64_t ms) {
    clock.at += ms * 1000;
    rights.look(pool);
    // The pool's one thread answers in turn.
    std::promise<void> looked;
    pool.submit<bool>({system_tenant},
                      reply_slot<bool>([&](const outcome<bool>&) { looked.set_value(); }),
                      [](read_session&) -> outcome<bool> { return true; });
    looked.get_future().wait();
    return rights.refused();
  };
  const auto limit = [&](const std::string& count) {
    db.root("ALTER ROLE " + db.reader() + " CONNECTION LIMIT " + count);
    end_sessions();
  };
  limit("0");
  EXPECT_EQ(look_after(0), "") << "one look";
  EXPECT_EQ(look_after(1900), "");
  EXPECT_EQ(look_after(100), "53300");
  EXPECT_EQ(rights.missing(), "") << "no GRANT mends it";
  limit("-1");
  EXPECT_EQ(look_after(100), "");
  limit("0");
  EXPECT_EQ(look_after(5000), "") << "the first of a new row";
  limit("-1");
  EXPECT_EQ(look_after(1500), "");
  limit("0");
  EXPECT_EQ(look_after(1500), "") << "not in a row";
  EXPECT_EQ(look_after(2000), "53300");
  db.root("ALTER ROLE " + db.reader() + " NOLOGIN");
  EXPECT_EQ(look_after(0), "");
  EXPECT_EQ(rights.missing(), "the right to log in (28000)") << "that one at once";
}

TEST_F(P30_reader, and_writer_that_may_have_no_session_are_named) {
  const auto owner = db.url_of(db.root("SELECT current_user")[0][0].c_str());
  const given_logins given{db.writer_url(), db.reader_url()};
  db.root("ALTER ROLE " + db.reader() + " CONNECTION LIMIT 0");
  db.root("ALTER ROLE " + db.writer() + " CONNECTION LIMIT 3");
  auto found = look_at_log_rights(owner, given);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->reader.login_missing, ElementsAre(no_session));
  EXPECT_THAT(found->writer.login_missing, IsEmpty()) << "a limit is none";
  db.root("ALTER DATABASE " + db.name() + " CONNECTION LIMIT 0");
  found = look_at_log_rights(owner, given);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->writer.login_missing,
              ElementsAre("CONNECTION LIMIT ON DATABASE " + db.name()));
}

TEST_F(P30_reader, and_writer_that_are_set_to_read_only_are_told_apart) {
  const auto owner = db.url_of(db.root("SELECT current_user")[0][0].c_str());
  const given_logins given{db.writer_url(), db.reader_url()};
  const auto missing = [&] {
    const auto found = look_at_log_rights(owner, given);
    EXPECT_TRUE(found && found->reader.login_missing.empty());
    return found ? found->writer.login_missing : std::vector<std::string>{};
  };
  const std::string setting = " SET default_transaction_read_only = ";
  const auto lacks = "READ WRITE ON DATABASE " + db.name();
  for (const auto& role : {db.writer(), db.reader()})
    db.root("ALTER ROLE " + role + setting + "on");
  EXPECT_THAT(missing(), ElementsAre(lacks));
  db.root(mend_of(db.writer(), lacks));
  EXPECT_THAT(missing(), IsEmpty()) << "what is set in the database goes first";
  db.root("ALTER ROLE " + db.writer() + " IN DATABASE " + db.name() + " RESET ALL");
  db.root("ALTER ROLE " + db.writer() + " RESET default_transaction_read_only");
  EXPECT_THAT(missing(), IsEmpty());
  db.root("ALTER DATABASE " + db.name() + setting + "true");
  EXPECT_THAT(missing(), ElementsAre(lacks));
  db.root("BEGIN READ WRITE; ALTER ROLE " + db.writer() + setting + "off; COMMIT");
  EXPECT_THAT(missing(), IsEmpty()) << "the login's own goes before the database's";
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
  EXPECT_EQ(look_at_log_rights(owner).error().code, errc::not_found);
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
