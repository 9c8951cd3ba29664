// LLM4: routes that hand a call on: how errors are told, and what a client that goes away ends.

#include "tests/unit/api/gateway_fixture.hpp"

#include <gtest/gtest.h>

using namespace gateway_fixture;

namespace {

/// POST /relay, which answers when the test does.
class relay {
 public:
  std::vector<route> routes() {
    auto made = basic_routes();
    made.push_back(simple(
        method::post, "/relay",
        [this](const request& asked, const responder& slot) {
          const std::lock_guard lock(mutex_);
          stopper_ = asked.stopper;
          slot_ = slot;
        },
        api::access::operator_));
    made.back().relays = true;
    made.back().max_body_bytes = 100;
    return made;
  }
  bool has_come() {
    const std::lock_guard lock(mutex_);
    return static_cast<bool>(slot_);
  }
  bool is_stopped() {
    const std::lock_guard lock(mutex_);
    return stopper_ && stopper_->is_stopped();
  }
  void answer(const std::string& text) {
    const std::lock_guard lock(mutex_);
    std::exchange(slot_, {}).answer(text_response(text));
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<call_stopper> stopper_;
  responder slot_;
};

std::string post(const std::string& token, const std::string& body = "{}",
                 const std::string& type = "application/json") {
  return "POST /relay HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token +
         "\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace

TEST(LLM4_relayed, outlives_the_time_of_other_handlers) {
  relay it;
  server_options options;
  options.handler_timeout = milliseconds(1);
  gateway at(it.routes(), options);
  raw_client client(at.port());
  client.send(post("operator"));
  ASSERT_TRUE(eventually([&] { return it.has_come(); }));
  EXPECT_FALSE(client.read_some(milliseconds(200)));
  it.answer("late");
  EXPECT_EQ(client.read_answer().body, "late");
  EXPECT_FALSE(it.is_stopped());
  // The connection goes on.
  client.send(post("operator"));
  ASSERT_TRUE(eventually([&] { return it.has_come(); }));
  it.answer("again");
  EXPECT_EQ(client.read_answer().body, "again");
  client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(LLM4_relayed, is_stopped_when_its_client_goes) {
  relay it;
  gateway at(it.routes());
  {
    raw_client client(at.port());
    client.send(post("operator"));
    ASSERT_TRUE(eventually([&] { return it.has_come(); }));
    EXPECT_FALSE(it.is_stopped());
  }
  EXPECT_TRUE(eventually([&] { return it.is_stopped(); }));
  it.answer("to nobody");
  EXPECT_TRUE(at.alive());
}

TEST(LLM4_relayed, is_stopped_when_the_server_stops) {
  relay it;
  gateway at(it.routes());
  raw_client client(at.port());
  client.send(post("operator"));
  ASSERT_TRUE(eventually([&] { return it.has_come(); }));
  at.destroy_server();
  EXPECT_TRUE(it.is_stopped());
}

TEST(LLM4_relayed, keeps_a_request_that_comes_meanwhile) {
  relay it;
  gateway at(it.routes());
  raw_client client(at.port());
  client.send(post("operator"));
  ASSERT_TRUE(eventually([&] { return it.has_come(); }));
  client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  it.answer("first");
  EXPECT_EQ(client.read_answer().body, "first");
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(LLM4_relayed, has_refusals_in_its_words_also_where_there_is_no_route) {
  auto routes = basic_routes();
  routes.push_back(simple(
      method::post, "/llm/v1/chat", [](const request&, const responder&) {},
      api::access::operator_));
  routes.back().relays = true;
  gateway at(std::move(routes));
  const auto ask = [&at](const std::string& line, const std::string& more = {}) {
    return at.ask(line + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n");
  };
  const std::string token = "Authorization: Bearer operator\r\n";
  const std::string large = "X-A: " + std::string(17'000, 'a') + "\r\n";
  const std::tuple<answer, int, std::string> rows[] = {
      {ask("GET /llm/v1/nothing", token), 404, "not_found"},
      {ask("GET /llm/v1", token), 404, "not_found"},
      {ask("GET /%6clm/v1/nothing", token), 404, "not_found"},
      {ask("GET /llm/v1/nothing"), 401, "unauthenticated"},
      {ask("GET /llm/v1/chat?a=b", token), 405, "method_not_allowed"},
      {ask("GET /llm/v1/%zz", token), 400, "bad_request"},
      {ask("GET /llm/v1/chat", token + "Host: b\r\n"), 400, "bad_request"},
      {at.ask("GET /llm/v1/chat HTTP/1.1\nHost: a\n\n"), 400, "bad_request"},
      {ask("GET /llm/v1/chat", large), 431, "headers_too_large"},
      {ask("GET /llm/v1/" + std::string(9000, 'a')), 414, "uri_too_long"}};
  for (const auto& [got, status, code] : rows) {
    EXPECT_EQ(got.status, status) << got.head;
    EXPECT_TRUE(got.has("Content-Type: application/json\r\n")) << got.head << status;
    EXPECT_TRUE(got.body.starts_with("{\"error\":{\"message\":\"")) << got.body;
    EXPECT_NE(got.body.find("\"code\":\"" + code + "\""), std::string::npos) << got.body;
  }
  EXPECT_TRUE(std::get<0>(rows[4]).has("Allow: POST, OPTIONS\r\n"));
  for (const std::string path : {"/llm/v2/chat", "/llm/v1x", "/api/llm/v1/chat", "/"}) {
    EXPECT_TRUE(ask("GET " + path, token).has("application/problem+json")) << path;
    EXPECT_TRUE(ask("GET " + path, large).has("application/problem+json")) << path;
  }
  // What an earlier request of the connection was says nothing of the next one.
  raw_client client(at.port());
  client.send("GET /llm/v1/nothing HTTP/1.1\r\nHost: a\r\n" + token + "\r\n");
  EXPECT_EQ(client.read_answer().status, 404);
  client.send("GET /hello\n\n");
  EXPECT_TRUE(client.read_answer().has("application/problem+json"));
}

TEST(LLM4_relayed, has_refusals_in_the_words_of_its_protocol) {
  relay it;
  gateway at(it.routes());
  const std::tuple<std::string, int, std::string> rows[] = {
      {post("nobody"), 401, "authentication_error"},
      {post("viewer"), 403, "permission_error"},
      {post("operator", "{}", "text/plain"), 415, "invalid_request_error"},
      {post("operator", std::string(101, ' ')), 413, "invalid_request_error"}};
  for (const auto& [text, status, type] : rows) {
    const auto got = at.ask(text);
    EXPECT_EQ(got.status, status) << text;
    EXPECT_TRUE(got.has("Content-Type: application/json\r\n")) << got.head;
    EXPECT_NE(got.body.find("\"type\":\"" + type + "\""), std::string::npos) << got.body;
  }
  EXPECT_TRUE(at.ask(post("nobody")).has("WWW-Authenticate"));
  const auto other = at.ask(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
      "Content-Length: 1\r\n\r\nx");
  EXPECT_TRUE(other.has("application/problem+json")) << "the others keep theirs";
}
