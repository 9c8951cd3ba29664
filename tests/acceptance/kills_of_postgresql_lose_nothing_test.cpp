// kill -9 of PostgreSQL while clients post: what was acknowledged is in the log, a request whose
// answer was lost is done once, and the server goes on by itself.

#include "tests/support/chaos.hpp"
#include "tests/support/private_cluster.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>

using nlohmann::json;
using support::server;
using support::steady_clients;
using namespace std::chrono_literals;

namespace {

constexpr int kills_of_database = 5;

class postgresql_killed : public testing::TestWithParam<int> {};

}  // namespace

TEST_P(postgresql_killed, loses_nothing_and_does_nothing_twice) {
  support::dice dice;
  support::private_cluster cluster;
  support::server_options options;
  options.database_url = cluster.create_database("killed");
  server reeve(options);
  steady_clients clients(
      {3, 1000, 10ms,
       [](const std::string&) {
         return steady_clients::request{"/api/runs/launch", {{"tasks", {"task1"}}}};
       }},
      reeve.api());
  for (int n = 0; n < kills_of_database; ++n) {
    // Each time something was acknowledged in between.
    const auto before = clients.count();
    ASSERT_TRUE(support::eventually([&] { return clients.count() > before; })) << n;
    support::breathe(dice.moment(10, 500));
    cluster.kill_hard();
    EXPECT_EQ(reeve.anonymous().get("/livez").status, 200);
    support::breathe(dice.moment(0, 300));
    cluster.start();
    ASSERT_TRUE(reeve.running()) << "the server ended with the database";
  }
  const auto all = clients.finish();
  EXPECT_EQ(clients.unexpected(), std::vector<std::string>());
  EXPECT_GE(all.size(), 20U);
  EXPECT_TRUE(support::eventually([&] {
    return reeve.database().number(
               "SELECT count(*) FROM reeve_read.runs WHERE status IN "
               "('pending', 'running')") == 0;
  }));
  support::expect_done_once(reeve, all, "run-", "run_launched");
  support::expect_whole_log(reeve);
  EXPECT_EQ(reeve.stop(), 0);
}
INSTANTIATE_TEST_SUITE_P(P1_P3, postgresql_killed, testing::Range(0, 2));

TEST(P1_postgresql, that_is_away_is_said_and_nothing_is_acknowledged_meanwhile) {
  support::private_cluster cluster;
  support::server_options options;
  options.database_url = cluster.create_database("away");
  server reeve(options);
  const auto api = reeve.api();
  const json directive = {{"name", "d"}, {"tasks", {"task1"}}};
  EXPECT_EQ(api.post("/api/directives", directive).status, 201);
  cluster.kill_hard();
  // Whoever asks with a key may ask again; nobody is told that it was done.
  int status = 0;
  ASSERT_TRUE(support::eventually([&] {
    const auto answer = api.post("/api/directives", directive, {{"Idempotency-Key", "k"}});
    status = answer.status;
    return status == 503;
  })) << status;
  cluster.start();
  ASSERT_TRUE(support::eventually([&] {
    return api.post("/api/directives", directive, {{"Idempotency-Key", "k"}}).status == 201;
  }));
  auto database = reeve.database();
  EXPECT_EQ(database.number("SELECT count(*) FROM reeve.events WHERE type = 'directive_created' "
                            "AND principal LIKE 'token:%'"),
            2);
  support::expect_whole_log(reeve);
}
