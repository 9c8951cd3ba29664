#include "api/http_server.hpp"

#include "tests/unit/api/gateway_fixture.hpp"

#include <gtest/gtest.h>
#include <stdexcept>

using namespace gateway_fixture;

namespace {

constexpr std::string_view server_hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view get_next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

std::string posted(std::string_view body, std::string_view more = "") {
  return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
         std::string(more) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::string chunked(std::string_view chunks, std::string_view more = "") {
  return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
         std::string(more) + "Transfer-Encoding: chunked\r\n\r\n" + std::string(chunks);
}

int answers_in(const std::string& bytes) {
  int count = 0;
  for (std::size_t at = bytes.find("HTTP/1.1 "); at != bytes.npos; ++count) {
    at = bytes.find("HTTP/1.1 ", at + 1);
  }
  return count;
}

}  // namespace

TEST(GW3_server, answers_with_its_own_id_and_safe_headers) {
  gateway it(basic_routes());
  const answer got = it.ask("GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "hello");
  EXPECT_TRUE(got.has("\r\nX-Request-Id: 0"));
  EXPECT_FALSE(got.has("mine"));
  EXPECT_TRUE(got.has("\r\nX-Content-Type-Options: nosniff\r\n"));
  EXPECT_TRUE(got.has("\r\nCache-Control: private, no-cache\r\n"));
  EXPECT_TRUE(got.has("\r\nDate: "));
  EXPECT_TRUE(got.has(" GMT\r\n"));
  EXPECT_FALSE(got.has("Server:"));
}

TEST(GW4_server, a_trace_is_answered_whatever_the_answer_is) {
  gateway it(basic_routes());
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  const std::string given = "traceparent: 00-" + trace + "-b7ad6b7169203331-01\r\n\r\n";
  for (const std::string path : {"/hello", "/nowhere"}) {
    const answer got = it.ask("GET " + path + " HTTP/1.1\r\nHost: a\r\n" + given);
    EXPECT_TRUE(got.has("\r\ntraceresponse: 00-" + trace + "-")) << path;
    EXPECT_FALSE(got.has("b7ad6b7169203331")) << "the part of the trace is our own";
  }
  EXPECT_FALSE(it.ask(server_hello).has("traceresponse"));
  const std::string twice = "traceparent: 00-" + trace + "-b7ad6b7169203331-01\r\n" + given;
  EXPECT_FALSE(it.ask("GET /hello HTTP/1.1\r\nHost: a\r\n" + twice).has("traceresponse"));
}

TEST(P18_server, attacks_get_one_400_and_the_connection_ends) {
  gateway it(basic_routes());
  const std::string attacks[] = {
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
      "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n{ }",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n{ }",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET /hello HTTP/1.1\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET /hello HTTP/1.1\nHost: a\n\n",
      "GET http://a/hello HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /hello HTTP/3.0\r\nHost: a\r\n\r\n",
      "GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
      "GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(1, 0) + "\r\n\r\n",
      "\x16\x03\x01\x02\x01\n",
  };
  for (const std::string& attack : attacks) {
    // What follows an attack must never be taken for a request.
    const std::string got = it.exchange(attack + std::string(server_hello));
    EXPECT_TRUE(got.starts_with("HTTP/1.1 400 ")) << attack << "\n" << got;
    EXPECT_EQ(answers_in(got), 1) << attack << "\n" << got;
    EXPECT_NE(got.find("Connection: close"), got.npos) << attack;
  }
  EXPECT_TRUE(it.alive());
}

TEST(P18_server, malformed_chunks_get_one_400) {
  gateway it(basic_routes());
  for (const char* chunks : {"xyz\r\n", "-1\r\n", "3\n{ }\n0\n\n", "3\r\n{ }0\r\n\r\n",
                             "3\r\n{ }\r\n0\r\nnocolon\r\n\r\n", "11111111111111111\r\n",
                             "3 ;\r\n{ }\r\n0\r\n\r\n", "3;a=\"\r\n{ }\r\n0;b=\"\r\n\r\n"}) {
    const std::string got = it.exchange(chunked(chunks) + std::string(server_hello));
    EXPECT_TRUE(got.starts_with("HTTP/1.1 4")) << chunks << "\n" << got;
    EXPECT_EQ(answers_in(got), 1) << chunks << "\n" << got;
  }
  EXPECT_TRUE(it.alive());
}

TEST(P18_server, large_extensions_and_trailers_are_refused_and_survived) {
  gateway it(basic_routes());
  const std::string long_text(1024 * 1024, 'a');
  for (const std::string& chunks : {"3;x=" + long_text + "\r\n{ }\r\n0\r\n\r\n",
                                    "3\r\n{ }\r\n0\r\nX: " + long_text + "\r\n\r\n",
                                    "0\r\nX: " + long_text.substr(0, 70'000) + "\r\n\r\n",
                                    "3;x=" + long_text.substr(0, 300) + "\r\n{ }\r\n0\r\n\r\n"}) {
    const std::string got = it.exchange(chunked(chunks));
    EXPECT_TRUE(got.starts_with("HTTP/1.1 400 ")) << got;
  }
  EXPECT_TRUE(it.alive());
}

TEST(P18_server, trailers_never_become_fields) {
  std::vector<route> routes = basic_routes();
  routes.push_back(simple(
      method::post, "/secret",
      [](const request& asked, const responder& slot) { slot.answer(text_response(asked.body)); },
      api::access::viewer));
  gateway it(std::move(routes));
  const std::string body = "3\r\n{ }\r\n0\r\nAuthorization: Bearer admin\r\n\r\n";
  std::string attack = chunked(body);
  attack.replace(attack.find("/echo"), 5, "/secret");
  EXPECT_EQ(it.ask(attack).status, 401);
  const std::string got =
      it.exchange(chunked("3\r\n{ }\r\n0\r\nHost: b\r\nX: 1\r\n\r\n") +
                  "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answers_in(got), 2) << got;
  EXPECT_TRUE(got.ends_with("hello")) << got;
}

TEST(P18_server, bodies_may_come_in_any_pieces) {
  gateway it(basic_routes());
  for (const std::string& whole : {chunked("0\r\n\r\n"), chunked("3\r\n{ }\r\n0\r\nT: 1\r\n\r\n"),
                                   chunked("2;e=1\r\n{ \r\n1\r\n}\r\n0\r\n\r\n"), posted("{ }")}) {
    const std::string expected = whole.find("\r\n\r\n0") != whole.npos ? "" : "{ }";
    raw_client client(it.port());
    for (const char byte : whole) ASSERT_TRUE(client.send({&byte, 1}));
    ASSERT_TRUE(client.send(server_hello));
    const answer got = client.read_answer();
    EXPECT_EQ(got.status, 200) << whole;
    EXPECT_EQ(got.body, expected);
    EXPECT_EQ(client.read_answer().body, "hello");
  }
}

TEST(GW2_server, pipelined_requests_are_answered_in_order) {
  gateway it(basic_routes());
  std::string all;
  for (int i = 0; i < 200; ++i) all += posted("{\"n\":" + std::to_string(i) + "}");
  raw_client client(it.port());
  client.send(all + std::string(get_next));
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(client.read_answer().body, "{\"n\":" + std::to_string(i) + "}");
  }
  EXPECT_EQ(client.read_answer().status, 401);
}

TEST(GW2_server, head_has_the_length_and_no_body) {
  gateway it(basic_routes());
  raw_client client(it.port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(server_hello));
  const answer head = client.read_answer(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.has("Content-Length: 5\r\n"));
  EXPECT_EQ(client.read_answer().body, "hello");
  // Refusals have no body either: it would be taken for the next answer.
  client.send("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(server_hello));
  EXPECT_EQ(client.read_answer(true).status, 401);
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(GW2_server, no_content_has_none) {
  std::vector<route> routes = basic_routes();
  routes.push_back(simple(method::post, "/gone", [](const request&, const responder& slot) {
    response made = text_response("should not be here");
    made.status = 204;
    slot.answer(std::move(made));
  }));
  gateway it(std::move(routes));
  raw_client client(it.port());
  client.send("POST /gone HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(server_hello));
  EXPECT_EQ(client.read_answer().status, 204);
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(GW2_server, an_empty_line_before_a_request_is_ignored) {
  gateway it(basic_routes());
  raw_client client(it.port());
  client.send("\r\n" + std::string(server_hello));
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(GW2_server, one_dot_zero_is_answered_and_closed) {
  gateway it(basic_routes());
  const std::string got = it.exchange("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(got.ends_with("hello"));
}

TEST(GW3_server, expect_continue_is_answered_before_the_body) {
  gateway it(basic_routes());
  raw_client client(it.port());
  std::string text = posted("{ }", "Expect: 100-continue\r\n");
  text.resize(text.size() - 3);
  client.send(text);
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  EXPECT_EQ(client.buffered(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.buffered().clear();
  client.send("{ }");
  EXPECT_EQ(client.read_answer().body, "{ }");
}

TEST(GW3_server, other_expectations_are_417_and_refused_ones_get_no_100) {
  gateway it(basic_routes());
  EXPECT_EQ(it.ask(posted("{ }", "Expect: 200-ok\r\n")).status, 417);
  std::string large = posted(std::string(1001, ' '), "Expect: 100-continue\r\n");
  large.resize(large.size() - 1001);
  const std::string got = it.exchange(large);
  EXPECT_TRUE(got.starts_with("HTTP/1.1 413 ")) << got;
}

TEST(GW3_server, bodies_beyond_the_routes_limit_are_413) {
  gateway it(basic_routes());
  EXPECT_EQ(it.ask(posted(std::string(1000, ' '))).status, 200);
  EXPECT_EQ(it.ask(posted(std::string(1001, ' '))).status, 413);
  EXPECT_EQ(it.ask(chunked("3e8\r\n" + std::string(1000, ' ') + "\r\n0\r\n\r\n")).status, 200);
  EXPECT_EQ(it.ask(chunked("3e9\r\n" + std::string(1001, ' ') + "\r\n0\r\n\r\n")).status, 413);
  EXPECT_EQ(it.ask(chunked("1f4\r\n" + std::string(500, ' ') + "\r\n1f5\r\n")).status, 413);
}

TEST(GW3_server, heads_beyond_the_limit_are_431_and_414) {
  gateway it(basic_routes());
  const std::string fields = "GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'a');
  EXPECT_TRUE(it.exchange(fields).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(it.exchange("GET /" + std::string(40'000, 'a')).starts_with("HTTP/1.1 414 "));
  EXPECT_TRUE(it.alive());
}

TEST(GW3_server, an_etag_that_the_client_has_is_304) {
  gateway it(basic_routes());
  for (const char* tags : {"\"v1\"", "W/\"v1\"", "\"v0\", \"v1\"", "*"}) {
    raw_client client(it.port());
    client.send("GET /hello HTTP/1.1\r\nHost: a\r\nIf-None-Match: " + std::string(tags) +
                "\r\n\r\n" + std::string(server_hello));
    const answer got = client.read_answer();
    EXPECT_EQ(got.status, 304) << tags;
    EXPECT_TRUE(got.has("ETag: \"v1\"\r\n"));
    EXPECT_FALSE(got.has("\r\nContent-"));
    EXPECT_EQ(client.read_answer().body, "hello");
  }
  const answer other = it.ask("GET /hello HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"v2\"\r\n\r\n");
  EXPECT_EQ(other.status, 200);
}

TEST(GW2_server, a_refused_small_body_leaves_the_connection_usable) {
  gateway it(basic_routes());
  raw_client client(it.port());
  std::string text = posted("{\"a\":1}");
  text.replace(text.find("/echo"), 5, "/none");
  client.send(text + std::string(server_hello));
  EXPECT_EQ(client.read_answer().status, 401);
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(P18_server, a_handler_that_throws_is_a_500_and_the_connection_goes_on) {
  std::vector<route> routes = basic_routes();
  routes.push_back(simple(method::get, "/throw", [](const request&, const responder&) {
    throw std::runtime_error("SELECT secret FROM /var/lib");
  }));
  routes.push_back(
      simple(method::get, "/throw-int", [](const request&, const responder&) { throw 7; }));
  gateway it(std::move(routes));
  raw_client client(it.port());
  for (const char* path : {"/throw", "/throw-int"}) {
    client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const answer got = client.read_answer();
    EXPECT_EQ(got.status, 500);
    EXPECT_TRUE(got.has("application/problem+json"));
    EXPECT_EQ(got.body.find("SELECT"), std::string::npos);
  }
  client.send(server_hello);
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_NE(it.metrics().find("reeve_uncaught_total{where=\"handler\"} 2"), std::string::npos);
}

TEST(P18_server, a_dropped_responder_is_a_503) {
  std::vector<route> routes = basic_routes();
  routes.push_back(simple(method::get, "/drop", [](const request&, const responder&) {}));
  routes.push_back(simple(method::get, "/drop-later", [](const request&, const responder& slot) {
    std::thread([slot] {}).detach();
  }));
  gateway it(std::move(routes));
  for (const char* path : {"/drop", "/drop-later"}) {
    const answer got = it.ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(got.status, 503);
    EXPECT_TRUE(got.has("Retry-After: 1\r\n"));
  }
}

TEST(P18_server, a_header_of_ours_with_a_line_end_is_not_sent) {
  std::vector<route> routes = basic_routes();
  routes.push_back(simple(method::get, "/split", [](const request&, const responder& slot) {
    response made = text_response("x");
    made.headers.emplace_back("Location", "/a\r\nSet-Cookie: b=c");
    slot.answer(made);
  }));
  gateway it(std::move(routes));
  const answer got = it.ask("GET /split HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(got.status, 500);
  EXPECT_FALSE(got.has("Set-Cookie"));
}

TEST(P18_server, answers_come_from_any_thread_and_after_the_server) {
  std::mutex mutex;
  std::vector<responder> kept;
  std::vector<route> routes = basic_routes();
  routes.push_back(simple(method::get, "/keep", [&](const request&, const responder& slot) {
    const std::lock_guard lock(mutex);
    kept.push_back(slot);
  }));
  gateway it(std::move(routes));
  const auto has = [&](std::size_t count) {
    return [&, count] {
      const std::lock_guard lock(mutex);
      return kept.size() == count;
    };
  };
  raw_client first(it.port());
  first.send("GET /keep HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually(has(1)));
  kept[0].answer(text_response("from here"));
  EXPECT_EQ(first.read_answer().body, "from here");
  raw_client second(it.port());
  second.send("GET /keep HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually(has(2)));
  it.destroy_server();
  kept[1].answer(text_response("too late"));
  EXPECT_TRUE(second.at_end());
}
