// P11: which files of the host a login rests on.

#include "persistence/login_files.hpp"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using reeve::persistence::files_of_login;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(P11_login_files, are_those_that_the_text_names) {
  EXPECT_THAT(files_of_login("postgresql://a:b@db.example/orders?sslkey=/k/key.pem&sslcert=c.pem"
                             "&sslrootcert=/k/root.pem&sslcrl=/k/crl&passfile=/k/pass"),
              UnorderedElementsAre("/k/key.pem", "c.pem", "/k/root.pem", "/k/crl", "/k/pass"));
  EXPECT_THAT(files_of_login("host=db.example dbname=d passfile='/k/my pass' sslcrldir=/k/crls"),
              UnorderedElementsAre("/k/my pass", "/k/crls"));
  EXPECT_THAT(files_of_login("postgresql://a@db.example:5433/orders"), IsEmpty());
}

TEST(P11_login_files, are_the_sockets_of_servers_on_this_host) {
  EXPECT_THAT(files_of_login("host=/run/pg dbname=d"), ElementsAre("/run/pg/.s.PGSQL.5432"));
  EXPECT_THAT(files_of_login("postgresql:///d?host=/run/pg&port=5433"),
              ElementsAre("/run/pg/.s.PGSQL.5433"));
  EXPECT_THAT(files_of_login("host=/a,db.example,/b port=1,2,3"),
              ElementsAre("/a/.s.PGSQL.1", "/b/.s.PGSQL.3"));
  EXPECT_THAT(files_of_login("host=/a,/b port=7"), ElementsAre("/a/.s.PGSQL.7", "/b/.s.PGSQL.7"));
}

TEST(P11_login_files, come_from_the_environment_where_the_text_says_nothing) {
  ::setenv("PGSSLKEY", "/e/key.pem", 1);
  EXPECT_THAT(files_of_login("host=db.example"), ElementsAre("/e/key.pem"));
  EXPECT_THAT(files_of_login("host=db.example sslkey=/k/key.pem"), ElementsAre("/k/key.pem"));
  EXPECT_THAT(files_of_login(""), IsEmpty()) << "there is no such login";
  ::unsetenv("PGSSLKEY");
}

TEST(P11_login_files, are_none_of_what_is_no_login) {
  for (const char* text : {"postgresql://a:b@[", "no login", "host='/unended"}) {
    EXPECT_THAT(files_of_login(text), IsEmpty()) << text;
  }
}

}  // namespace
