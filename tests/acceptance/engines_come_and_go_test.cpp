// A container engine that is not there, comes, goes or freezes: the server answers, says what it
// sees, jobs wait and then run for real. Nothing is ever simulated instead.

#include "tests/support/chaos.hpp"
#include "tests/support/engine.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/unix_proxy.hpp"
#include "tests/support/work.hpp"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>

using nlohmann::json;
using support::must_get;
using support::server;
using namespace std::chrono_literals;

namespace {

bool engine_is(const support::api_client& api, bool available) {
  return support::eventually([&] {
    const json engine = must_get(api, "/api/engine");
    EXPECT_EQ(engine.at("engine"), "docker");
    return engine.at("available") == available;
  });
}

json launch_one(const support::api_client& api, const std::string& script) {
  return support::launch(api, support::inline_launch({support::shell_task("t", script)}));
}

/// 100 ms are promised; on a busy machine five times that are asserted.
constexpr auto answered_within = 500ms;

/// How long the slowest of the fastest nine tenths of the answers took.
std::chrono::milliseconds nine_tenths_within(const support::api_client& api) {
  std::vector<std::chrono::steady_clock::duration> all;
  for (int n = 0; n < 40; ++n) {
    const auto began = std::chrono::steady_clock::now();
    must_get(api, n % 2 == 0 ? "/api/runs" : "/api/engine");
    all.push_back(std::chrono::steady_clock::now() - began);
  }
  std::sort(all.begin(), all.end());
  return std::chrono::duration_cast<std::chrono::milliseconds>(all[35]);
}

}  // namespace

TEST(CTR4_absent_engine, makes_jobs_wait_until_it_is_there) {
  const support::scratch_dir folder(support::work_dir(), "e");
  const auto socket = folder.path() / "sock";
  support::server_options options;
  options.docker = "unix://" + socket.string();
  server reeve(options);
  const auto api = reeve.api();
  ASSERT_TRUE(engine_is(api, false));
  const auto ready = reeve.anonymous().get("/readyz?verbose");
  EXPECT_EQ(ready.status, 200) << "jobs wait";
  EXPECT_EQ(ready.json().at("degraded"), json::array({"engine: docker, unavailable"}));
  for (const json& check : ready.json().at("checks")) {
    EXPECT_EQ(check.at("ok"), check.at("name") != "engine") << check;
  }
  // A pattern names no image that would have to be looked at.
  support::allow_image(api, "localhost:1/*");
  const json run = launch_one(api, "echo real");
  const std::string id = run.at("id");
  auto database = reeve.database();
  ASSERT_TRUE(support::eventually([&] {
    return database.number(
               "SELECT count(*) FROM reeve.events WHERE stream = $1 AND type = "
               "'job_waiting'",
               {"run-" + id}) > 0;
  }));
  EXPECT_FALSE(support::is_over(must_get(api, "/api/runs/" + id)));

  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(api));
  std::filesystem::create_symlink(support::engine_socket(), socket);
  ASSERT_TRUE(engine_is(api, true));
  const json done = support::await_run(api, id);
  EXPECT_EQ(done.at("status"), "success") << done.dump(1);
  EXPECT_EQ(done.at("engine"), "docker");
  EXPECT_EQ(support::log_of(api, done.at("jobs").at(0).at("id")), "real\n");

  // It goes again: again jobs wait, also over a restart of the server, and one can be cancelled.
  std::filesystem::remove(socket);
  ASSERT_TRUE(engine_is(api, false));
  const json waiting = launch_one(api, "echo again");
  const json given_up = launch_one(api, "echo never");
  reeve.crash_and_restart();
  const auto later = reeve.api();
  const std::string never = given_up.at("id");
  EXPECT_EQ(later.post("/api/runs/" + never + "/cancel", json::object()).status, 202);
  EXPECT_EQ(support::await_run(later, never).at("status"), "cancelled");
  std::filesystem::create_symlink(support::engine_socket(), socket);
  EXPECT_EQ(support::await_run(later, waiting.at("id")).at("status"), "success");
  support::expect_whole_log(reeve);
}

TEST(CTR8_absent_engine, makes_no_entry_that_it_would_have_to_be_asked_about) {
  const support::scratch_dir folder(support::work_dir(), "e");
  const auto socket = folder.path() / "sock";
  support::server_options options;
  options.docker = "unix://" + socket.string();
  server reeve(options);
  const auto api = reeve.api();
  ASSERT_TRUE(engine_is(api, false));
  const std::string images = "/api/allowlists/images";
  const std::string containers = "/api/allowlists/containers";
  const std::vector<std::pair<std::string, json>> asked{
      {images, {{"reference", support::box_image}}}, {containers, {{"name", "web"}}}};
  for (const auto& [path, body] : asked) {
    const auto refused = api.post(path, body);
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_EQ(refused.json().at("type"), "urn:reeve:error:engine_unavailable");
    EXPECT_EQ(refused.header("Retry-After"), "1");
    EXPECT_EQ(must_get(api, path).at("results").size(), 0U);
  }
  // What is wrong in itself is told first, and what names nothing of the engine's needs no answer.
  EXPECT_EQ(api.post(images, {{"reference", "Upper"}}).status, 422);
  EXPECT_EQ(api.post(containers, {{"name", "a b;c"}}).status, 422);
  support::allow_image(api, "localhost:1/other*");
  const std::string id(64, 'a');
  support::must_post(api, containers, {{"name", "web"}, {"container_id", id}}, 201);

  std::filesystem::create_symlink(support::engine_socket(), socket);
  ASSERT_TRUE(engine_is(api, true));
  const json entry = support::allow_image(api);
  EXPECT_EQ(entry.at("digest").get<std::string>().substr(0, 7), "sha256:");
}

TEST(CTR4_absent_engine, that_was_away_while_a_job_ran_may_have_lost_output) {
  const support::scratch_dir folder(support::work_dir(), "e");
  support::unix_proxy network(folder.path() / "sock", support::engine_socket());
  support::server_options options;
  options.docker = "unix://" + (folder.path() / "sock").string();
  const support::tally starts;
  options.environment["REEVE_MOUNT_ROOTS"] = starts.root();
  server reeve(options);
  const auto api = reeve.api();
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(api));
  support::allow_image(api);
  const json run = support::launch(api, support::inline_launch({starts.gated("t", "echo said")}));
  support::await_started(api, run.at("id"), "t");
  network.cut_off();
  ASSERT_TRUE(engine_is(api, false));
  network.let_in();
  ASSERT_TRUE(engine_is(api, true));
  starts.let_go();
  const json late = support::await_run(api, run.at("id")).at("jobs").at(0);
  EXPECT_EQ(late.at("status"), "success") << late.dump(1);
  EXPECT_EQ(late.at("attempts").at(0).at("log_incomplete"), true);
  const std::string id = late.at("id");
  EXPECT_EQ(api.get("/api/jobs/" + id + "/logs").header("Reeve-Log"), "incomplete");
  const auto shown = reeve.command({"runs", "logs", id});
  EXPECT_EQ(shown.status, 0);
  EXPECT_NE(shown.output.find("said\n"), std::string::npos) << shown.output;
  EXPECT_NE(shown.output.find("may be missing"), std::string::npos) << shown.output;

  const json calm = support::await_run(api, launch_one(api, "echo all").at("id"));
  const json whole = calm.at("jobs").at(0);
  EXPECT_EQ(whole.at("attempts").at(0).at("log_incomplete"), false);
  const std::string other = whole.at("id");
  EXPECT_EQ(api.get("/api/jobs/" + other + "/logs").header("Reeve-Log"), "whole");
}

TEST(P12_frozen_engine, opens_the_breaker_and_the_api_answers_as_always) {
  support::private_dockerd dockerd;
  support::server_options options;
  options.docker = dockerd.url();
  server reeve(options);
  const auto api = reeve.api();
  const support::engine_cleanup cleanup(dockerd.api(), "reeve.tenant=" + support::tenant_of(api));
  support::allow_image(api);
  ASSERT_TRUE(engine_is(api, true));
  const json before = launch_one(api, "sleep 2; echo outlived it");
  support::await_started(api, before.at("id"), "t");
  dockerd.pause();
  const json during = launch_one(api, "echo thawed");
  EXPECT_LT(nine_tenths_within(api), answered_within * support::time_factor());
  ASSERT_TRUE(engine_is(api, false));
  EXPECT_EQ(must_get(api, "/api/engine").at("breaker"), "open");
  EXPECT_LT(nine_tenths_within(api), answered_within * support::time_factor());
  EXPECT_FALSE(support::is_over(must_get(api, "/api/runs/" + during.at("id").get<std::string>())));
  dockerd.resume();
  ASSERT_TRUE(engine_is(api, true));
  EXPECT_EQ(support::await_run(api, during.at("id")).at("status"), "success");
  const json outlived = support::await_run(api, before.at("id"));
  EXPECT_EQ(outlived.at("status"), "success") << outlived.dump(1);
  EXPECT_EQ(support::log_of(api, outlived.at("jobs").at(0).at("id")), "outlived it\n");
  EXPECT_EQ(must_get(api, "/api/engine").at("breaker"), "closed");
}
