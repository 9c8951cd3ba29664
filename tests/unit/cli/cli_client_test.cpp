// UI2: what the commands of a client send, print and end with, against a peer that answers as it
// is told and keeps what it was sent.

#include "cli/output.hpp"
#include "cli/server_identity.hpp"
#include "tests/unit/cli/client_case.hpp"

#include <gmock/gmock.h>

namespace {

using namespace reeve;
using namespace reeve::cli;
using namespace client_peer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

}  // namespace

TEST_F(UI2_client, launches_with_token_key_and_body) {
  peer p({http(201, R"({"id":"r1","status":"pending"})")});
  const auto e = run(p, runs,
                     {"launch", "--task", "log_triage", "--task", "gpu_report", "--label", "a=b=c",
                      "--since", "last_success"});
  EXPECT_EQ(e.code, exit_ok) << e.err;
  EXPECT_EQ(e.out, "r1\n");
  ASSERT_THAT(p.requests(), SizeIs(1));
  EXPECT_THAT(p.requests()[0], AllOf(HasSubstr("POST /api/runs/launch HTTP/1.1\r\n"),
                                     HasSubstr("\r\nAuthorization: Bearer secret-token\r\n"),
                                     HasSubstr("\r\nIdempotency-Key: "),
                                     HasSubstr("\r\nContent-Type: application/json\r\n"),
                                     HasSubstr(R"({"labels":{"a":"b=c"},"since":"last_success",)"
                                               R"("tasks":["log_triage","gpu_report"]})")));
}

TEST_F(UI2_client, waits_for_the_end_and_ends_like_the_run) {
  const auto run_in = [](const char* status) {
    return http(200, std::string(R"({"id":"r1","status":")") + status + "\"}");
  };
  for (const auto& [status, code] : {std::pair{"success", exit_ok},
                                     {"failed", exit_run_failed},
                                     {"partial", exit_run_failed},
                                     {"cancelled", exit_run_failed}}) {
    // A server that is restarted meanwhile is waited for.
    peer p({http(201, R"({"id":"r1","status":"pending"})"), run_in("running"),
            problem(503, "unavailable"), run_in(status)});
    const auto e = run(p, runs, {"launch", "--wait"});
    EXPECT_EQ(e.code, code) << status;
    EXPECT_EQ(e.out, std::string("r1  ") + status + "\n");
    EXPECT_THAT(p.requests()[3], HasSubstr("GET /api/runs/r1 HTTP"));
  }
}

TEST_F(UI2_client, refuses_options_that_do_not_fit_before_anything_is_sent) {
  peer p({});
  EXPECT_EQ(run(p, runs, {"launch", "--label", "novalue"}).code, exit_usage);
  EXPECT_EQ(run(p, runs, {"launch", "--file", "/nowhere"}).code, exit_usage);
  write("body", "{}");
  EXPECT_EQ(run(p, runs, {"launch", "--file", folder_ + "/body", "--task", "x"}).code, exit_usage);
  EXPECT_EQ(run(p, runs, {"list", "--limit", "0"}).code, exit_usage);
  EXPECT_EQ(run(p, runs, {"list", "--limit", "7x"}).code, exit_usage);
  EXPECT_EQ(run(p, runs, {"fly", "x"}).code, exit_usage);
  EXPECT_EQ(run(p, directives, {}).code, exit_usage);
  EXPECT_EQ(run(p, allow, {"list", "things"}).code, exit_usage);
  EXPECT_EQ(run(p, events, {"--limit", "-1"}).code, exit_usage);
  EXPECT_THAT(p.requests(), SizeIs(0));
}

TEST_F(UI2_client, sends_no_empty_file_where_the_default_would_be_launched) {
  write("blank", " \n\t\n");
  peer p({http(201, R"({"id":"r1"})")});
  for (const auto& file : {std::string("/dev/null"), folder_ + "/blank"}) {
    const auto e = run(p, runs, {"launch", "--file", file});
    EXPECT_EQ(e.code, exit_usage) << file;
    EXPECT_THAT(e.err, AllOf(HasSubstr("--file: " + file), HasSubstr("is empty"), HasSubstr("{}")));
    EXPECT_EQ(run(p, directives, {"create", file}).code, exit_usage) << file;
  }
  EXPECT_THAT(run(p, runs, {"launch", "--file", folder_}).err, HasSubstr("cannot be read"));
  EXPECT_THAT(p.requests(), SizeIs(0));
  write("body", "{}\n");
  EXPECT_EQ(run(p, runs, {"launch", "--file", folder_ + "/body"}).code, exit_ok);
  EXPECT_THAT(p.requests(), SizeIs(1));
}

TEST_F(UI2_client, says_what_helps_against_a_refusal) {
  write("body", R"({"tasks":[{"kind":"container","params":{"image":"localhost:1/x:2"}}]})");
  peer image({problem(403, "not_allowlisted",
                      R"(,"errors":[{"pointer":"/tasks/0/params/image","detail":"d"}])")});
  auto e = run(image, runs, {"launch", "--file", folder_ + "/body"});
  EXPECT_EQ(e.code, exit_refused);
  EXPECT_EQ(e.out, "");
  EXPECT_THAT(e.err, AllOf(HasSubstr("the detail"), HasSubstr("/tasks/0/params/image: d"),
                           HasSubstr("reeve allow image localhost:1/x:2\n")));

  peer token({problem(401, "unauthenticated")});
  e = run(token, runs, {"list"});
  EXPECT_EQ(e.code, exit_refused);
  EXPECT_THAT(e.err, AllOf(HasSubstr("REEVE_TOKEN"), Not(HasSubstr("secret-token"))));
}

TEST_F(UI2_client, ends_with_the_code_of_the_answer) {
  for (const auto& [status, code] : {std::pair{404, exit_not_found},
                                     {400, exit_usage},
                                     {422, exit_usage},
                                     {403, exit_refused},
                                     {409, exit_refused},
                                     {412, exit_refused},
                                     {429, exit_refused},
                                     {500, exit_unreachable},
                                     {503, exit_unreachable}}) {
    peer p({problem(status, "some_code")});
    EXPECT_EQ(run(p, runs, {"show", "x"}).code, code) << status;
  }
  peer strange({http(418, "<html>")});
  EXPECT_THAT(run(strange, runs, {"show", "x"}).err, HasSubstr("answered 418"));
}

TEST_F(UI2_client, says_when_nobody_answers) {
  client_.url = "http://127.0.0.1:1";
  for (auto* what : {runs, directives, allow}) {
    const auto e = run(what, what == allow ? std::vector<std::string>{"list", "images"}
                                           : std::vector<std::string>{"list"});
    EXPECT_EQ(e.code, exit_unreachable);
    EXPECT_THAT(e.err, HasSubstr("./run starts one"));
  }
  EXPECT_EQ(run(events, {"--follow", "--after", "1"}).code, exit_unreachable);
}

TEST_F(UI2_client, follows_no_redirect) {
  peer elsewhere({http(200, "{}")});
  peer p({"HTTP/1.1 307 X\r\nContent-Length: 0\r\nLocation: " + elsewhere.url() + "/\r\n\r\n"});
  const auto e = run(p, runs, {"show", "x"});
  EXPECT_EQ(e.code, exit_refused);
  EXPECT_THAT(e.err, HasSubstr("redirects"));
  EXPECT_THAT(elsewhere.requests(), SizeIs(0));
}

TEST_F(UI2_client, sends_no_token_where_it_does_not_belong) {
  for (const char* url : {"http://192.0.2.1:9595", "http://127.0.0.1@192.0.2.1/",
                          "https://user:pw@127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd",
                          "127.0.0.1:9595", "http://localhost.example.org"}) {
    client_.url = url;
    EXPECT_EQ(run(runs, {"list"}).code, exit_usage) << url;
  }
}

TEST_F(UI2_client, says_which_address_lacks_its_scheme) {
  for (const char* url : {"127.0.0.1:9595", "localhost:9595", "reeve.example.org", "ftp://x"}) {
    client_.url = url;
    auto e = run(runs, {"list"});
    EXPECT_EQ(e.code, exit_usage) << url;
    EXPECT_THAT(e.err, HasSubstr(std::string(url) + ": --url must begin with http:// or https://"));
    client_.url.clear();
    ::setenv("REEVE_URL", url, 1);
    e = run(runs, {"list"});
    ::unsetenv("REEVE_URL");
    EXPECT_EQ(e.code, exit_usage) << url;
    EXPECT_THAT(e.err,
                AllOf(HasSubstr("REEVE_URL must begin with http://"), Not(HasSubstr("clear"))));
  }
}

TEST_F(UI2_client, finds_server_and_token_in_the_data_folder) {
  ::unsetenv("REEVE_TOKEN");
  peer p({http(200, R"({"next":null,"results":[]})"), http(200, R"({"next":null,"results":[]})")});
  write("endpoint", p.url() + "\n");
  write("token", "from-the-folder\n");
  const auto server = server_identity::take(folder_ + "/server-id", reeve::real_ids());
  ASSERT_TRUE(server);
  EXPECT_EQ(run(runs, {"list"}).code, exit_ok);
  write("other", "from-a-file\r\n");
  ::setenv("REEVE_TOKEN_FILE", (folder_ + "/other").c_str(), 1);
  EXPECT_EQ(run(runs, {"list"}).code, exit_ok);
  ASSERT_THAT(p.requests(), SizeIs(2));
  EXPECT_THAT(p.requests()[0], HasSubstr("Bearer from-the-folder\r\n"));
  EXPECT_THAT(p.requests()[1], HasSubstr("Bearer from-a-file\r\n"));
}

/// The port that it left behind may be anybody's by now.
TEST_F(UI2_client, sends_no_token_where_a_server_that_died_was) {
  ::unsetenv("REEVE_TOKEN");
  peer p({http(200, R"({"next":null,"results":[]})")});
  write("endpoint", p.url() + "\n");
  write("server-id", "");
  write("token", "from-the-folder\n");
  const auto e = run(runs, {"list"});
  EXPECT_EQ(e.code, exit_unreachable);
  EXPECT_THAT(e.err, AllOf(HasSubstr("no server leads with " + folder_), HasSubstr("--url")));
  EXPECT_THAT(p.requests(), SizeIs(0));
  // Whoever names it means it.
  EXPECT_EQ(run(p, runs, {"list"}).code, exit_ok);
  ASSERT_THAT(p.requests(), SizeIs(1));
  EXPECT_THAT(p.requests()[0], HasSubstr("Bearer from-the-folder\r\n"));
}

/// It may leave between two requests of a command, or come back elsewhere.
TEST_F(UI2_client, asks_nobody_else_while_its_own_server_is_away) {
  peer before({http(200, "{}"), http(200, "{}")}), after({http(200, "{}")});
  const auto server = server_identity::take(folder_ + "/server-id", reeve::real_ids());
  write("endpoint", before.url() + "\n");
  api_client api(config_.values, client_);
  EXPECT_EQ(api.call("GET", "/api/runs").code, exit_ok);
  std::filesystem::remove(folder_ + "/endpoint");
  EXPECT_EQ(api.get_patiently("/api/runs", 0).code, exit_unreachable);
  EXPECT_THAT(before.requests(), SizeIs(1));
  write("endpoint", after.url() + "\n");
  EXPECT_EQ(api.call("GET", "/api/runs").code, exit_ok);
}

TEST_F(UI2_client, says_once_that_there_is_no_such_resource) {
  peer p({http(404, R"({"title":"There is no such resource.","code":"not_found","status":404,)"
                    R"("detail":"there is no such resource"})")});
  EXPECT_EQ(run(p, runs, {"show", "x"}).err, "reeve: There is no such resource.\n");
}

TEST_F(UI2_client, allows_and_removes) {
  peer p({http(201, R"({"id":"i1","reference":"a:1"})"), http(200, R"({"id":"c1","name":"n"})"),
          http(200, R"({"id":"i1","digest":"sha256:b"})")});
  EXPECT_EQ(run(p, allow, {"image", "a:1", "--reason", "why", "--host-network"}).out, "i1  a:1\n");
  EXPECT_EQ(run(p, allow, {"remove", "containers", "c1"}).out, "c1  n\n");
  EXPECT_THAT(p.requests()[0],
              HasSubstr(R"({"reference":"a:1","reason":"why","allow_host_network":true})"));
  EXPECT_THAT(p.requests()[1], HasSubstr("DELETE /api/allowlists/containers/c1 HTTP"));
  EXPECT_EQ(run(p, allow, {"resolve", "i1"}).out, "i1  sha256:b\n");
  EXPECT_THAT(p.requests()[2], HasSubstr("POST /api/allowlists/images/i1/resolve HTTP"));
}

TEST_F(UI2_client, allows_an_image_to_run_as_root_if_told_so) {
  peer p({http(201, R"({"id":"i1","reference":"a:1"})")});
  EXPECT_EQ(run(p, allow, {"image", "a:1", "--root"}).out, "i1  a:1\n");
  EXPECT_THAT(p.requests()[0], HasSubstr(R"({"reference":"a:1","reason":"","allow_root":true})"));
}

TEST_F(UI2_client, allows_an_image_to_call_language_models_if_told_so) {
  peer p({http(201, R"({"id":"i1","reference":"a:1"})")});
  EXPECT_EQ(run(p, allow, {"image", "a:1", "--llm"}).out, "i1  a:1\n");
  EXPECT_THAT(p.requests()[0], HasSubstr(R"({"reference":"a:1","reason":"","llm":true})"));
}

TEST_F(UI2_client, allows_a_container_by_its_name_if_told_so) {
  peer p({http(201, R"({"id":"c1","name":"n"})"), http(201, R"({"id":"c2","name":"m"})")});
  EXPECT_EQ(run(p, allow, {"container", "n"}).out, "c1  n\n");
  EXPECT_EQ(run(p, allow, {"container", "m", "--by-name"}).out, "c2  m\n");
  EXPECT_THAT(p.requests()[0], HasSubstr(R"({"name":"n","reason":""})"));
  EXPECT_THAT(p.requests()[1], HasSubstr(R"({"name":"m","reason":"","by_name":true})"));
}
