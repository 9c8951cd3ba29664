// Jobs as containers of a real engine: what comes out is kept, what was asked for is obeyed, a
// container can do as little as possible, and nothing of it stays behind.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>

using nlohmann::json;
using support::job_named;
using support::must_get;
using support::server;
using support::shell_task;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

namespace {

/// A server on the common engine with the box image allowed. What a failing test leaves there goes
/// with it.
class engine_server {
 public:
  explicit engine_server(std::map<std::string, std::string> environment = {})
      : reeve_(options_with(std::move(environment))),
        label_("reeve.tenant=" + support::tenant_of(reeve_.api())),
        cleanup_(support::engine(), label_) {
    support::allow_image(reeve_.api());
  }
  support::api_client api() const { return reeve_.api(); }
  server& reeve() { return reeve_; }
  json launch(const std::vector<json>& tasks, const json& limits = json::object()) {
    return support::launch(api(), support::inline_launch(tasks, limits));
  }
  json run(const std::vector<json>& tasks, const json& limits = json::object()) {
    return support::await_run(api(), launch(tasks, limits).at("id"));
  }
  std::string log(const json& run, const std::string& job) {
    return support::log_of(api(), job_named(run, job).at("id"));
  }
  std::size_t containers() const { return support::engine().containers(label_).size(); }
  std::size_t volumes() const {
    const auto answer = support::engine().call(
        "GET", "/volumes?filters=%7B%22label%22%3A%5B%22" + label_ + "%22%5D%7D");
    const json all = answer.json().at("Volumes");
    return all.is_null() ? 0 : all.size();
  }
  bool left_nothing() const {
    return support::eventually([&] { return containers() == 0 && volumes() == 0; });
  }

 private:
  static support::server_options options_with(std::map<std::string, std::string> environment) {
    support::server_options options;
    options.docker = support::real_engine();
    options.environment = std::move(environment);
    return options;
  }

  server reeve_;
  std::string label_;
  support::engine_cleanup cleanup_;
};

std::chrono::microseconds time_of(const json& text) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int micros = 0;
  const std::string at = text;
  EXPECT_EQ(std::sscanf(at.c_str(), "%d-%d-%dT%d:%d:%d.%dZ", &year, &month, &day, &hour, &minute,
                        &second, &micros),
            7)
      << at;
  // Within one day is all that the tests compare.
  return std::chrono::hours(24 * day + hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + std::chrono::microseconds(micros);
}

/// From the intent to stop a job to its end, by the log's stamps.
std::chrono::microseconds stop_took(const support::api_client& api, const std::string& run,
                                    const std::string& job) {
  const json all = must_get(api, "/api/events?limit=100&stream=run-" + run);
  const auto at = [&](const char* type) {
    for (const json& event : all.at("results")) {
      if (event.at("type") == type && event.at("payload").at("job") == job) {
        return time_of(event.at("recorded_at"));
      }
    }
    throw std::runtime_error(std::string("there is no ") + type + ": " + all.dump(1));
  };
  return at("attempt_ended") - at("stop_intended");
}

/// The grace of a second and two more are promised; on a busy machine five times that are asserted.
constexpr auto stopped_within = 15s;

}  // namespace

TEST(RUN5_container, exit_codes_decide_and_logs_are_kept) {
  engine_server here;
  const json run = here.run(
      {shell_task("good", "echo to stdout; echo to stderr >&2; printf 'no newline'"),
       shell_task("bad", "echo before; exit 42"), support::box_task("silent", {"true"}),
       support::box_task("none", {"/no/such/program"}), shell_task("killed", "kill -9 $$")});
  EXPECT_EQ(run.at("status"), "partial");
  EXPECT_EQ(run.at("engine"), "docker");
  const json good = job_named(run, "good");
  EXPECT_EQ(good.at("status"), "success");
  const json attempt = good.at("attempts").at(0);
  EXPECT_EQ(attempt.at("exit_code"), 0);
  EXPECT_EQ(attempt.at("container_id").get<std::string>().size(), 64U);
  EXPECT_EQ(attempt.at("image_digest").get<std::string>().substr(0, 7), "sha256:");
  EXPECT_LE(time_of(attempt.at("started_at")), time_of(attempt.at("finished_at")));
  const std::string text = here.log(run, "good");
  for (const char* line : {"to stdout\n", "to stderr\n", "no newline"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  const json bad = job_named(run, "bad");
  EXPECT_EQ(bad.at("status"), "failed");
  EXPECT_EQ(bad.at("reason"), "exited");
  EXPECT_EQ(bad.at("attempts").at(0).at("exit_code"), 42);
  EXPECT_EQ(here.log(run, "bad"), "before\n");
  EXPECT_EQ(here.log(run, "silent"), "");
  EXPECT_EQ(job_named(run, "none").at("status"), "failed");
  EXPECT_EQ(job_named(run, "killed").at("attempts").at(0).at("exit_code"), 137);
  EXPECT_TRUE(here.left_nothing());
}

TEST(RUN14_container, the_reason_at_the_end_of_a_large_output_is_kept) {
  engine_server here(std::map<std::string, std::string>{{"REEVE_JOB_LOG_BYTES", "4096"}});
  const std::string many =
      "i=0; while [ $i -lt 12000 ]; do echo line $i aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; "
      "i=$((i+1)); done; ";
  const json run = here.run({shell_task("large", many + "echo 'FATAL: the reason'; exit 1"),
                             shell_task("small", "echo all of it")});
  const json large = job_named(run, "large");
  const json log = large.at("attempts").at(0).at("log");
  EXPECT_EQ(log.at("truncated"), true);
  EXPECT_LE(log.at("bytes").get<int>(), 4096);
  const auto answer = here.api().get("/api/jobs/" + large.at("id").get<std::string>() + "/logs");
  EXPECT_EQ(answer.header("Reeve-Log"), "truncated");
  EXPECT_THAT(answer.body, testing::StartsWith("line 0 a"));
  EXPECT_THAT(answer.body, HasSubstr(" bytes left out]\nline "));
  EXPECT_THAT(answer.body, testing::EndsWith("\nFATAL: the reason\n"));
  const json small = job_named(run, "small");
  EXPECT_EQ(small.at("attempts").at(0).at("log").at("truncated"), false);
  EXPECT_EQ(here.log(run, "small"), "all of it\n");
}

TEST(RUN14_logs, are_what_was_written_to_the_byte) {
  engine_server here;
  // The third line is longer than what is read of one at a time, and than the engine's parts.
  const json run = here.run({shell_task("open", "printf nolinefeed"),
                             shell_task("ended", "printf 'two\\nlines\\n\\n'"),
                             shell_task("long",
                                        "head -c 200000 /dev/zero | tr '\\0' x; echo; "
                                        "printf end")});
  EXPECT_EQ(here.log(run, "open"), "nolinefeed");
  EXPECT_EQ(here.log(run, "ended"), "two\nlines\n\n");
  EXPECT_EQ(here.log(run, "long"), std::string(200'000, 'x') + "\nend");
}

TEST(RUN14_logs, are_stored_before_the_container_is_removed) {
  engine_server here;
  const json launched = here.launch({shell_task("a", "echo kept; sleep 0.3")});
  const std::string job = launched.at("jobs").at(0).at("id");
  support::await_run(here.api(), launched.at("id"));
  // At the end of the run the log is there, whether or not the container has gone already.
  EXPECT_EQ(support::log_of(here.api(), job), "kept\n");
  EXPECT_TRUE(here.left_nothing());
  EXPECT_EQ(support::log_of(here.api(), job), "kept\n");
  here.reeve().crash_and_restart();
  EXPECT_EQ(support::log_of(here.api(), job), "kept\n");
  EXPECT_EQ(here.api().get("/api/jobs/" + job + "/logs?attempt=2").status, 404);
}

TEST(RUN13_logs, hold_no_secret) {
  engine_server here;
  const std::string secret = "correct-horse-battery";
  const json run = here.run({shell_task(
      "leak",
      "echo password=$WORD; printf 'Authorization: Bear'; sleep 0.2; echo er $WORD.$WORD; "
      "echo plain words stay; echo postgresql://me:$WORD@db/x",
      {{"env", {{"WORD", secret}}}})});
  const std::string text = here.log(run, "leak");
  EXPECT_THAT(text, HasSubstr("plain words stay"));
  EXPECT_THAT(text, HasSubstr("[redacted"));
  EXPECT_THAT(text, Not(HasSubstr(secret)));
}

TEST(RUN5_needs, are_met_before_a_job_starts) {
  engine_server here;
  const json run =
      here.run({shell_task("c", "true", {}, {{"needs", {"a", "b"}}}), shell_task("a", "sleep 0.3"),
                shell_task("b", "true"), shell_task("d", "exit 1", {}, {{"needs", {"b"}}}),
                shell_task("e", "true", {}, {{"needs", {"d"}}}),
                shell_task("f", "true", {}, {{"needs", {"e"}}})});
  EXPECT_EQ(run.at("status"), "partial");
  const auto started = [&](const char* name) {
    return time_of(job_named(run, name).at("attempts").at(0).at("started_at"));
  };
  const auto finished = [&](const char* name) {
    return time_of(job_named(run, name).at("attempts").at(0).at("finished_at"));
  };
  EXPECT_GE(started("c"), finished("a"));
  EXPECT_GE(started("c"), finished("b"));
  EXPECT_GE(started("d"), finished("b"));
  for (const char* name : {"e", "f"}) {
    EXPECT_EQ(job_named(run, name).at("status"), "cancelled");
    EXPECT_EQ(job_named(run, name).at("reason"), "need_failed");
  }
}

TEST(RUN5_parallel, never_exceeds_its_limit_and_priority_goes_first) {
  engine_server here;
  const json one = {{"max_parallel", 1}};
  const json run =
      here.run({shell_task("low", "true"), shell_task("mid", "true", {}, {{"priority", 5}}),
                shell_task("high", "true", {}, {{"priority", 9}})},
               one);
  const auto at = [&](const char* name, const char* when) {
    return time_of(job_named(run, name).at("attempts").at(0).at(when));
  };
  EXPECT_LE(at("high", "finished_at"), at("mid", "started_at"));
  EXPECT_LE(at("mid", "finished_at"), at("low", "started_at"));
}

TEST(RUN5_timeout, kills_a_container_that_does_not_listen) {
  engine_server here;
  const json run = here.run({shell_task("deaf", "trap '' TERM; echo on; while :; do sleep 1; done",
                                        {}, {{"timeout_s", 2 * support::time_factor()}})},
                            {{"stop_grace_s", 1}});
  EXPECT_EQ(run.at("status"), "failed");
  const json deaf = job_named(run, "deaf");
  EXPECT_EQ(deaf.at("reason"), "timed_out");
  EXPECT_EQ(deaf.at("attempts").at(0).at("exit_code"), 137) << "it did listen";
  EXPECT_LT(stop_took(here.api(), run.at("id"), deaf.at("id")),
            stopped_within * support::time_factor());
  EXPECT_EQ(here.log(run, "deaf"), "on\n");
  EXPECT_TRUE(here.left_nothing());
}

TEST(RUN5_cancel, asks_first_and_kills_after_the_grace) {
  engine_server here;
  const json launched = here.launch(
      {shell_task("polite",
                  "trap 'echo going; exit 7' TERM; echo set; while :; do sleep 0.1; done"),
       shell_task("deaf", "trap '' TERM; echo set; while :; do sleep 1; done")},
      {{"stop_grace_s", 1}});
  const std::string id = launched.at("id");
  support::await_started(here.api(), id, "polite");
  support::await_started(here.api(), id, "deaf");
  // A shell that has not set its trap yet dies of the signal.
  for (const auto& container : support::engine().containers("reeve.run=" + id)) {
    const std::string its_log = "/containers/" + container.at("Id").get<std::string>() + "/logs";
    ASSERT_TRUE(support::eventually([&] {
      return support::engine().call("GET", its_log + "?stdout=1").body.find("set") !=
             std::string::npos;
    }));
  }
  EXPECT_EQ(here.api().post("/api/runs/" + id + "/cancel", json::object()).status, 202);
  const json run = support::await_run(here.api(), id);
  EXPECT_EQ(run.at("status"), "cancelled");
  for (const char* name : {"polite", "deaf"}) {
    const json job = job_named(run, name);
    EXPECT_EQ(job.at("status"), "cancelled");
    EXPECT_LT(stop_took(here.api(), id, job.at("id")), stopped_within * support::time_factor());
    const json ends = must_get(here.api(), "/api/events?stream=run-" + id + "&type=job_finished");
    EXPECT_EQ(ends.at("results").size(), 2U);
  }
  EXPECT_EQ(job_named(run, "deaf").at("attempts").at(0).at("exit_code"), 137);
  EXPECT_TRUE(here.left_nothing());
}

TEST(RUN5_retries, back_off_and_keep_every_attempt) {
  engine_server here;
  const json run = here.run({shell_task("stubborn", "echo again; exit 3")},
                            {{"retries", 2}, {"retry_base_ms", 400}});
  const json job = job_named(run, "stubborn");
  ASSERT_EQ(job.at("attempts").size(), 3U) << job.dump(1);
  EXPECT_EQ(job.at("status"), "failed");
  for (int n = 0; n < 3; ++n) {
    EXPECT_EQ(job.at("attempts").at(n).at("number"), n + 1);
    EXPECT_EQ(job.at("attempts").at(n).at("exit_code"), 3);
    const auto log = here.api().get("/api/jobs/" + job.at("id").get<std::string>() +
                                    "/logs?attempt=" + std::to_string(n + 1));
    EXPECT_EQ(log.body, "again\n");
  }
  const auto gap = [&](int n) {
    return time_of(job.at("attempts")[n + 1].at("started_at")) -
           time_of(job.at("attempts").at(n).at("finished_at"));
  };
  // It doubles; jitter takes at most half of it away.
  EXPECT_GE(gap(0), 200ms);
  EXPECT_GE(gap(1), 400ms);
  const json containers = job.at("attempts");
  EXPECT_NE(containers[0].at("container_id"), containers[1].at("container_id"));
}

TEST(RUN11_container, can_do_as_little_as_possible) {
  engine_server here;
  const json run = here.run(
      {shell_task("look",
                  "cat /proc/self/status; id; touch /x && echo WROTE; touch /tmp/x && echo TMP; "
                  "ls /sys/class/net; find / -xdev -type s 2>/dev/null | sed s/^/SOCKET:/; "
                  "cat /proc/self/limits | grep core; ls -d /proc/[0-9]* | wc -l; hostname; env"),
       support::box_task("root", {"sh", "-c", "id -u"}, {{"user", "1000:1001"}})});
  const std::string text = here.log(run, "look");
  for (const char* line : {"CapEff:\t0000000000000000", "CapPrm:\t0000000000000000",
                           "CapBnd:\t0000000000000000", "CapInh:\t0000000000000000",
                           "NoNewPrivs:\t1", "Seccomp:\t2", "uid=65534", "TMP\n", "lo\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  for (const char* line : {"WROTE", "SOCKET:", "eth0", "docker.sock"}) {
    EXPECT_THAT(text, Not(HasSubstr(line)));
  }
  EXPECT_EQ(here.log(run, "root"), "1000\n");
}

TEST(RUN11_container, has_the_limits_that_the_task_asked_for) {
  engine_server here;
  const json launched = here.launch({shell_task("small", "sleep 20",
                                                {{"memory_mb", 16},
                                                 {"cpu_millis", 250},
                                                 {"pids", 17},
                                                 {"env", {{"A", "b c"}}},
                                                 {"workdir", "/tmp"}})});
  support::await_started(here.api(), launched.at("id"), "small");
  const auto all =
      support::engine().containers("reeve.run=" + launched.at("id").get<std::string>());
  ASSERT_EQ(all.size(), 1U);
  const json inspected = support::engine().inspect(all[0].at("Id"));
  const json host = inspected.at("HostConfig");
  EXPECT_EQ(host.at("Memory"), 16 << 20);
  EXPECT_EQ(host.at("MemorySwap"), 16 << 20);
  EXPECT_EQ(host.at("NanoCpus"), 250'000'000);
  EXPECT_EQ(host.at("PidsLimit"), 17);
  EXPECT_EQ(host.at("NetworkMode"), "none");
  EXPECT_EQ(host.at("Privileged"), false);
  EXPECT_EQ(host.at("ReadonlyRootfs"), true);
  EXPECT_EQ(host.at("CapDrop"), json({"ALL"}));
  EXPECT_EQ(host.at("PidMode"), "");
  EXPECT_EQ(host.at("RestartPolicy").at("Name"), "no");
  for (const json& mount : inspected.at("Mounts")) EXPECT_EQ(mount.at("Type"), "volume");
  EXPECT_EQ(inspected.at("Config").at("WorkingDir"), "/tmp");
  EXPECT_THAT(inspected.at("Config").at("Env").get<std::vector<std::string>>(),
              testing::Contains("A=b c"));
  EXPECT_EQ(
      here.api()
          .post("/api/runs/" + launched.at("id").get<std::string>() + "/cancel", json::object())
          .status,
      202);
  support::await_run(here.api(), launched.at("id"));
  EXPECT_TRUE(here.left_nothing());
}

TEST(RUN5_memory, that_runs_out_is_said) {
  engine_server here;
  const json run = here.run({shell_task("greedy", "tail /dev/zero", {{"memory_mb", 8}})});
  EXPECT_EQ(job_named(run, "greedy").at("status"), "failed");
  EXPECT_EQ(job_named(run, "greedy").at("reason"), "out_of_memory");
  // It need not be the engine that told: one that hears of the end first does not.
  EXPECT_THAT(here.log(run, "greedy"),
              testing::HasSubstr("reeve-init: the kernel killed a process for want of memory"));
}

TEST(RUN7_container, survives_a_kill_of_the_server_and_runs_once) {
  engine_server here;
  const json launched = here.launch({shell_task("once", "echo started; sleep 1.5; echo done")});
  const std::string id = launched.at("id");
  support::await_started(here.api(), id, "once");
  const auto before = support::engine().containers("reeve.run=" + id);
  here.reeve().crash_and_restart();
  const json run = support::await_run(here.api(), id);
  EXPECT_EQ(run.at("status"), "success");
  const json job = job_named(run, "once");
  ASSERT_EQ(job.at("attempts").size(), 1U);
  EXPECT_EQ(job.at("attempts").at(0).at("container_id"), before.at(0).at("Id"));
  EXPECT_EQ(support::log_of(here.api(), job.at("id")), "started\ndone\n");
  EXPECT_TRUE(here.left_nothing());
}
