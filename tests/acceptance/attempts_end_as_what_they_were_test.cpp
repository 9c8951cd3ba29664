// What others do to a job's container, and when: the attempt ends as what it was, and its command
// is executed once.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/unix_proxy.hpp"
#include "tests/support/work.hpp"

#include <ctime>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

using nlohmann::json;
using support::job_named;
using support::must_get;
using support::server;
using support::shell_task;
using namespace std::chrono_literals;

namespace {

class here {
 public:
  explicit here(std::vector<std::string> arguments = {})
      : reeve_(options_with(starts, std::move(arguments))),
        cleanup_(support::engine(), "reeve.tenant=" + support::tenant_of(reeve_.api())) {
    support::allow_image(reeve_.api());
  }
  support::api_client api() const { return reeve_.api(); }
  server& reeve() { return reeve_; }
  std::string launch(const std::vector<json>& tasks, const json& limits = json::object()) {
    return support::launch(api(), support::inline_launch(tasks, limits)).at("id");
  }
  /// A task that counts its executions and then does this.
  json counted(const std::string& name, const std::string& script,
               const json& more = json::object()) {
    const json mount = {{"source", starts.root()}, {"target", "/tally"}, {"read_only", false}};
    return shell_task(name, "echo started >>/tally/" + name + "; " + script,
                      {{"mounts", json::array({mount})}}, more);
  }
  /// The id of the container of a job that has started.
  std::string started(const std::string& run, const std::string& job) {
    const json all = support::await_started(api(), run, job);
    return job_named(all, job).at("attempts").at(0).at("container_id");
  }
  bool has_written(const std::string& container, const std::string& text) const {
    return support::eventually([&] {
      const auto shown = on.call("GET", "/containers/" + container + "/logs?stdout=1").body;
      return shown.find(text) != std::string::npos;
    });
  }
  json ended(const std::string& run, const std::string& job) {
    const json over = support::await_run(api(), run);
    EXPECT_EQ(job_named(over, job).at("attempts").size(), 1U) << over.dump(1);
    return job_named(over, job);
  }
  json attempt(const json& job) const { return job.at("attempts").at(0); }

  const support::engine on;
  const support::tally starts;

 private:
  static support::server_options options_with(const support::tally& starts,
                                              std::vector<std::string> arguments) {
    support::server_options options;
    options.docker = support::real_engine();
    options.arguments = std::move(arguments);
    options.environment["REEVE_MOUNT_ROOTS"] = starts.root();
    return options;
  }

  server reeve_;
  support::engine_cleanup cleanup_;
};

/// Between a container's start and its end, by the engine's own events.
std::chrono::nanoseconds ran_for(const support::engine& on, const std::string& container,
                                 std::time_t since) {
  // {"container":["…"]}
  const auto filter = "%7B%22container%22%3A%5B%22" + container + "%22%5D%7D";
  const auto answer =
      on.call("GET", "/events?since=" + std::to_string(since) +
                         "&until=" + std::to_string(std::time(nullptr) + 1) + "&filters=" + filter);
  std::istringstream lines(answer.body);
  std::chrono::nanoseconds start{0}, end{0};
  for (std::string line; std::getline(lines, line);) {
    const json event = json::parse(line, nullptr, false);
    if (event.is_discarded()) continue;
    const std::chrono::nanoseconds at(event.at("timeNano").get<long long>());
    if (event.at("Action") == "start") start = at;
    if (event.at("Action") == "die") end = at;
  }
  return end - start;
}

void post(const support::engine& on, const std::string& target, int status) {
  const auto answer = on.call("POST", target);
  ASSERT_EQ(answer.status, status) << target << " " << answer.body;
}

}  // namespace

TEST(RUN7_outside, a_restart_is_never_a_success) {
  here h;
  const auto run =
      h.launch({h.counted("a", std::string("echo before; ") + support::tally::until_go)});
  const auto id = h.started(run, "a");
  ASSERT_TRUE(h.has_written(id, "before"));
  post(h.on, "/containers/" + id + "/restart?t=1", 204);
  const json job = h.ended(run, "a");
  EXPECT_EQ(job.at("status"), "failed") << job.dump(1);
  EXPECT_THAT((std::vector<std::string>{"outcome_unknown", "exited", "second_start"}),
              testing::Contains(job.at("reason").get<std::string>()));
  EXPECT_NE(h.attempt(job).at("exit_code"), 0);
  EXPECT_THAT(support::log_of(h.api(), job.at("id")), testing::StartsWith("before\n"));
  EXPECT_EQ(h.starts.starts_of("a"), 1);
}

TEST(RUN7_outside, a_restart_that_no_server_saw_keeps_what_was_written_before_it) {
  here h;
  const auto run =
      h.launch({h.counted("a", std::string("echo before; ") + support::tally::until_go)});
  const auto id = h.started(run, "a");
  ASSERT_TRUE(h.has_written(id, "before"));
  h.reeve().kill_hard();
  post(h.on, "/containers/" + id + "/restart?t=1", 204);
  h.reeve().start();
  const json job = h.ended(run, "a");
  EXPECT_EQ(job.at("reason"), "outcome_unknown") << job.dump(1);
  EXPECT_EQ(h.attempt(job).at("exit_code"), nullptr);
  EXPECT_EQ(h.attempt(job).at("log_incomplete"), true);
  EXPECT_THAT(support::log_of(h.api(), job.at("id")), testing::StartsWith("before\n"));
  EXPECT_EQ(h.starts.starts_of("a"), 1);
}

TEST(RUN7_outside, a_stop_or_kill_is_an_exit_with_its_code) {
  here h;
  const auto run = h.launch({h.counted("stopped", "sleep 20"), h.counted("killed", "sleep 20")});
  post(h.on, "/containers/" + h.started(run, "stopped") + "/stop?t=5", 204);
  post(h.on, "/containers/" + h.started(run, "killed") + "/kill", 204);
  for (const auto& [name, code] : {std::pair("stopped", 143), std::pair("killed", 137)}) {
    const json job = h.ended(run, name);
    EXPECT_EQ(job.at("reason"), "exited") << job.dump(1);
    EXPECT_EQ(h.attempt(job).at("exit_code"), code);
    EXPECT_EQ(h.starts.starts_of(name), 1);
  }
}

TEST(RUN7_outside, a_new_name_changes_nothing) {
  here h;
  const auto run = h.launch({h.counted("a", "sleep 2; echo done")});
  const auto id = h.started(run, "a");
  post(h.on, "/containers/" + id + "/rename?name=renamed-" + id.substr(0, 12), 204);
  h.reeve().crash_and_restart();
  const json job = h.ended(run, "a");
  EXPECT_EQ(job.at("status"), "success") << job.dump(1);
  EXPECT_EQ(support::log_of(h.api(), job.at("id")), "done\n");
  EXPECT_TRUE(support::eventually([&] { return !h.on.exists(id); })) << "whatever its name is";
}

TEST(RUN7_outside, a_copy_that_keeps_the_labels_is_never_touched) {
  here h({"--reconcile-s", "1", "--orphan-s", "1"});
  const auto run = h.launch({h.counted("a", "sleep 2; echo done")});
  const auto id = h.started(run, "a");
  const std::string copy = "copy-" + id.substr(0, 12);
  post(h.on, "/commit?container=" + id + "&repo=localhost:1/" + copy + "&tag=1", 201);
  const auto other = h.on.create(copy, {{"Image", "localhost:1/" + copy + ":1"},
                                        {"Entrypoint", json::array({"sleep"})},
                                        {"Cmd", json::array({"60"})}});
  h.on.start(other);
  EXPECT_EQ(h.on.inspect(other).at("Config").at("Labels").at("reeve.run"), run);
  EXPECT_EQ(h.ended(run, "a").at("status"), "success");
  // Long enough for reconciliation to have removed an orphan.
  const auto later = std::chrono::steady_clock::now() + 5s;
  support::eventually(10s, [&] { return std::chrono::steady_clock::now() > later; });
  EXPECT_TRUE(h.on.exists(other));
  h.on.remove(other);
  h.on.call("DELETE", "/images/localhost:1/" + copy + ":1?force=1");
}

TEST(RUN7_time, a_job_that_ended_while_the_server_was_away_ended_in_time) {
  here h;
  const int timeout_s = 3 * support::time_factor();
  const auto run =
      h.launch({h.counted("a", "sleep 1; exit 0", {{"timeout_s", timeout_s}, {"retries", 1}})});
  const auto id = h.started(run, "a");
  h.reeve().kill_hard();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(timeout_s + 1);
  ASSERT_TRUE(support::eventually([&] {
    return std::chrono::steady_clock::now() > deadline &&
           h.on.inspect(id).at("State").at("Status") == "exited";
  }));
  h.reeve().start();
  const json job = h.ended(run, "a");
  EXPECT_EQ(job.at("status"), "success") << job.dump(1);
  EXPECT_EQ(h.attempt(job).at("reason"), "exited");
  EXPECT_EQ(h.attempt(job).at("log_incomplete"), true) << "nobody watched its end";
  EXPECT_EQ(h.starts.starts_of("a"), 1);
}

TEST(RUN7_log, that_a_server_missed_lines_of_is_not_whole_after_a_restart) {
  const support::scratch_dir folder(support::work_dir(), "e");
  support::unix_proxy network(folder.path() / "sock", support::engine_socket());
  support::server_options options;
  options.docker = "unix://" + (folder.path() / "sock").string();
  const support::tally starts;
  options.environment["REEVE_MOUNT_ROOTS"] = starts.root();
  server reeve(options);
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(reeve.api()));
  support::allow_image(reeve.api());
  const auto launch = support::inline_launch({starts.gated("t", "echo said")});
  const std::string run = support::launch(reeve.api(), launch).at("id");
  const json all = support::await_started(reeve.api(), run, "t");
  const std::string id = job_named(all, "t").at("attempts").at(0).at("container_id");
  network.cut_off();
  ASSERT_TRUE(support::eventually(
      [&] { return must_get(reeve.api(), "/api/engine").at("available") == false; }));
  reeve.kill_hard();
  starts.let_go();
  const support::engine on;
  ASSERT_TRUE(
      support::eventually([&] { return on.inspect(id).at("State").at("Status") == "exited"; }));
  network.let_in();
  reeve.start();
  const json job = job_named(support::await_run(reeve.api(), run), "t");
  EXPECT_EQ(job.at("status"), "success") << job.dump(1);
  const auto output = reeve.api().get("/api/jobs/" + job.at("id").get<std::string>() + "/logs");
  EXPECT_EQ(output.body, "said\n");
  EXPECT_EQ(output.header("Reeve-Log"), "incomplete");
}

TEST(RUN5_timeout, does_not_count_what_ended_right_before_it) {
  here h;
  std::vector<json> tasks;
  for (int n = 0; n < 8; ++n) {
    tasks.push_back(shell_task("t" + std::to_string(n), "sleep 1." + std::to_string(85 + n), {},
                               {{"timeout_s", 2}}));
  }
  const auto began = std::time(nullptr);
  const json run = support::await_run(h.api(), h.launch(tasks, {{"max_parallel", 2}}), 60s);
  for (const auto& job : run.at("jobs")) {
    // On a busy machine a start may take longer than the timeout, and so may a sleep: the engine
    // knows how long.
    if (job.at("reason") == "timed_out" && job.at("attempts").empty()) continue;
    const json attempt = job.at("attempts").at(0);
    if (attempt.at("reason") == "timed_out" && attempt.at("container_id").is_null()) continue;
    const auto ran = ran_for(h.on, attempt.at("container_id"), began);
    if (attempt.at("exit_code") != 0 || ran > 1950ms) continue;
    EXPECT_EQ(attempt.at("reason"), "exited") << job.dump(1);
  }
}

TEST(RUN5_refusals, in_the_words_of_a_failure_are_final_and_hurt_nobody_else) {
  here h;
  const std::string long_name(300, 'n');
  const auto bad = h.launch({shell_task("file", "pwd", {{"workdir", "/etc/passwd"}}),
                             shell_task("below", "pwd", {{"workdir", "/etc/passwd/x"}}),
                             shell_task("program", "pwd", {{"workdir", "/bin/sh"}}),
                             shell_task("long", "pwd", {{"workdir", "/" + long_name}})},
                            {{"timeout_s", 90}, {"max_parallel", 8}});
  const auto good = h.launch({shell_task("good", "echo fine")});
  EXPECT_EQ(support::await_run(h.api(), good).at("status"), "success");
  const json run = support::await_run(h.api(), bad);
  for (const auto& job : run.at("jobs")) {
    EXPECT_THAT((std::vector<std::string>{"engine_refused", "start_failed"}),
                testing::Contains(job.at("reason").get<std::string>()))
        << job.dump(1);
  }
  EXPECT_EQ(must_get(h.api(), "/api/engine").at("breaker"), "closed");
  const auto after = h.launch({shell_task("after", "echo fine")});
  EXPECT_EQ(support::await_run(h.api(), after).at("status"), "success");
}

TEST(RUN5_memory, of_a_child_that_runs_out_is_told_beside_the_success) {
  here h;
  const auto run = h.launch({shell_task(
      "a", "tail /dev/zero || echo child died; echo cleaned up; exit 0", {{"memory_mb", 16}})});
  const json job = h.ended(run, "a");
  EXPECT_EQ(job.at("status"), "success") << job.dump(1);
  EXPECT_EQ(h.attempt(job).at("reason"), "exited");
  EXPECT_EQ(h.attempt(job).at("oom_killed"), true);
}

TEST(RUN5_engine, of_each_attempt_is_told) {
  here h;
  const auto run = h.launch({shell_task("a", "true")});
  const json job = h.ended(run, "a");
  EXPECT_EQ(h.attempt(job).at("engine"), "docker");
  EXPECT_EQ(h.attempt(job).at("engine_id"), h.on.call("GET", "/info").json().at("ID"));
  EXPECT_EQ(h.attempt(job).at("node"), nullptr);
  EXPECT_EQ(h.attempt(job).at("oom_killed"), false);
}

TEST(RUN5_engine, that_never_comes_ends_the_job_by_its_timeout) {
  const support::scratch_dir folder(support::work_dir(), "e");
  support::server_options options;
  options.docker = "unix://" + (folder.path() / "sock").string();
  server reeve(options);
  // A pattern names no image that would have to be looked at.
  support::allow_image(reeve.api(), "localhost:1/*");
  const json task = shell_task("a", "true", json::object(), {{"timeout_s", 3}});
  const json launched = support::launch(reeve.api(), support::inline_launch({task}));
  const std::string job = launched.at("jobs").at(0).at("id");
  EXPECT_TRUE(support::eventually([&] {
    return must_get(reeve.api(), "/api/jobs/" + job).at("pending_reason") == "engine_unavailable";
  }));
  const json run = support::await_run(reeve.api(), launched.at("id"));
  EXPECT_EQ(run.at("status"), "failed");
  EXPECT_EQ(job_named(run, "a").at("reason"), "engine_unavailable");
  EXPECT_EQ(job_named(run, "a").at("attempts").size(), 0U);
  EXPECT_EQ(reeve.api().get("/api/jobs/" + job + "/logs").header("Reeve-Log"), "whole");
  EXPECT_EQ(run.at("engine"), "docker") << "what it would have got";
}

TEST(RUN7_another_engine, behind_the_same_socket_has_an_unknown_outcome) {
  REEVE_TEST_TIME_LIMIT(60);
  const support::tally starts;
  const support::scratch_dir folder(support::work_dir(), "e");
  const auto socket = folder.path() / "sock";
  support::private_dockerd first;
  support::private_dockerd second;
  std::filesystem::create_symlink(first.socket(), socket);
  support::server_options options;
  options.docker = "unix://" + socket.string();
  options.environment["REEVE_MOUNT_ROOTS"] = starts.root();
  server reeve(options);
  support::allow_image(reeve.api());
  json task = starts.task("a");
  task["params"]["command"][2] = "echo started >>/tally/a; sleep 60";
  task["retries"] = 2;
  const json run = support::launch(reeve.api(), support::inline_launch({task}));
  support::await_started(reeve.api(), run.at("id"), "count");
  reeve.kill_hard();
  std::filesystem::remove(socket);
  std::filesystem::create_symlink(second.socket(), socket);
  reeve.start();
  const json over = support::await_run(reeve.api(), run.at("id"));
  EXPECT_EQ(job_named(over, "count").at("reason"), "outcome_unknown") << over.dump(1);
  EXPECT_EQ(job_named(over, "count").at("attempts").size(), 1U);
  EXPECT_EQ(starts.starts_of("a"), 1);
}
