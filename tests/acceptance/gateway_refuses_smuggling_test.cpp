// Requests that two servers in a row would understand differently, sent as raw bytes to the real
// program: each is one 400 and the end of the connection, what stands behind it is never taken for
// a request of its own, and the server goes on.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::http_connection;
using support::server;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

namespace {

const std::string next_request = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";

std::string bytes_after(const server& reeve, const std::string& bytes) {
  http_connection connection(reeve.address());
  std::string answer;
  try {
    connection.send(bytes);
    answer = connection.read_to_end(5s);
  } catch (const support::http_closed&) {
    // A reset behind the answer, because not everything that was sent was read.
  }
  return answer;
}

int answers_in(const std::string& bytes) {
  int count = 0;
  for (auto at = bytes.find("HTTP/1.1 "); at != std::string::npos; ++count) {
    at = bytes.find("HTTP/1.1 ", at + 1);
  }
  return count;
}

std::string post_head(const std::string& token, const std::string& fields) {
  return "POST /api/runs/launch HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token +
         "\r\nContent-Type: application/json\r\n" + fields + "\r\n";
}

}  // namespace

TEST(P18_smuggling, every_attack_is_one_400_and_the_end_of_the_connection) {
  server reeve;
  const std::string good = "GET /livez HTTP/1.1\r\n";
  const std::vector<std::string> attacks = {
      post_head("x", "Transfer-Encoding: xchunked\r\n"),
      post_head("x", "Transfer-Encoding: gzip\r\n"),
      post_head("x", "Transfer-Encoding: chunked, gzip\r\n"),
      post_head("x", "Transfer-Encoding: gzip, chunked\r\n"),
      post_head("x",
                "Transfer-Encoding: \x0b"
                "chunked\r\n"),
      post_head("x", "Transfer-Encoding : chunked\r\n"),
      post_head("x", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
      post_head("x", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n") + "0\r\n\r\n",
      post_head("x", "Content-Length: 3, 3\r\n") + "{ }",
      post_head("x", "Content-Length: 3\r\nContent-Length: 3\r\n") + "{ }",
      post_head("x", "Content-Length: 3\r\nContent-Length: 4\r\n") + "{ }",
      post_head("x", "Content-Length: +3\r\n") + "{ }",
      post_head("x", "Content-Length: 0x3\r\n") + "{ }",
      post_head("x", "Content-Length: 99999999999999999999\r\n"),
      "POST /api/runs/launch HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      good + "\r\n",
      good + "Host: a\r\nHost: b\r\n\r\n",
      good + "Host: a\r\nX: 1\r\n folded\r\n\r\n",
      good + "Host: a\r\n X: 1\r\n\r\n",
      good + "Host: a\r\nX: a\rb\r\n\r\n",
      good + "Host: a\r\nno colon\r\n\r\n",
      good + "Host: a\r\nX: " + std::string(1, '\0') + "\r\n\r\n",
      good + "Host: a\r\nContent-Length: 5\r\n\r\nhello",
      "GET /livez HTTP/1.1\nHost: a\n\n",
      "GET http://a/livez HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /livez HTTP/2.0\r\nHost: a\r\n\r\n",
      "GET /livez\r\n\r\n",
      "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /api%2fruns HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /api/../livez HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
      "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\x16\x03\x01\x02\x01\n",
  };
  for (const auto& attack : attacks) {
    const std::string got = bytes_after(reeve, attack + next_request);
    EXPECT_THAT(got, StartsWith("HTTP/1.1 400 ")) << attack;
    EXPECT_EQ(answers_in(got), 1) << attack << "\n" << got;
    EXPECT_THAT(got, HasSubstr("Connection: close")) << attack;
    EXPECT_THAT(got, HasSubstr("application/problem+json")) << attack;
  }
  EXPECT_EQ(reeve.anonymous().get("/livez").status, 200);
  EXPECT_TRUE(reeve.running());
}

TEST(P18_smuggling, a_trailer_is_never_a_header) {
  server reeve;
  const std::string head =
      "POST /api/directives HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
  const std::string authority = "Authorization: Bearer " + reeve.token() + "\r\n";
  const std::string body = json({{"name", "d"}, {"tasks", {"task1"}}}).dump();
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", body.size());
  const std::string chunks = size + body + "\r\n0\r\n";
  EXPECT_THAT(
      bytes_after(reeve, head + "Connection: close\r\n" + chunked + chunks + authority + "\r\n"),
      StartsWith("HTTP/1.1 401 "));
  // The same chunks with the field where it belongs, and a trailer that changes nothing.
  const std::string made = bytes_after(reeve, head + authority + "Connection: close\r\n" + chunked +
                                                  chunks + "Idempotency-Key: ignored\r\n\r\n");
  EXPECT_THAT(made, StartsWith("HTTP/1.1 201 "));
  EXPECT_EQ(answers_in(made), 1);
  auto database = reeve.database();
  EXPECT_EQ(database.number("SELECT count(*) FROM reeve.commands WHERE key = 'ignored'"), 0);
  for (const std::string& wrong :
       {std::string("xyz\r\n"), std::string("-1\r\n"), std::string("3\r\n{ }0\r\n\r\n"),
        std::string("11111111111111111\r\n"), "3;x=" + std::string(1 << 20, 'a') + "\r\n{ }\r\n",
        "0\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n"}) {
    const std::string got = bytes_after(reeve, head + authority + chunked + wrong + next_request);
    EXPECT_THAT(got, StartsWith("HTTP/1.1 4")) << wrong.substr(0, 40);
    EXPECT_LE(answers_in(got), 1) << wrong.substr(0, 40);
  }
  EXPECT_EQ(reeve.anonymous().get("/livez").status, 200);
}

TEST(GW1_connection, answers_pipelined_requests_in_their_order) {
  server reeve;
  const auto get = [&](const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + reeve.token() +
           "\r\n\r\n";
  };
  http_connection connection(reeve.address());
  connection.send(get("/api/whoami") + get("/api/runs") + get("/api/none") + get("/livez"));
  EXPECT_TRUE(connection.receive().json().contains("role"));
  EXPECT_TRUE(connection.receive().json().contains("results"));
  EXPECT_EQ(connection.receive().status, 404);
  EXPECT_EQ(connection.receive().json(), json({{"status", "alive"}}));
  // Byte by byte it is the same.
  for (const char c : get("/livez")) connection.send(std::string(1, c));
  EXPECT_EQ(connection.receive().status, 200);
}

TEST(GW1_connection, head_has_the_fields_of_get_and_no_body) {
  server reeve;
  const std::string fields =
      " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + reeve.token() + "\r\n\r\n";
  http_connection connection(reeve.address());
  connection.send("HEAD /api/whoami" + fields);
  const auto head = connection.receive(true);
  connection.send("GET /api/whoami" + fields);
  const auto get = connection.receive();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.header("Content-Length"), get.header("Content-Length"));
  EXPECT_EQ(head.header("Content-Type"), get.header("Content-Type"));
  EXPECT_EQ(get.header("Content-Length"), std::to_string(get.body.size()));
}

TEST(GW3_connection, says_100_only_when_the_body_is_wanted) {
  server reeve;
  const std::string body = json({{"tasks", {"task2"}}}).dump();
  const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
  http_connection wanted(reeve.address());
  wanted.send(post_head(reeve.token(), "Expect: 100-continue\r\n" + length));
  EXPECT_EQ(wanted.receive_head().status, 100);
  wanted.send(body);
  EXPECT_EQ(wanted.receive().status, 201);
  http_connection refused(reeve.address());
  refused.send(post_head("wrong", "Expect: 100-continue\r\n" + length));
  EXPECT_EQ(refused.receive().status, 401);
  http_connection odd(reeve.address());
  odd.send(post_head(reeve.token(), "Expect: 200-ok\r\n" + length));
  EXPECT_EQ(odd.receive().status, 417);
}

TEST(GW3_limits, of_target_fields_and_body_are_told_apart) {
  server reeve;
  const auto api = reeve.api();
  EXPECT_EQ(api.get("/api/runs?x=" + std::string(9000, 'a')).status, 414);
  EXPECT_EQ(api.get("/livez", {{"X-Long", std::string(20'000, 'a')}}).status, 431);
  support::header_list many;
  for (int n = 0; n < 120; ++n) many.emplace_back("X-" + std::to_string(n), "1");
  EXPECT_EQ(api.get("/livez", many).status, 431);
  const json large = {{"tasks", {"task1"}}, {"labels", {{"a", std::string(300 * 1024, 'a')}}}};
  EXPECT_EQ(api.post("/api/runs/launch", large).status, 413);
  json deep = 1;
  for (int n = 0; n < 200; ++n) deep = json::array({deep});
  const int status = api.post("/api/runs/launch", {{"tasks", deep}}).status;
  EXPECT_TRUE(status == 400 || status == 422) << status;
  EXPECT_EQ(api.call({"POST", "/api/runs/launch", {{"Content-Type", "text/plain"}}, "{}"}).status,
            415);
  EXPECT_EQ(api.call({"GET", "/api/runs", {{"Accept", "text/html"}}, {}}).status, 406);
  EXPECT_EQ(api.get("/livez").status, 200);
}

TEST(P19_slow, heads_and_bodies_end_with_408_and_disturb_nobody) {
  REEVE_TEST_TIME_LIMIT(60);
  server reeve;
  http_connection silent_head(reeve.address());
  silent_head.send("GET /livez HTTP/1.1\r\nHost: a\r\n");
  http_connection slow_head(reeve.address());
  slow_head.send("GET /livez HTTP/1.1\r\n");
  http_connection slow_body(reeve.address());
  slow_body.send(post_head(reeve.token(), "Content-Length: 100\r\n") + "{");
  const auto began = std::chrono::steady_clock::now();
  // One byte now and then is no progress.
  EXPECT_FALSE(support::eventually(9s, [&] {
    slow_head.send("X");
    EXPECT_EQ(reeve.anonymous().get("/livez").status, 200);
    return slow_head.closed_by_peer(1ms) || !reeve.running();
  }));
  EXPECT_EQ(silent_head.receive(false, 8s).status, 408);
  EXPECT_EQ(slow_body.receive(false, 8s).status, 408);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 8s);
  EXPECT_TRUE(silent_head.closed_by_peer(2s));
  EXPECT_EQ(reeve.anonymous().get("/livez").status, 200);
}
