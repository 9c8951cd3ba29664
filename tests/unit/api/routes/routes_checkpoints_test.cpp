#include "tests/unit/api/routes/routes_world.hpp"

#include <gtest/gtest.h>

using namespace routes_fixture;

namespace {

/// The head as it is when somebody asks.
struct signing {
  signing() {
    it.sign_head = [this](reply_slot<checkpoint_view> slot) {
      ++asked;
      if (trouble) return slot.answer(*trouble);
      checkpoint_view made;
      made.position = it.reads.head();
      made.epoch = 3;
      made.hash = "ab";
      made.key_id = "key";
      made.signature = "sig";
      made.created_at = {7};
      slot.answer(std::move(made));
    };
  }
  answer post(const std::string& token, const std::string& body = "") {
    return it.ask(token, "POST /api/checkpoints", body);
  }
  world it;
  int asked = 0;
  std::optional<rejection> trouble;
};

}  // namespace

TEST(EV6_checkpoints, the_head_is_signed_on_demand) {
  signing s;
  for (const char* token : {"auditor", "admin"}) {
    const auto got = s.post(token);
    EXPECT_EQ(got.status, 201) << got.body;
    EXPECT_EQ(got.at("position"), std::to_string(s.it.reads.head()));
    EXPECT_EQ(got.at("signature"), "sig");
    EXPECT_EQ(got.header("Reeve-Position"), got.at("position"));
  }
  EXPECT_EQ(s.post("admin", "{}").status, 201);
  EXPECT_EQ(s.asked, 3);
}

TEST(EV6_checkpoints, take_no_key_and_no_precondition) {
  signing s;
  const auto post = [&](const char* field) {
    return s.it.ask("admin", "POST /api/checkpoints", "{}", std::string(field) + "\r\n");
  };
  const auto keyed = post("Idempotency-Key: k");
  EXPECT_EQ(keyed.status, 422) << keyed.body;
  EXPECT_EQ(keyed.at("errors/0/pointer"), "/headers/Idempotency-Key");
  EXPECT_EQ(post("If-Match: \"1\"").status, 412);
  EXPECT_EQ(s.asked, 0);
}

TEST(EV6_checkpoints, nobody_else_may) {
  signing s;
  EXPECT_EQ(s.post("viewer").status, 403);
  EXPECT_EQ(s.post("operator").status, 403);
  EXPECT_EQ(s.post("nobody").status, 401);
  EXPECT_EQ(s.post("admin", R"({"position":1})").at("code"), "unknown_field");
  EXPECT_EQ(s.asked, 0);
}

TEST(P24_checkpoints, what_is_in_the_way_is_for_the_log_only) {
  signing s;
  for (const auto code : {errc::conflict, errc::invalid, errc::unavailable, errc::internal}) {
    s.trouble = reject(code, "/var/lib/reeve/heads.ndjson cannot be written (53100)", "/heads");
    const auto got = s.post("auditor");
    EXPECT_EQ(got.status, 503) << name_of(code);
    EXPECT_EQ(got.at("code"), "unavailable");
    EXPECT_EQ(got.at("detail"), "the head was not signed: the server's log says why");
    EXPECT_EQ(got.at("errors"), "") << "no field was sent";
    EXPECT_EQ(got.header("Retry-After"), code == errc::unavailable ? "1" : "60")
        << "what somebody has to mend is not asked for each second";
    EXPECT_NE(got.at("request_id"), "");
    for (const char* told : {"/var", "heads.ndjson", "53100"}) {
      EXPECT_EQ(got.body.find(told), std::string::npos) << got.body;
    }
  }
  s.trouble = reject(errc::overloaded, "too many heads are waiting to be signed");
  EXPECT_EQ(s.post("admin").at("code"), "overloaded");
}

TEST(EV6_checkpoints, are_listed_for_everybody_in_pages) {
  signing s;
  EXPECT_EQ(s.it.ask("viewer", "GET /api/checkpoints").status, 200);
  EXPECT_EQ(s.it.ask("viewer", "GET /api/checkpoints?limit=0").at("errors/0/pointer"),
            "/query/limit");
  EXPECT_EQ(s.it.ask("viewer", "DELETE /api/checkpoints").status, 405);
}
