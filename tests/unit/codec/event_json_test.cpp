// An event as one JSON object, for each kind of reader.

#include "codec/event_json.hpp"

#include "codec/json.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using enum domain::event_reader;

domain::event_record made(std::string payload, int format = domain::payload_json) {
  domain::event_record e;
  e.position = 7;
  e.type = "token_created";
  e.payload = std::move(payload);
  e.payload_format = format;
  return e;
}

TEST(P17_event_json, gives_no_digest_of_a_request_that_is_not_shown_whole) {
  auto e = made(R"({"id":"a","name":"robot","role":"viewer"})");
  e.meta.request_digest = sha256(R"({"name":"robot","role":"viewer"})");
  const auto digest = R"("request_digest":")" + to_hex(*e.meta.request_digest);
  EXPECT_EQ(codec::event_json(e, member).find(digest), std::string::npos);
  EXPECT_NE(codec::event_json(e, member).find(R"("request_digest":null)"), std::string::npos);
  EXPECT_NE(codec::event_json(e, domain::event_reader::admin).find(digest), std::string::npos);
}

TEST(P17_event_json, leaves_out_what_the_reader_is_not_shown) {
  const auto e = made(R"({"id":"a","name":"robot","role":"viewer","secret_hash":"0f"})");
  const auto has = [&e](domain::event_reader who, std::string_view text) {
    const auto json = codec::event_json(e, who);
    EXPECT_TRUE(codec::parse_strict(json)) << json;
    return json.find(text) != std::string::npos;
  };
  EXPECT_TRUE(has(member, R"("payload":{"id":"a"},"is_partial":true,)"));
  EXPECT_TRUE(
      has(admin, R"("payload":{"id":"a","name":"robot","role":"viewer"},"is_partial":true,)"));
  EXPECT_TRUE(has(auditor, R"("payload":)" + e.payload + R"(,"payload_format":0,)"));
}

TEST(ACC4_event_json, names_secrets_to_admins_and_says_where_they_lie_to_nobody) {
  auto e = made(R"({"name":"db","version":1,"value":"v","value_digest":"0f"})");
  e.type = "secret_put";
  e.meta.request_digest = sha256("x");
  EXPECT_NE(codec::event_json(e, member).find(R"("payload":{},"is_partial":true)"),
            std::string::npos);
  const auto shown = codec::event_json(e, admin);
  EXPECT_NE(shown.find(R"("payload":{"name":"db","version":1},"is_partial":true)"),
            std::string::npos);
  EXPECT_NE(shown.find(R"("request_digest":null)"), std::string::npos);
  e = made(R"({"name":"db","version":1})");
  e.type = "secret_deleted";
  EXPECT_EQ(codec::event_json(e, member).find("db"), std::string::npos);
}

/// What cannot be taken apart, or has a member that this program does not know, is no way round.
TEST(P17_event_json, shows_nothing_of_what_it_does_not_know) {
  for (const auto& e : {made("c2VhbGVk", domain::payload_sealed), made("not json"), made("[\"x\"]"),
                        made(R"({"id":"a","nickname":"robot"})")}) {
    const auto json = codec::event_json(e, member);
    ASSERT_TRUE(codec::parse_strict(json)) << json;
    EXPECT_NE(json.find(R"("is_partial":true)"), json.npos) << json;
    for (const char* part : {"c2VhbGVk", "not json", "x\"]", "robot", "nickname"}) {
      EXPECT_EQ(json.find(part), json.npos) << json;
    }
  }
  EXPECT_EQ(codec::event_json(made(R"({"id":"a"})"), member).find("is_partial"), std::string::npos);
}

TEST(EV10_event_json, is_whole_for_everybody_where_nothing_is_for_few) {
  auto e = made(R"({"a":1})");
  e.type = "run_launched";
  const auto json = codec::event_json(e, member);
  EXPECT_EQ(json, codec::event_json(e, auditor));
  EXPECT_NE(json.find(R"("payload":{"a":1},"payload_format":0,)"), json.npos) << json;
}

}  // namespace
