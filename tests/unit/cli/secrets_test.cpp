// ACC4: secrets from the command line; a value is never an argument, and never shown.

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/cli/client_peer.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using namespace reeve::cli;
using namespace client_peer;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const std::string made =
    R"({"name":"db","version":2,"updated_at":"2026-01-01T00:00:00Z","deleted_at":null})";

class ACC4_cli_secrets : public testing::Test {
 protected:
  std::string file(const std::string& text) const {
    const auto path = folder_.at("value");
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  struct ended {
    int code = -1;
    std::string out, err;
  };
  static ended run(const peer& p, const std::vector<std::string>& words) {
    ::setenv("REEVE_TOKEN", "secret-token", 1);
    client_options client;
    client.url = p.url();
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    ended e;
    e.code = secrets(loaded_config(), client, words);
    std::fflush(stdout);
    e.out = testing::internal::GetCapturedStdout();
    e.err = testing::internal::GetCapturedStderr();
    ::unsetenv("REEVE_TOKEN");
    return e;
  }

 private:
  const support::temporary_folder folder_;
};

}  // namespace

TEST_F(ACC4_cli_secrets, come_from_a_file_without_its_line_end) {
  for (const std::string end : {"", "\n", "\r\n"}) {
    const peer p({http(200, made)});
    const auto e = run(p, {"put", "db", "--file", file("hunter2 \"x\"" + end)});
    EXPECT_EQ(e.code, exit_ok) << e.err;
    EXPECT_THAT(e.out, AllOf(HasSubstr("db"), Not(HasSubstr("hunter2"))));
    ASSERT_THAT(p.requests(), SizeIs(1));
    EXPECT_THAT(p.requests()[0], AllOf(HasSubstr("PUT /api/secrets/db HTTP"),
                                       EndsWith(R"({"value":"hunter2 \"x\""})")));
  }
}

TEST_F(ACC4_cli_secrets, keep_all_lines_but_the_last_end) {
  const peer p({http(200, made)});
  run(p, {"put", "db", "--file", file("line 1\nline 2\n\n")});
  ASSERT_THAT(p.requests(), SizeIs(1));
  EXPECT_THAT(p.requests()[0], EndsWith(R"({"value":"line 1\nline 2\n"})"));
}

TEST_F(ACC4_cli_secrets, that_would_not_arrive_as_they_are_go_nowhere) {
  const peer p({http(200, made)});
  for (const auto& value :
       {std::string("caf\xe9-caf\xe9"), std::string("a\0b-a-secret", 12), std::string(8193, 'x')}) {
    const auto e = run(p, {"put", "db", "--file", file(value)});
    EXPECT_EQ(e.code, exit_usage);
    EXPECT_THAT(e.err, Not(HasSubstr(value.substr(0, 4))));
  }
  EXPECT_EQ(run(p, {"put", "db", "--file", "/nowhere/at/all"}).code, exit_usage);
  EXPECT_EQ(run(p, {"put", "db", "a-value"}).code, exit_usage) << "not as an argument";
  EXPECT_EQ(run(p, {"put"}).code, exit_usage);
  EXPECT_THAT(p.requests(), SizeIs(0));
  // The peer waits for one request.
  EXPECT_EQ(run(p, {"put", "db", "--file", file(std::string(8192, 'x') + "\n")}).code, exit_ok);
}

TEST_F(ACC4_cli_secrets, are_not_shown_when_they_are_refused) {
  const peer p({problem(422, "invalid",
                        R"(,"errors":[{"pointer":"/value","detail":"a value has 6 to 8,192"}])")});
  const auto e = run(p, {"put", "db", "--file", file("short")});
  EXPECT_NE(e.code, exit_ok);
  EXPECT_THAT(e.err, AllOf(HasSubstr("/value"), Not(HasSubstr("short"))));
}

TEST_F(ACC4_cli_secrets, are_listed_shown_and_deleted) {
  const peer p({http(200, R"({"results":[)" + made + R"(],"next":null})"), http(200, made),
                http(200, made)});
  EXPECT_THAT(run(p, {"list", "--active"}).out, HasSubstr("db"));
  EXPECT_EQ(run(p, {"show", "db"}).code, exit_ok);
  EXPECT_EQ(run(p, {"delete", "db"}).code, exit_ok);
  ASSERT_THAT(p.requests(), SizeIs(3));
  EXPECT_THAT(p.requests()[0], HasSubstr("GET /api/secrets?"));
  EXPECT_THAT(p.requests()[0], HasSubstr("is_active=true"));
  EXPECT_THAT(p.requests()[1], HasSubstr("GET /api/secrets/db HTTP"));
  EXPECT_THAT(p.requests()[2], HasSubstr("DELETE /api/secrets/db HTTP"));
}
