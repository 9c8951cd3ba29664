// P21: a token that is revoked opens nothing from then on, also where a request had begun with it.

#include "tests/unit/api/gateway_fixture.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <utility>

using namespace gateway_fixture;

namespace {

class quiet_stream final : public body_stream {
 public:
  void next(reply_slot<std::string>) override { ++pulls; }
  void cancel() override { cancelled = true; }
  std::atomic<bool> cancelled{false};
  std::atomic<int> pulls{0};
};

route guarded(method verb, std::string pattern, handler handle) {
  return simple(verb, std::move(pattern), std::move(handle), api::access::admin);
}

/// A stream of `from`, before which something happens to the token that asks.
route stream_route(const std::shared_ptr<quiet_stream>& from, std::function<void()> before) {
  auto made = guarded(method::get, "/stream",
                      [from, before = std::move(before)](const request&, const responder& slot) {
                        before();
                        response answer;
                        answer.content_type = "text/event-stream";
                        answer.stream = from;
                        slot.answer(std::move(answer));
                      });
  made.streams = true;
  return made;
}

}  // namespace

TEST(P21_http_revoked, a_request_whose_body_comes_later_is_not_done) {
  std::atomic<int> done{0};
  auto routes = basic_routes();
  routes.push_back(guarded(method::post, "/made", [&done](const request&, const responder& slot) {
    ++done;
    slot.answer(text_response("made"));
  }));
  gateway it(std::move(routes));
  const std::string head =
      "POST /made HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin\r\n"
      "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  for (const bool is_revoked : {false, true}) {
    raw_client client(it.port());
    client.send(head);
    ASSERT_EQ(client.read_answer(true).status, 100) << "the head alone was enough for that";
    if (is_revoked) it.revoke("admin");
    client.send("{}");
    const auto got = client.read_answer();
    EXPECT_EQ(got.status, is_revoked ? 401 : 200) << got.body;
    EXPECT_EQ(done, 1);
    if (!is_revoked) continue;
    EXPECT_TRUE(client.at_end());
    ASSERT_EQ(it.denials().size(), 1U);
    EXPECT_EQ(it.denials()[0].code, errc::unauthenticated);
    EXPECT_EQ(it.denials()[0].route, "POST /made");
  }
}

/// Who ends the streams of a token was told of it before there was one.
TEST(P21_http_revoked, a_stream_that_was_asked_for_before_does_not_begin) {
  const auto from = std::make_shared<quiet_stream>();
  gateway* revoking = nullptr;
  auto routes = basic_routes();
  routes.push_back(stream_route(from, [&] { revoking->revoke("admin"); }));
  gateway it(std::move(routes));
  revoking = &it;
  const auto got = it.ask("GET /stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin\r\n\r\n");
  EXPECT_EQ(got.status, 401) << got.body;
  EXPECT_TRUE(from->cancelled);
  EXPECT_EQ(from->pulls, 0);
}

/// It lives, so nobody is to fetch another one.
TEST(ACC1_http_lowered, a_token_whose_role_is_too_low_by_now_is_told_the_role) {
  const auto from = std::make_shared<quiet_stream>();
  gateway* lowering = nullptr;
  std::atomic<int> done{0};
  auto routes = basic_routes();
  routes.push_back(guarded(method::post, "/made", [&done](const request&, const responder& slot) {
    ++done;
    slot.answer(text_response("made"));
  }));
  routes.push_back(stream_route(from, [&] { lowering->lower("admin"); }));
  gateway it(std::move(routes));
  lowering = &it;
  const auto expect_told = [&](const answer& got, const char* route) {
    EXPECT_EQ(got.status, 403);
    EXPECT_NE(got.body.find("it takes the role admin, and this token's is viewer"),
              std::string::npos)
        << got.body;
    ASSERT_FALSE(it.denials().empty());
    const auto denied = it.denials().back();
    EXPECT_EQ(denied.code, errc::forbidden);
    EXPECT_EQ(denied.route, route);
    EXPECT_TRUE(denied.who) << "whose token it is";
  };
  raw_client client(it.port());
  client.send(
      "POST /made HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin\r\n"
      "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_EQ(client.read_answer(true).status, 100);
  it.lower("admin");
  client.send("{}");
  expect_told(client.read_answer(), "POST /made");
  EXPECT_EQ(done, 0);
  it.lower("");
  expect_told(it.ask("GET /stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin\r\n\r\n"),
              "GET /stream");
  EXPECT_TRUE(from->cancelled);
  EXPECT_EQ(from->pulls, 0);
}
