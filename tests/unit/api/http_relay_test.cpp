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
