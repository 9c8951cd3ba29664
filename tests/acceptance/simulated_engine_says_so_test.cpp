// Without an engine the server works all the same, and nobody can take what it did for real: every
// answer that it touches says "simulated", and no simulated run is ever a last success.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>

using nlohmann::json;
using support::must_get;
using support::server;
using namespace std::chrono_literals;

TEST(CTR4_simulated, is_said_by_every_answer_that_it_touches) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const json engine = must_get(api, "/api/engine");
  EXPECT_EQ(engine.at("engine"), "simulated");
  EXPECT_EQ(engine.at("available"), true);
  for (const char* name : {"breaker", "version", "live_restore"}) {
    EXPECT_TRUE(engine.contains(name)) << name;
  }
  const json launched =
      support::launch(api, support::inline_launch({support::box_task("a", {"true"})}));
  EXPECT_EQ(launched.at("engine"), "simulated");
  const json run = support::await_run(api, launched.at("id"));
  EXPECT_EQ(run.at("engine"), "simulated");
  EXPECT_EQ(run.at("status"), "success");
  EXPECT_EQ(must_get(api, "/api/runs").at("results").at(0).at("engine"), "simulated");
  const json event =
      must_get(api, "/api/events/" + std::to_string(launched.at("position").get<long>()));
  EXPECT_EQ(event.at("payload").at("expected_engine"), "simulated");
  const json attempt = support::job_named(run, "a").at("attempts").at(0);
  EXPECT_EQ(attempt.at("engine"), "simulated");
  EXPECT_TRUE(attempt.at("image_digest").is_null()) << "it would be made up";
  const std::string job = support::job_named(run, "a").at("id");
  for (const json& one :
       {support::job_named(run, "a"), must_get(api, "/api/jobs/" + job),
        json(must_get(api, "/api/jobs").at("results").at(0)),
        json(must_get(api, "/api/runs/" + run.at("id").get<std::string>() + "/jobs")
                 .at("results")
                 .at(0))}) {
    EXPECT_EQ(one.at("engine"), "simulated");
    EXPECT_EQ(one.dump().find("sha256:"), std::string::npos) << one;
  }
  EXPECT_EQ(reeve.anonymous().get("/readyz").status, 200);
}

TEST(RUN5_simulated, fails_retries_and_keeps_to_the_order_of_needs) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const json launched = support::launch(
      api, support::inline_launch(
               {support::box_task("first", {"exit", "3"}),
                support::box_task("after", {"true"}, json::object(), {{"needs", {"first"}}}),
                support::box_task("apart", {"true"})},
               {{"retries", 2}, {"retry_base_ms", 10}}));
  const json run = support::await_run(api, launched.at("id"));
  EXPECT_EQ(run.at("status"), "partial");
  const json first = support::job_named(run, "first");
  EXPECT_EQ(first.at("status"), "failed");
  EXPECT_EQ(first.at("reason"), "exited");
  ASSERT_EQ(first.at("attempts").size(), 3U);
  for (const json& attempt : first.at("attempts")) EXPECT_EQ(attempt.at("exit_code"), 3);
  const json after = support::job_named(run, "after");
  EXPECT_EQ(after.at("status"), "cancelled");
  EXPECT_EQ(after.at("reason"), "need_failed");
  EXPECT_TRUE(after.at("attempts").empty());
  EXPECT_EQ(support::job_named(run, "apart").at("status"), "success");
}

TEST(RUN5_simulated, cancels_what_sleeps_and_what_waits) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const json launched = support::launch(
      api, support::inline_launch(
               {support::box_task("long", {"sleep", "30"}),
                support::box_task("next", {"true"}, json::object(), {{"needs", {"long"}}})}));
  const std::string id = launched.at("id");
  support::await_job(api, id, "long", "running");
  const auto answer = api.post("/api/runs/" + id + "/cancel", json::object());
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.json().at("cancel_requested"), true);
  const json run = support::await_run(api, id, 5s);
  EXPECT_EQ(run.at("status"), "cancelled");
  EXPECT_EQ(support::job_named(run, "long").at("reason"), "cancelled");
  EXPECT_EQ(support::job_named(run, "next").at("status"), "cancelled");
  EXPECT_EQ(api.post("/api/runs/" + id + "/cancel", json::object()).status, 409);
  const json ends = must_get(api, "/api/events?stream=run-" + id + "&type=run_finished");
  EXPECT_EQ(ends.at("results").size(), 1U);
  EXPECT_EQ(
      api.post("/api/runs/0190a000-0000-7000-8000-000000000000/cancel", json::object()).status,
      404);
}

TEST(RUN5_simulated, ends_an_attempt_at_its_timeout) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const json launched = support::launch(
      api, support::inline_launch(
               {support::box_task("long", {"sleep", "30"}, json::object(), {{"timeout_s", 1}})}));
  const json run = support::await_run(api, launched.at("id"), 6s);
  EXPECT_EQ(run.at("status"), "failed");
  EXPECT_EQ(support::job_named(run, "long").at("reason"), "timed_out");
}

TEST(RUN6_simulated, is_never_a_last_success) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const json directive = support::must_post(
      api, "/api/directives",
      {{"name", "d"}, {"tasks", json::array({support::box_task("a", {"true"})})}}, 201);
  const std::string id = directive.at("id");
  const json first = support::launch(api, {{"directive_id", id}});
  EXPECT_EQ(support::await_run(api, first.at("id")).at("status"), "success");
  const json second = support::launch(api, {{"directive_id", id}, {"since", "last_success"}});
  const json event =
      must_get(api, "/api/events/" + std::to_string(second.at("position").get<long>()));
  EXPECT_TRUE(support::without_nulls(event.at("payload")).value("since_run", json()).is_null());
  // So everything still counts as new.
  EXPECT_EQ(must_get(api, "/api/runs?since=last_success&directive=" + id).at("results").size(), 2U);
  EXPECT_EQ(api.get("/api/runs?since=last_success").status, 422);
}

TEST(RUN4_retry, is_a_new_run_of_the_same_snapshot) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const json first =
      support::launch(api, support::inline_launch({support::box_task("a", {"exit", "4"})}));
  const std::string id = first.at("id");
  EXPECT_EQ(support::await_run(api, id).at("status"), "failed");
  const json again = support::must_post(api, "/api/runs/" + id + "/retry", json::object(), 201);
  EXPECT_NE(again.at("id"), id);
  EXPECT_EQ(again.at("retry_of"), id);
  EXPECT_EQ(again.at("directive_snapshot").at("tasks"), first.at("directive_snapshot").at("tasks"));
  EXPECT_EQ(support::await_run(api, again.at("id")).at("status"), "failed");
  EXPECT_EQ(must_get(api, "/api/runs/" + id).at("status"), "failed");
}

TEST(P9_retry, runs_the_old_snapshot_whatever_became_of_the_directive) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const auto tasks = [](const char* name) {
    return json::array({support::box_task(name, {"true"})});
  };
  const json directive =
      support::must_post(api, "/api/directives", {{"name", "d"}, {"tasks", tasks("old")}}, 201);
  const std::string id = directive.at("id");
  const json first = support::launch(api, {{"directive_id", id}});
  const std::string run = first.at("id");
  EXPECT_EQ(support::await_run(api, run).at("status"), "success");
  const auto newer =
      api.post("/api/directives/" + id + "/versions", {{"name", "d"}, {"tasks", tasks("new")}});
  ASSERT_LT(newer.status, 300) << newer.body;
  const json again = support::must_post(api, "/api/runs/" + run + "/retry", json::object(), 201);
  EXPECT_EQ(again.at("directive_snapshot"), first.at("directive_snapshot"));
  EXPECT_EQ(again.at("directive_id"), id);
  EXPECT_EQ(again.at("directive_version"), 1);
  const json ended = support::await_run(api, again.at("id"));
  EXPECT_EQ(support::job_named(ended, "old").at("status"), "success");
  EXPECT_EQ(api.post("/api/runs/" + run + "/retry", {{"directive_id", id}}).status, 422);
}

/// The simulated engine invents what images are: nothing of that may bind a real one.
TEST(CTR4_simulated, pins_no_image_for_the_engine_that_comes_later) {
  support::server_options options;
  const support::scratch_dir folder(support::work_dir() / "servers", "later");
  options.data = folder.path() / "data";
  const support::test_database database;
  options.database_url = database.url();
  const json task = support::inline_launch({support::box_task("a", {"true"})});
  std::string path = "/api/allowlists/images/";
  {
    server simulated(options);
    const auto api = simulated.api();
    const json entry = support::allow_image(api);
    EXPECT_TRUE(entry.at("digest").is_null()) << entry;
    path += entry.at("id").get<std::string>() + "/resolve";
    EXPECT_EQ(support::await_run(api, support::launch(api, task).at("id")).at("status"), "success");
    EXPECT_EQ(api.post(path, json::object()).status, 409) << "nobody has such an image";
    EXPECT_EQ(simulated.stop(), 0);
  }
  options.docker = support::real_engine();
  server real(options);
  const auto api = real.api();
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(api));
  ASSERT_TRUE(
      support::eventually([&] { return must_get(api, "/api/engine").at("available") == true; }));
  const json run = support::await_run(api, support::launch(api, task).at("id"));
  EXPECT_EQ(run.at("status"), "success") << run.dump(1);
  EXPECT_EQ(run.at("engine"), "docker");
  const json pinned = support::must_post(api, path, json::object(), 200);
  EXPECT_EQ(pinned.at("digest").get<std::string>().substr(0, 7), "sha256:");
  EXPECT_EQ(support::await_run(api, support::launch(api, task).at("id")).at("status"), "success");
}

TEST(CTR4_simulated, never_replaces_a_real_engine_that_was_seen) {
  support::server_options options;
  options.docker = support::real_engine();
  const support::scratch_dir folder(support::work_dir() / "servers", "seen");
  options.data = folder.path() / "data";
  const support::test_database database;
  options.database_url = database.url();
  {
    server real(options);
    EXPECT_EQ(must_get(real.api(), "/api/engine").at("engine"), "docker");
    EXPECT_TRUE(support::eventually(
        [&] { return must_get(real.api(), "/api/engine").at("available") == true; }));
    auto look = real.database();
    ASSERT_TRUE(support::eventually([&] {
      return look.number("SELECT count(*) FROM reeve.events WHERE type = 'engine_seen'") > 0;
    }));
    EXPECT_EQ(real.stop(), 0);
  }
  options.docker = "unix://" + (support::work_dir() / "no-such-socket").string();
  server without(options);
  const json engine = must_get(without.api(), "/api/engine");
  EXPECT_EQ(engine.at("engine"), "docker");
  EXPECT_EQ(engine.at("available"), false);
}
