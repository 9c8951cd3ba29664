// P30: a read model that cannot be written because somebody holds a lock on its table is late and
// nothing else: whoever asks is answered, a stop ends the server, and nothing is lost.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>

using nlohmann::json;
using support::server;

TEST(P30_follower, behind_a_lock_keeps_no_caller_waiting_and_no_stop) {
  server reeve;
  const json run = support::launch(reeve.api(), {{"tasks", {"task1"}}});
  support::await_run(reeve.api(), run.at("id"));
  const std::string job = run.at("jobs").at(0).at("id");
  const json call = {{"model_name", "m"}, {"prompt_tokens", 3}, {"completion_tokens", 1}};
  support::must_post(reeve.api(), "/api/jobs/" + job + "/llm-calls", call, 201);
  auto other = reeve.database();
  // Reads go on under it.
  other.exec("BEGIN; LOCK TABLE reeve_read.llm_usage IN SHARE MODE");
  support::must_post(reeve.api(), "/api/jobs/" + job + "/llm-calls", call, 201);
  for (const auto& path : {"/api/jobs/" + job, "/api/runs/" + run.at("id").get<std::string>()}) {
    // Late, so it is said that it is; old totals are never given for new ones.
    const auto behind = reeve.api().get(path);
    EXPECT_EQ(behind.status, 503) << behind.body;
    EXPECT_NE(behind.header("Retry-After"), "");
  }
  EXPECT_EQ(reeve.api().get("/api/directives").status, 200);
  EXPECT_EQ(reeve.anonymous().get("/livez").status, 200);
  EXPECT_EQ(reeve.stop(), 0);
  other.exec("ROLLBACK");
  reeve.start();
  const auto calls_told = [&] {
    const auto found = reeve.api().get("/api/jobs/" + job);
    return found.status == 200 ? found.json().at("llm_usage").at("calls").get<int>() : 0;
  };
  EXPECT_TRUE(support::eventually([&] { return calls_told() == 2; })) << calls_told();
}
