// Who was refused stands in the log: the first time at once, then as a count, and nothing of what
// he sent.

#include "tests/support/search.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::must_get;
using support::must_post;
using support::server;
using namespace std::chrono_literals;

namespace {

constexpr const char* system_tenant = "00000000-0000-0000-0000-000000000000";

/// The denials of a tenant, oldest first: [{principal, rule, count}…].
std::vector<json> denials_in(support::pg database, const std::string& tenant) {
  std::vector<json> all;
  const auto rows = database.query(
      "SELECT payload FROM reeve.events WHERE type = 'access_denied' AND tenant = $1::uuid "
      "ORDER BY position",
      {tenant});
  for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(json::parse(*rows.at(i, "payload")));
  return all;
}

json denial(const std::string& principal, const std::string& rule, int count) {
  return {{"principal", principal}, {"rule", rule}, {"count", count}};
}

}  // namespace

TEST(ACC3_denials, of_a_token_are_told_at_once_and_then_counted) {
  server reeve;
  const auto api = reeve.api();
  const auto tenant = support::tenant_of(api);
  const json made = must_post(api, "/api/tokens", {{"name", "looker"}, {"role", "viewer"}}, 201);
  const auto looker = api.as(made.at("token"));
  const std::string who = "token:" + made.at("id").get<std::string>();
  constexpr int tries = 200;
  for (int n = 0; n < tries; ++n) {
    ASSERT_EQ(looker.post("/api/runs/launch", {{"tasks", {"task2"}}}).status, 403);
  }
  EXPECT_EQ(looker.get("/api/runs").status, 200);
  const auto told = [&] { return must_get(api, "/api/events?type=access_denied").at("results"); };
  ASSERT_TRUE(support::eventually([&] { return told().size() == 1; })) << told();
  const json event = told()[0];
  EXPECT_EQ(event.at("payload"), denial(who, "forbidden", 1));
  EXPECT_EQ(event.at("tenant"), tenant);
  // Another rule is another matter.
  const auto unlisted =
      api.post("/api/runs/launch", support::inline_launch({support::shell_task("a", "true")}));
  ASSERT_EQ(unlisted.status, 403) << unlisted.body;
  ASSERT_TRUE(support::eventually([&] { return told().size() == 2; })) << told();
  EXPECT_EQ(told()[1].at("payload").at("rule"), "not_allowlisted");
  EXPECT_EQ(told()[1].at("payload").at("principal"), must_get(api, "/api/whoami").at("principal"));
  EXPECT_EQ(reeve.stop(), 0);
  // The stop writes what was counted and not told yet.
  const auto all = denials_in(reeve.database(), tenant);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2], denial(who, "forbidden", tries - 1));
  reeve.start();
  EXPECT_EQ(reeve.command({"replay"}).status, 0);
  EXPECT_EQ(reeve.command({"verify"}).status, 0);
}

TEST(ACC3_denials, of_strangers_do_not_grow_the_log_and_leave_nothing_of_theirs) {
  server reeve;
  const std::string marker = "MARKER-of-a-stranger-2f7c";
  const auto stranger = reeve.anonymous().as("rv_" + marker);
  auto database = reeve.database();
  ASSERT_TRUE(support::eventually([&] {
    return reeve.anonymous().get("/api/runs").status == 401 &&
           denials_in(reeve.database(), system_tenant).size() == 1;
  }));
  const auto before = database.number("SELECT count(*) FROM reeve.events");
  constexpr int tries = 1000;
  support::http_connection kept(reeve.address());
  for (int n = 0; n < tries; ++n) {
    const auto answer =
        kept.call({"GET",
                   "/api/runs/" + marker + "?" + marker + "=" + marker,
                   {{"Authorization", "Bearer rv_" + marker}, {"User-Agent", marker}},
                   {}});
    ASSERT_EQ(answer.status, 401);
  }
  // Health's and supervision's events may come in between, the denials' may not.
  EXPECT_LE(database.number("SELECT count(*) FROM reeve.events") - before, 5);
  EXPECT_EQ(reeve.stop(), 0);
  const auto all = denials_in(reeve.database(), system_tenant);
  ASSERT_EQ(all.size(), 2U);
  const std::string network = "anonymous:127.0.0.0/24";
  EXPECT_EQ(all[0], denial(network, "unauthenticated", 1));
  EXPECT_GE(all[1].at("count"), tries);
  EXPECT_LE(all[1].at("count"), tries + 10);
  EXPECT_THAT(support::columns_with(database, support::traces_of(marker)), testing::IsEmpty());
  EXPECT_TRUE(support::found_in(reeve.whole_log(), support::traces_of(marker)).empty());
}

TEST(ACC3_denials, are_kept_over_a_log_that_is_away) {
  server reeve;
  const auto api = reeve.api();
  const auto looker = api.as(support::new_token(api, "viewer"));
  const auto tenant = support::tenant_of(api);
  // Requests that are allowed are no denials.
  EXPECT_EQ(looker.get("/api/whoami").status, 200);
  EXPECT_EQ(looker.get("/api/runs/0190a000-0000-7000-8000-000000000000").status, 404);
  EXPECT_TRUE(denials_in(reeve.database(), tenant).empty());
  reeve.database().exec(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
      "datname = current_database()");
  EXPECT_EQ(looker.post("/api/directives", json::object()).status, 403);
  EXPECT_TRUE(
      support::eventually([&] { return denials_in(reeve.database(), tenant).size() == 1; }));
}
