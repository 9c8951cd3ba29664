// P30: a log that the server's role may not write is away: told, and taken up again by itself.

#include "persistence/log_rights.hpp"

#include "tests/unit/persistence/journal_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

class P30_log_rights : public ::testing::Test {
 protected:
  P30_log_rights() {
    config = journal_on(db.writer_url());
    config.on_barred = [this](const std::string& why, const std::string& sqlstate) {
      told.push_back(why);
      codes.push_back(sqlstate);
    };
    log.emplace(config);
    if (!log->open()) throw std::runtime_error("the journal does not open");
  }
  void change(const std::string& what, const std::string& right) const {
    const auto to = what == "GRANT" ? " TO " : " FROM ";
    db.root(what + " " + right + to + db.writer());
  }
  void name_roles() const {
    db.root("CREATE TABLE reeve.runtime_roles AS SELECT '" + db.writer() + "' AS writer, '" +
            db.reader() + "' AS reader");
  }
  std::string owner() const { return db.url_of(db.root("SELECT current_user")[0][0].c_str()); }
  append_request request() const { return append_to(fresh_stream(), 0, tenant); }
  bool comes_back() {
    return eventually([this] { return log->renew().ok(); });
  }

  test_database db;
  uuid tenant = real_ids().next();
  journal_config config;
  std::optional<journal> log;
  std::vector<std::string> told, codes;
};

TEST_F(P30_log_rights, that_are_gone_make_the_log_away_until_they_are_back) {
  for (const char* right :
       {"INSERT ON reeve.events", "INSERT ON reeve.streams", "USAGE ON SCHEMA reeve"}) {
    told.clear();
    change("REVOKE", right);
    EXPECT_EQ(append_one(*log, request()).error().code, errc::unavailable) << right;
    EXPECT_EQ(log->state(), journal_state::away) << right;
    EXPECT_EQ(told.size(), 1U);
    EXPECT_FALSE(log->renew());
    EXPECT_EQ(append_one(*log, request()).error().code, errc::unavailable);
    change("GRANT", right);
    EXPECT_TRUE(comes_back()) << right;
    EXPECT_EQ(told.size(), 2U) << "once each";
    EXPECT_EQ(told.back(), "");
    EXPECT_TRUE(append_one(*log, request()));
  }
}

TEST_F(P30_log_rights, are_looked_at_while_nobody_writes) {
  change("REVOKE", "INSERT ON reeve.commands");
  EXPECT_EQ(log->renew().error().code, errc::unavailable);
  EXPECT_EQ(log->state(), journal_state::away);
  change("GRANT", "INSERT ON reeve.commands");
  EXPECT_TRUE(comes_back());
}

/// Its rows have types that a session makes among its temporary things.
TEST_F(P30_log_rights, to_temporary_things_are_missed_by_the_next_session_and_told_once) {
  const auto change_temp = [this](const std::string& what) {
    db.root(what + " TEMP ON DATABASE " + db.name() + (what == "GRANT" ? " TO" : " FROM") +
            " PUBLIC");
  };
  const auto comes_to = [this](std::size_t count) {
    return eventually([&] { return !log->renew() && told.size() == count; });
  };
  change_temp("REVOKE");
  EXPECT_TRUE(log->renew()) << "the session that has its types goes on";
  EXPECT_TRUE(append_one(*log, request()));
  EXPECT_EQ(told.size(), 0U);
  db.root("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + db.writer() +
          "'");
  EXPECT_TRUE(comes_to(1));
  EXPECT_THAT(told, ::testing::ElementsAre(::testing::HasSubstr("may not write the log")));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(log->renew());
  EXPECT_EQ(told.size(), 1U) << "once";
  EXPECT_EQ(log->state(), journal_state::away);
  change_temp("GRANT");
  EXPECT_TRUE(comes_back());
  EXPECT_EQ(told.size(), 2U);
  EXPECT_EQ(told.back(), "");
  EXPECT_TRUE(append_one(*log, request()));
}

/// Readiness shows the reason to everybody; the code is for the log.
TEST_F(P30_log_rights, to_log_in_are_missed_without_the_code_of_the_refusal) {
  db.root("ALTER ROLE " + db.writer() + " NOLOGIN");
  db.root("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + db.writer() +
          "'");
  EXPECT_TRUE(eventually([&] { return !log->renew() && !told.empty(); }));
  EXPECT_THAT(told,
              ::testing::ElementsAre("the database refuses the server's login; see reeve doctor"));
  EXPECT_THAT(codes, ::testing::ElementsAre("28000"));
  db.root("ALTER ROLE " + db.writer() + " LOGIN");
  EXPECT_TRUE(comes_back());
}

TEST_F(P30_log_rights, on_a_read_model_are_that_ones_trouble) {
  change("REVOKE", "INSERT ON reeve_read.runs");
  EXPECT_TRUE(log->renew());
  EXPECT_TRUE(append_one(*log, request()));
  EXPECT_EQ(told.size(), 0U);
}

TEST_F(P30_log_rights, on_read_models_are_named_by_the_model) {
  name_roles();
  const auto missing = [&](const std::string& name) {
    const auto found = look_at_model_rights(owner(), name);
    EXPECT_TRUE(found) << name;
    return found ? found->missing : std::vector<std::string>{};
  };
  EXPECT_THAT(missing(""), ::testing::IsEmpty());
  change("REVOKE", "INSERT, UPDATE ON reeve_read.llm_usage");
  EXPECT_THAT(missing("llm_usage"),
              ::testing::UnorderedElementsAre("INSERT ON reeve_read.llm_usage",
                                              "UPDATE ON reeve_read.llm_usage"));
  EXPECT_EQ(missing("").size(), 2U);
  EXPECT_THAT(missing("runs"), ::testing::IsEmpty());
  EXPECT_EQ(look_at_model_rights(owner(), "none_such").error().code, errc::not_found);
}

TEST_F(P30_log_rights, that_are_missing_are_named) {
  EXPECT_EQ(look_at_log_rights(owner()).error().code, errc::not_found);
  name_roles();
  EXPECT_TRUE(look_at_log_rights(owner())->writer.missing.empty());
  EXPECT_TRUE(look_at_log_rights(owner())->reader.missing.empty());
  change("REVOKE", "INSERT ON reeve.events");
  db.root("REVOKE SELECT ON reeve.commands, reeve_read.runs FROM " + db.reader());
  const auto found = look_at_log_rights(owner());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->writer.role, db.writer());
  EXPECT_EQ(found->writer.missing, std::vector<std::string>{"INSERT ON reeve.events"});
  EXPECT_EQ(found->reader.role, db.reader());
  EXPECT_THAT(found->reader.missing, ::testing::UnorderedElementsAre("SELECT ON reeve.commands",
                                                                     "SELECT ON reeve_read.runs"));
  EXPECT_EQ(look_at_log_rights("host=/nowhere dbname=x").error().code, errc::unavailable);
}

/// What the doctor does not ask for, it calls well.
TEST_F(P30_log_rights, of_the_writer_are_asked_for_as_migrations_give_them) {
  std::vector<std::string> granted;
  for (const auto& row :
       db.root("SELECT a.privilege_type || ' ON reeve.' || c.relname FROM pg_class c"
               " JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a"
               " WHERE n.nspname = 'reeve' AND a.grantee = '" +
               db.writer() + "'::regrole")) {
    granted.emplace_back(row[0].c_str());
  }
  // Nothing uses data keys yet; projections are asked for with the read models.
  std::erase_if(granted, [](const auto& one) {
    return one.ends_with("reeve.data_keys") || one.ends_with("reeve.projections");
  });
  ASSERT_GT(granted.size(), 20U);
  name_roles();
  db.root("REVOKE ALL ON ALL TABLES IN SCHEMA reeve FROM " + db.writer());
  const auto found = look_at_log_rights(owner());
  ASSERT_TRUE(found);
  EXPECT_THAT(found->writer.missing, ::testing::UnorderedElementsAreArray(granted));
  const auto models = look_at_model_rights(owner(), "runs");
  ASSERT_TRUE(models);
  EXPECT_THAT(models->missing, ::testing::UnorderedElementsAre("SELECT ON reeve.projections",
                                                               "INSERT ON reeve.projections",
                                                               "UPDATE ON reeve.projections"));
}

TEST_F(P30_log_rights, of_the_writer_are_asked_for_functions_too) {
  name_roles();
  for (const char* function :
       {"reeve.refuse_batch(text)", "reeve.make_partition(bigint)", "reeve.head()"}) {
    const std::string right = std::string("EXECUTE ON FUNCTION ") + function;
    change("REVOKE", right);
    const auto found = look_at_log_rights(owner());
    ASSERT_TRUE(found);
    EXPECT_THAT(found->writer.missing, ::testing::ElementsAre(right));
    change("GRANT", right);
  }
}

/// Blobs, heads and sweeps are no reason to take no event.
TEST_F(P30_log_rights, beside_those_to_append_leave_the_log_where_it_is) {
  change("REVOKE", "INSERT ON reeve.blobs, reeve.checkpoints");
  EXPECT_TRUE(log->renew());
  EXPECT_TRUE(append_one(*log, request()));
  EXPECT_EQ(told.size(), 0U);
}

TEST_F(P30_log_rights, that_no_grant_gives_have_statements_of_their_own) {
  EXPECT_EQ(mend_of("w", "INSERT ON reeve.blobs"), "GRANT INSERT ON reeve.blobs TO w");
  EXPECT_EQ(mend_of("w", "TEMP ON DATABASE x"), "GRANT TEMP ON DATABASE x TO w");
  EXPECT_EQ(mend_of("w", no_login), "ALTER ROLE w LOGIN");
  EXPECT_EQ(mend_of("w", no_session), "ALTER ROLE w CONNECTION LIMIT -1");
  EXPECT_EQ(mend_of("w", "CONNECTION LIMIT ON DATABASE x"), "ALTER DATABASE x CONNECTION LIMIT -1");
  EXPECT_EQ(mend_of("w", "READ WRITE ON DATABASE x"),
            "ALTER ROLE w IN DATABASE x SET default_transaction_read_only = off");
}

TEST_F(P30_log_rights, of_roles_with_odd_names_have_statements_that_work) {
  const auto name = "Odd-" + db.writer();
  const auto odd = '"' + name + '"';
  db.root("ALTER ROLE " + db.writer() + " RENAME TO " + odd);
  db.root("CREATE TABLE reeve.runtime_roles AS SELECT '" + name + "' AS writer, '" + db.reader() +
          "' AS reader");
  db.root("REVOKE INSERT ON reeve.events, reeve_read.runs FROM " + odd);
  db.root("ALTER ROLE " + odd + " NOLOGIN");
  const auto found = look_at_log_rights(owner());
  const auto models = look_at_model_rights(owner(), "runs");
  ASSERT_TRUE(found && models);
  EXPECT_EQ(found->writer.role, odd);
  EXPECT_EQ(found->writer.login, odd);
  EXPECT_EQ(models->role, odd);
  EXPECT_EQ(found->reader.role, db.reader()) << "as it always was";
  EXPECT_THAT(found->writer.login_missing, ::testing::Contains(no_login));
  const auto mend = [this](const std::string& role, const std::vector<std::string>& missing) {
    for (const auto& one : missing) EXPECT_NO_THROW(db.root(mend_of(role, one))) << one;
  };
  mend(odd, found->writer.missing);
  mend(odd, found->writer.login_missing);
  mend(odd, models->missing);
  EXPECT_THAT(look_at_log_rights(owner())->writer.missing, ::testing::IsEmpty());
  EXPECT_THAT(look_at_log_rights(owner())->writer.login_missing, ::testing::IsEmpty());
  EXPECT_THAT(look_at_model_rights(owner(), "runs")->missing, ::testing::IsEmpty());
  db.root("ALTER ROLE " + odd + " RENAME TO " + db.writer());
}

/// A table that a migration lets be read and nobody asks for would be missed by readiness.
TEST_F(P30_log_rights, are_asked_for_each_table_that_migrations_let_be_read) {
  std::vector<std::string> granted;
  for (const auto& row :
       db.root("SELECT 'SELECT ON ' || n.nspname || '.' || c.relname FROM pg_class c"
               " JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a"
               " WHERE a.privilege_type = 'SELECT' AND a.grantee = '" +
               db.reader() + "'::regrole")) {
    granted.emplace_back(row[0].c_str());
  }
  // Only commands look at it, with the owner's login.
  EXPECT_EQ(std::erase(granted, "SELECT ON reeve.projections"), 1U);
  ASSERT_FALSE(granted.empty());
  name_roles();
  db.root("REVOKE SELECT ON ALL TABLES IN SCHEMA reeve, reeve_read FROM " + db.reader());
  const auto found = look_at_log_rights(owner());
  ASSERT_TRUE(found);
  EXPECT_THAT(found->reader.missing, ::testing::UnorderedElementsAreArray(granted));
}

}  // namespace
