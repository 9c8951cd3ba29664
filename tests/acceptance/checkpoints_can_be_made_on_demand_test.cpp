// EV6: whoever audits has the head of the chain signed at once, and nobody else has.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <fstream>
#include <gtest/gtest.h>

using nlohmann::json;
using support::must_get;
using support::must_post;
using support::server;

namespace {

std::string token_for(const support::api_client& api, const char* role) {
  return must_post(api, "/api/tokens", {{"name", role}, {"role", role}}, 201).at("token");
}

long head_of(const support::api_client& api) {
  return must_get(api, "/api/events?order=desc&limit=1").at("head").get<long>();
}

}  // namespace

TEST(EV6_checkpoints, are_made_at_once_for_auditor_and_admin) {
  server reeve;
  const auto api = reeve.api();
  const auto auditor = api.as(token_for(reeve.system_api(), "auditor"));
  const json made = must_post(auditor, "/api/checkpoints", json::object(), 201);
  EXPECT_EQ(made.at("position").get<long>(), head_of(auditor));
  const json again = must_post(api, "/api/checkpoints", json::object(), 201);
  EXPECT_EQ(again, made) << "nothing happened in between: it is the same head";

  must_post(api, "/api/directives", {{"name", "d"}, {"tasks", {"task1"}}}, 201);
  const json later = must_post(api, "/api/checkpoints", json::object(), 201);
  EXPECT_GT(later.at("position"), made.at("position"));
  EXPECT_EQ(later.at("key_id"), made.at("key_id"));

  const json newest = must_get(auditor, "/api/checkpoints?limit=1");
  EXPECT_EQ(newest.at("results").at(0), later) << "the list shows what the request answered";
  const json older =
      must_get(auditor, "/api/checkpoints?limit=1&cursor=" + newest.at("next").get<std::string>());
  EXPECT_EQ(older.at("results").at(0), made);

  // Outside of the database as well.
  std::ifstream file(reeve.data() / "heads.ndjson");
  json last;
  for (std::string line; std::getline(file, line);) last = json::parse(line);
  EXPECT_EQ(last.at("position"), later.at("position"));
  EXPECT_EQ(last.at("signature"), later.at("signature"));
}

TEST(EV6_checkpoints, are_refused_to_everybody_else) {
  server reeve;
  const auto api = reeve.api();
  const auto before = must_get(api, "/api/checkpoints").at("results");
  for (const char* role : {"viewer", "operator"}) {
    const auto refused = api.as(token_for(api, role)).post("/api/checkpoints", json::object());
    EXPECT_EQ(refused.status, 403) << role << ": " << refused.body;
  }
  EXPECT_EQ(reeve.anonymous().post("/api/checkpoints", json::object()).status, 401);
  EXPECT_EQ(api.post("/api/checkpoints", {{"position", 1}}).status, 422);
  EXPECT_EQ(must_get(api, "/api/checkpoints").at("results"), before);
}

TEST(P24_checkpoints, that_cannot_be_made_blame_no_client_and_name_no_file) {
  server reeve;
  const auto api = reeve.api();
  must_post(api, "/api/checkpoints", json::object(), 201);
  std::ofstream(reeve.data() / "heads.ndjson", std::ios::app) << "no head\n";
  must_post(api, "/api/directives", {{"name", "d"}, {"tasks", {"task1"}}}, 201);
  const auto refused = api.post("/api/checkpoints", json::object());
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(refused.json().at("code"), "unavailable");
  EXPECT_EQ(refused.header("Retry-After"), "60");
  EXPECT_FALSE(refused.json().contains("errors")) << "no field was sent";
  EXPECT_EQ(refused.body.find("heads.ndjson"), std::string::npos) << refused.body;
  const json paths = must_get(api, "/api/openapi.json").at("paths");
  EXPECT_TRUE(paths.at("/api/checkpoints").at("post").at("responses").contains("503"));
  EXPECT_NE(reeve.whole_log().find("heads.ndjson is no signed head"), std::string::npos);
}
