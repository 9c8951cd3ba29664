// P12, P17: what one tenant's jobs do to the engine does not reach another one's.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/watchdog.hpp"
#include "tests/support/work.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <sstream>
#include <string>

using nlohmann::json;
using support::box_task;
using support::inline_launch;
using support::must_post;
using support::server;
using support::shell_task;
using namespace std::chrono_literals;

namespace {

class CTR3_neighbours : public ::testing::Test {
 protected:
  CTR3_neighbours() {
    // Dozens of containers, and the tests of this file run side by side.
    support::allow_time(std::chrono::seconds(240));
    support::allow_image(reeve_.api());
  }
  json run(const json& task) {
    return support::await_run(reeve_.api(),
                              support::launch(reeve_.api(), inline_launch({task})).at("id"), 60s);
  }
  /// Calls that the engine did not answer, or not as one that is well: they hold up a start.
  std::int64_t unanswered() {
    std::istringstream metrics(reeve_.api().get("/metrics").body);
    std::int64_t sum = 0;
    for (std::string line; std::getline(metrics, line);) {
      if (line.rfind("reeve_engine_errors_total{", 0) != 0) continue;
      const bool counts = std::ranges::any_of(
          std::array{"timed_out", "internal", "engine_unreadable"},
          [&](const char* code) { return line.find(code) != std::string::npos; });
      if (counts) sum += std::stoll(line.substr(line.rfind(' ')));
    }
    return sum;
  }
  static support::server_options options() {
    support::server_options options;
    options.docker = support::real_engine();
    return options;
  }

  server reeve_{options()};
  support::engine on_;
  support::engine_cleanup cleanup_{on_, "reeve.tenant=" + support::tenant_of(reeve_.api())};
};

TEST_F(CTR3_neighbours, P12_jobs_that_ignore_sigterm_hold_up_nobody_for_their_grace) {
  constexpr int more_than_calls_at_once = 10;
  std::vector<json> tasks;
  for (int i = 0; i < more_than_calls_at_once; ++i) {
    tasks.push_back(shell_task("s" + std::to_string(i),
                               "trap '' TERM; echo set; while :; do sleep 1; done",
                               {{"memory_mb", 16}}));
  }
  const auto run_id =
      support::launch(
          reeve_.api(),
          inline_launch(tasks, {{"stop_grace_s", 300}, {"max_parallel", more_than_calls_at_once}}))
          .at("id")
          .get<std::string>();
  for (const auto& task : tasks) {
    support::await_started(reeve_.api(), run_id, task.at("name"), 120s);
  }
  for (const auto& container : on_.containers("reeve.run=" + run_id)) {
    const std::string its_log = "/containers/" + container.at("Id").get<std::string>() + "/logs";
    ASSERT_TRUE(support::eventually([&] {
      return on_.call("GET", its_log + "?stdout=1").body.find("set") != std::string::npos;
    }));
  }
  must_post(reeve_.api(), "/api/runs/" + run_id + "/cancel", json::object(), 202);
  ASSERT_TRUE(support::eventually([&] {
    const auto told =
        support::must_get(reeve_.api(), "/api/events?type=stop_intended&stream=run-" + run_id);
    return told.at("results").size() == tasks.size();
  }));
  EXPECT_EQ(run(box_task("other", {"true"})).at("status"), "success");
}

/// The time for a start runs from the turn: what has its turn together uses it up together.
TEST_F(CTR3_neighbours, RUN19_a_burst_of_jobs_has_its_turns_as_its_starts_come) {
  constexpr int burst = 24, starts_at_once = 8;
  const json limits = {{"timeout_s", 60 * support::time_factor()}};
  const auto before = unanswered();
  std::vector<std::string> runs;
  for (int i = 0; i < burst; ++i) {
    const auto launch = inline_launch({box_task("t", {"true"}, {{"memory_mb", 16}})}, limits);
    runs.push_back(support::launch(reeve_.api(), launch).at("id"));
  }
  for (const auto& id : runs) {
    const json over = support::await_run(reeve_.api(), id, 120s);
    EXPECT_EQ(over.at("status"), "success") << over.dump(1);
  }
  auto database = reeve_.database();
  const auto most = database.number(
      "SELECT max(open) FROM (SELECT sum(CASE type WHEN 'attempt_intended' THEN 1 ELSE -1 END) "
      "OVER (ORDER BY position) AS open FROM reeve.events "
      "WHERE type IN ('attempt_intended', 'attempt_started')) AS each");
  EXPECT_GE(most, 1);
  // Nobody waits for one that the engine holds up.
  EXPECT_LE(most, starts_at_once + unanswered() - before);
}

/// The marker of an execution lies on a volume of ours; an image that brings one along for the same
/// place would take it elsewhere, for itself and for whatever is prepared with it.
TEST_F(CTR3_neighbours, P10_an_image_with_a_volume_below_ours_is_refused_and_harms_nobody) {
  const std::string box =
      on_.create("reeve-test-volume-box", {{"Image", support::box_image}, {"Cmd", {"true"}}});
  const auto made = on_.call("POST", "/commit?container=" + box +
                                         "&repo=localhost:1/volume-box&tag=1"
                                         "&changes=VOLUME%20%2Freeve%2Fstate");
  on_.remove(box);
  ASSERT_EQ(made.status, 201) << made.body;
  support::allow_image(reeve_.api(), "localhost:1/volume-box:1");
  json hostile = box_task("hostile", {"true"});
  hostile["params"]["image"] = "localhost:1/volume-box:1";
  for (int round = 0; round < 2; ++round) {
    const auto refused = run(hostile);
    EXPECT_EQ(refused.at("status"), "failed");
    EXPECT_EQ(support::job_named(refused, "hostile").at("reason"), "engine_refused") << refused;
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(run(box_task("other", {"true"})).at("status"), "success");
    }
  }
  on_.call("DELETE", "/images/localhost:1/volume-box:1");
}

}  // namespace
