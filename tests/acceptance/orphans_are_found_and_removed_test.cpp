// What a server left on the engine when it died and what belongs to no run any more is found, told
// and removed; what is others' is not touched.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>

using nlohmann::json;
using support::server;
using namespace std::chrono_literals;

namespace {

constexpr const char* absent_run = "0190a000-0000-7000-8000-000000000000";

void make_volume(const support::engine& on, const std::string& name, const json& labels) {
  const auto made = on.call("POST", "/volumes/create", json{{"Name", name}, {"Labels", labels}});
  ASSERT_EQ(made.status, 201) << made.body;
}

bool has_volume(const support::engine& on, const std::string& name) {
  return on.call("GET", "/volumes/" + name).status == 200;
}

long long times_told(support::pg database, const std::string& name, const std::string& action) {
  return database.number(
      "SELECT count(*) FROM reeve.events WHERE type = 'orphan_found' AND payload::json->>'name' = "
      "$1 AND payload::json->>'action' = $2 AND payload::json->>'container_id' = ''",
      {name, action});
}

}  // namespace

TEST(CTR6_volumes, without_a_container_and_a_run_are_removed_and_told) {
  support::server_options options;
  options.docker = support::real_engine();
  options.arguments = {"--reconcile-s", "1", "--orphan-s", "2"};
  server reeve(options);
  const auto api = reeve.api();
  const std::string origin =
      *reeve.database().query("SELECT origin FROM reeve.log").at(0, "origin");
  const support::engine on;
  const support::engine_cleanup cleanup(on, "reeve.instance=" + origin);
  const std::string orphan = "reeve-test-orphan-" + origin;
  const std::string foreign = "reeve-test-foreign-" + origin;
  const support::engine_cleanup others(on, "reeve.test=" + origin);
  make_volume(on, orphan,
              {{"reeve.instance", origin}, {"reeve.run", absent_run}, {"reeve.job", absent_run}});
  make_volume(on, foreign, {{"reeve.instance", absent_run}, {"reeve.test", origin}});

  // A run that goes on keeps its volume meanwhile, and its result.
  support::allow_image(api);
  const json run = support::launch(
      api, support::inline_launch({support::shell_task("t", "sleep 6; echo done")}));
  ASSERT_TRUE(support::eventually([&] { return !has_volume(on, orphan); }));
  EXPECT_TRUE(
      support::eventually([&] { return times_told(reeve.database(), orphan, "removed") == 1; }));
  EXPECT_EQ(times_told(reeve.database(), orphan, "quarantined"), 1);
  const json over = support::await_run(api, run.at("id"));
  EXPECT_EQ(over.at("status"), "success") << over;
  EXPECT_TRUE(has_volume(on, foreign));
  EXPECT_EQ(
      reeve.database().number("SELECT count(*) FROM reeve.events WHERE type = 'orphan_found'"), 2);
}

TEST(CTR6_containers, whose_end_the_log_does_not_know_stay_though_no_run_is_listed) {
  support::server_options options;
  options.docker = support::real_engine();
  options.arguments = {"--reconcile-s", "1", "--orphan-s", "2"};
  server reeve(options);
  const std::string origin =
      *reeve.database().query("SELECT origin FROM reeve.log").at(0, "origin");
  const support::engine on;
  const support::engine_cleanup cleanup(on, "reeve.instance=" + origin);
  support::allow_image(reeve.api());
  const json run =
      support::launch(reeve.api(), support::inline_launch({support::shell_task("t", "sleep 600")}));
  const json started = support::await_started(reeve.api(), run.at("id"), "t");
  const std::string container =
      support::job_named(started, "t").at("attempts").at(0).at("container_name");
  reeve.kill_hard();
  reeve.database().exec("DELETE FROM reeve_read.runs");
  reeve.start();
  const auto times_told = [&](const std::string& action) {
    return reeve.database().number(
        "SELECT count(*) FROM reeve.events WHERE type = 'orphan_found' AND"
        " payload::json->>'name' = $1 AND payload::json->>'action' = $2",
        {container, action});
  };
  ASSERT_TRUE(support::eventually([&] { return times_told("quarantined") == 1; }));
  // One that was seen later and is gone says that this one was due before.
  const std::string later = "reeve-test-later-" + origin;
  make_volume(on, later,
              {{"reeve.instance", origin}, {"reeve.run", absent_run}, {"reeve.job", absent_run}});
  ASSERT_TRUE(support::eventually([&] { return !has_volume(on, later); }));
  EXPECT_TRUE(on.inspect(container).at("State").at("Running"));
  EXPECT_EQ(times_told("removed"), 0);
}
