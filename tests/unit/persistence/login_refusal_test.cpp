// OPS4: what keeps a server or a command out of its database is told in words that name it, and
// never a password.

#include "persistence/login_refusal.hpp"

#include "persistence/roles.hpp"
#include "tests/unit/persistence/refusing_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace refusing_server;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string url_at(const door& at) {
  return "postgresql://somebody:hunter2@127.0.0.1:" + at.port() + "/orders";
}

/// What is told of a database that is there and lets nobody in, or is not there.
std::string told_of(const door& at) {
  const auto reached = reach_database(url_at(at), std::chrono::seconds(1));
  if (reached) return "it was reached";
  EXPECT_EQ(reached.error().code, errc::unavailable);
  return reached.error().detail;
}

auto names_it(const door& at, const std::string& why) {
  return AllOf(StartsWith("the database orders (host 127.0.0.1, port " + at.port() +
                          ", user somebody) cannot be used: "),
               EndsWith(why), Not(HasSubstr("hunter2")), Not(HasSubstr("the server's words")));
}

}  // namespace

TEST(OPS4_database, that_refuses_is_told_with_the_reason) {
  for (const auto& [sqlstate, why] :
       {std::pair{"28P01", "the password is wrong, or there is no such user"},
        {"3D000", "there is no such database"},
        {"28000", "the user is not let in: there is none, NOLOGIN, or pg_hba.conf"},
        {"42501", "the user may not connect to it: GRANT CONNECT ON DATABASE"},
        {"53300", "all connections are taken"},
        {"57P03", "the server is starting or stopping"},
        {"XX000", "it refuses the login with SQLSTATE XX000"}}) {
    const door one(refusal(sqlstate));
    EXPECT_THAT(told_of(one), names_it(one, why));
  }
}

TEST(OPS4_database, that_is_not_there_is_told_apart) {
  const door closed("", false);
  EXPECT_THAT(told_of(closed), names_it(closed, "nobody answers there: Connection refused"));
  const door silent("");
  EXPECT_EQ(told_of(silent), "it was reached") << "the connections that follow tell";
  const door strange("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_THAT(told_of(strange), HasSubstr("port " + strange.port() + ", user somebody"));
}

TEST(OPS4_database, that_asks_for_a_password_says_so) {
  const door one(password_wanted());
  const auto reached =
      reach_database("host=127.0.0.1 user=somebody dbname=orders port=" + one.port() +
                     " passfile=/nowhere/pgpass");
  ASSERT_FALSE(reached);
  EXPECT_THAT(reached.error().detail, names_it(one, "it asks for a password, and none is given"));
}

TEST(OPS4_database, that_is_one_of_several_hosts_is_left_to_the_connections_that_follow) {
  const door silent(""), closed("", false);
  const auto both = "postgresql://somebody@127.0.0.1:" + silent.port() +
                    ",127.0.0.1:" + closed.port() + "/orders";
  EXPECT_TRUE(reach_database(both, std::chrono::seconds(1)));
}

TEST(OPS4_database, is_found_in_a_folder_with_an_at_sign) {
  for (const std::string host : {"/nowhere/user@1000", "@one,@two"}) {
    const auto reached = reach_database("user=somebody dbname=orders host=" + host);
    ASSERT_FALSE(reached);
    EXPECT_EQ(reached.error().code, errc::unavailable) << reached.error().detail;
  }
}

/// Where its letters move the borders, a piece of it stands in the place of something else.
TEST(P16_password, is_never_told_whatever_it_is_taken_for) {
  for (const std::string url :
       {"postgresql://somebody:hun@ter2@127.0.0.1/x", "postgresql://somebody:hunter2/a@127.0.0.1/x",
        "postgresql://some@body:hunter2@127.0.0.1/x", "postgresql://127.0.0.1:1/hunter2@h/x",
        "postgresql://somebody:hun%ter2@127.0.0.1/x", "host=127.0.0.1 password=hun ter2",
        "hunter2"}) {
    const auto reached = reach_database(url);
    ASSERT_FALSE(reached) << url;
    EXPECT_EQ(reached.error().code, errc::invalid) << url;
    EXPECT_THAT(reached.error().detail,
                AllOf(HasSubstr("%40"), Not(HasSubstr("hun")), Not(HasSubstr("ter2"))));
  }
  // libpq quotes what it does not understand.
  const auto reached = reach_database("host=127.0.0.1 port=99999 password=99999 dbname=x user=y");
  ASSERT_FALSE(reached);
  EXPECT_THAT(reached.error().detail, EndsWith("cannot be used: nobody answers there"));
}

TEST(OPS4_database, that_keeps_a_given_login_out_is_told_with_its_variable) {
  const door one(refusal("28P01"));
  roles_options options;
  options.writer_url = options.reader_url = url_at(one);
  const auto made = ensure_roles(options);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().detail, AllOf(StartsWith("REEVE_WRITER_URL: the database orders "),
                                         HasSubstr("the password is wrong")));
}
