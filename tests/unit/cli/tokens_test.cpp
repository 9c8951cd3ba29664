// ACC1: an administrator gives a colleague a token from the command line, and takes it back.

#include "cli/commands.hpp"
#include "tests/unit/cli/client_peer.hpp"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve::cli;
using namespace client_peer;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

struct told_end {
  int code = -1;
  std::string out, err;
};

told_end run(const peer& p, const std::vector<std::string>& words, bool json = false) {
  ::setenv("REEVE_TOKEN", "secret-token", 1);
  client_options client;
  client.url = p.url();
  client.json = json;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  told_end e;
  e.code = tokens(loaded_config(), client, words);
  std::fflush(stdout);
  e.out = testing::internal::GetCapturedStdout();
  e.err = testing::internal::GetCapturedStderr();
  ::unsetenv("REEVE_TOKEN");
  return e;
}

const std::string made_token =
    R"({"id":"t1","name":"ann","role":"operator","is_active":true,"token":"rv_1_x"})";

}  // namespace

TEST(ACC1_tokens, are_made_and_shown_alone_on_standard_output) {
  const peer p({http(201, made_token), http(201, made_token)});
  auto e = run(p, {"create", "ann", "--role", "operator"});
  EXPECT_EQ(e.code, exit_ok);
  EXPECT_EQ(e.out, "rv_1_x\n") << "for TOKEN=$(…)";
  EXPECT_EQ(e.err, "reeve: token t1 of ann, operator; it is shown only here\n");
  e = run(p, {"create", "ann", "--role", "operator"}, true);
  EXPECT_EQ(e.out, made_token + "\n");
  ASSERT_THAT(p.requests(), SizeIs(2));
  EXPECT_THAT(p.requests()[0],
              AllOf(HasSubstr("POST /api/tokens HTTP"), HasSubstr("\r\nIdempotency-Key: "),
                    EndsWith(R"({"name":"ann","role":"operator"})")));
}

TEST(ACC1_tokens, are_a_viewers_unless_told) {
  const peer p({http(201, made_token)});
  EXPECT_EQ(run(p, {"create", "ann"}).code, exit_ok);
  EXPECT_THAT(p.requests()[0], EndsWith(R"({"name":"ann","role":"viewer"})"));
}

TEST(ACC1_tokens, that_did_not_come_are_no_success) {
  const peer p({http(201, R"({"id":"t1"})"),
                http(403, R"({"title":"This token's role does not allow it.","code":"forbidden",)"
                          R"("status":403,"detail":"it takes the role admin"})")});
  auto e = run(p, {"create", "ann"});
  EXPECT_NE(e.code, exit_ok);
  EXPECT_EQ(e.out, "");
  e = run(p, {"create", "ann"});
  EXPECT_EQ(e.code, exit_refused);
  EXPECT_THAT(e.err, HasSubstr("it takes the role admin"));
}

TEST(ACC1_tokens, are_listed_and_revoked) {
  const peer p({http(200, R"({"next":null,"results":[{"id":"t1","name":"ann","role":"viewer",)"
                          R"("is_active":true}]})"),
                http(200, R"({"next":null,"results":[]})"),
                http(200, R"({"id":"t1","name":"ann","revoked_at":"now"})")});
  EXPECT_THAT(run(p, {"list"}).out, HasSubstr("t1  ann   viewer  true\n"));
  run(p, {"list", "--active", "--limit", "7"});
  EXPECT_EQ(run(p, {"revoke", "../t1"}).out, "t1  ann  now\n");
  ASSERT_THAT(p.requests(), SizeIs(3));
  EXPECT_THAT(p.requests()[0], HasSubstr("GET /api/tokens?limit=50 HTTP"));
  EXPECT_THAT(p.requests()[1], HasSubstr("GET /api/tokens?limit=7&is_active=true HTTP"));
  EXPECT_THAT(p.requests()[2], HasSubstr("POST /api/tokens/..%2Ft1/revoke HTTP"));
}

TEST(ACC1_tokens, refuse_words_that_do_not_fit_before_anything_is_sent) {
  const peer p({});
  for (const auto& words : std::vector<std::vector<std::string>>{
           {}, {"create"}, {"create", "a", "b"}, {"revoke"}, {"list", "x"}, {"make", "a"}}) {
    const auto e = run(p, words);
    EXPECT_EQ(e.code, exit_usage);
    EXPECT_THAT(e.err, AllOf(HasSubstr("reeve help tokens"), Not(HasSubstr("secret-token"))));
  }
  EXPECT_THAT(p.requests(), SizeIs(0));
}
