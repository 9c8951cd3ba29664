// RUN14: the output of a job can be read while it runs, is taken up again where it was, also by a
// server that was started anew, and what is stored is found by what it says.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using nlohmann::json;
using support::must_get;
using support::server;
using support::shell_task;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

namespace {

class on_the_engine {
 public:
  on_the_engine()
      : reeve(options()),
        cleanup_(support::engine(), "reeve.tenant=" + support::tenant_of(reeve.api())) {
    support::allow_image(reeve.api());
  }
  /// A run of one job; its id and the job's.
  std::pair<std::string, std::string> launch(const std::string& script,
                                             const json& params = json::object()) {
    const json run =
        support::launch(reeve.api(), support::inline_launch({shell_task("j", script, params)}));
    return {run.at("id").get<std::string>(), run.at("jobs").at(0).at("id").get<std::string>()};
  }
  support::sse_reader follow(const std::string& job, const std::string& after = {}) const {
    return reeve.api().events("/api/jobs/" + job + "/logs/stream", after);
  }

  server reeve;

 private:
  static support::server_options options() {
    support::server_options made;
    made.docker = support::real_engine();
    return made;
  }

  support::engine_cleanup cleanup_;
};

const auto soon = 20s * support::time_factor();

json next_line(support::sse_reader& from, std::string* id = nullptr) {
  const auto event = from.next(soon);
  if (!event) throw std::runtime_error("no line came");
  EXPECT_EQ(event->name, "line") << event->data;
  if (id != nullptr) *id = event->id;
  return json::parse(event->data);
}

/// Until it is stopped.
constexpr const char* two_lines_and_wait =
    "trap 'echo last; exit 0' TERM; echo one; echo two >&2; sleep 600 & wait";

}  // namespace

TEST(RUN14_follow, lines_come_while_the_job_runs_and_the_stream_ends_with_it) {
  on_the_engine here;
  const auto [run, job] = here.launch(two_lines_and_wait);
  auto stream = here.follow(job);
  EXPECT_EQ(stream.response().status, 200);
  EXPECT_THAT(stream.response().header("Content-Type"), HasSubstr("text/event-stream"));
  std::map<std::string, json> lines;
  for (int i = 0; i < 2; ++i) {
    const json line = next_line(stream);
    lines[line.at("text").get<std::string>()] = line;
  }
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines.at("one").at("stream"), "stdout");
  EXPECT_EQ(lines.at("two").at("stream"), "stderr");
  EXPECT_EQ(must_get(here.reeve.api(), "/api/jobs/" + job).at("status"), "running");
  support::must_post(here.reeve.api(), "/api/runs/" + run + "/cancel", json::object(), 202);
  EXPECT_EQ(next_line(stream).at("text"), "last");
  const auto end = stream.next(soon);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->name, "end");
  EXPECT_EQ(json::parse(end->data).at("status"), "cancelled");
  EXPECT_FALSE(stream.next(soon));
  EXPECT_TRUE(stream.ended());
}

TEST(RUN14_follow, ends_with_a_last_line_that_has_no_end) {
  on_the_engine here;
  const auto [run, job] =
      here.launch("trap 'printf tail; exit 0' TERM; echo one; sleep 600 & wait");
  auto stream = here.follow(job);
  EXPECT_EQ(next_line(stream).at("text"), "one");
  support::must_post(here.reeve.api(), "/api/runs/" + run + "/cancel", json::object(), 202);
  EXPECT_EQ(next_line(stream).at("text"), "tail");
  EXPECT_EQ(stream.next(soon)->name, "end");
}

TEST(RUN14_follow, is_taken_up_after_a_crash_of_the_server_and_after_the_job) {
  on_the_engine here;
  const auto [run, job] = here.launch(two_lines_and_wait);
  std::string first, second;
  json told;
  {
    auto stream = here.follow(job);
    next_line(stream, &first);
    told = next_line(stream, &second);
  }
  here.reeve.crash_and_restart();
  {
    auto stream = here.follow(job, first);
    EXPECT_EQ(next_line(stream), told) << "as the server before it told it";
  }
  support::must_post(here.reeve.api(), "/api/runs/" + run + "/cancel", json::object(), 202);
  support::await_run(here.reeve.api(), run);
  auto stored = here.follow(job, second);
  std::string id;
  const json last = next_line(stored, &id);
  EXPECT_EQ(last.at("text"), "last");
  EXPECT_EQ(last.at("line"), 3);
  EXPECT_EQ(last.at("stream"), "stdout");
  EXPECT_FALSE(last.contains("at"));
  EXPECT_EQ(stored.next(soon)->name, "end");
  auto nothing = here.follow(job, id);
  EXPECT_EQ(nothing.next(soon)->name, "end") << "all of it was told";
}

TEST(P15_follow, shows_no_secret_of_the_job_and_nothing_to_strangers) {
  on_the_engine here;
  const std::string value = "Zqx7/kLm+9.Yfp3-Wrn8_Vqz5";
  EXPECT_EQ(here.reeve.api().put("/api/secrets/db", {{"value", value}}).status, 200);
  const auto [run, job] =
      here.launch("echo it is $DB; echo 'api_key=\"sk-live-4eC39HqLyjWDarjtT1\"'; sleep 600",
                  json{{"env", json{{"DB", json{{"secret", "db"}}}}}});
  auto stream = here.follow(job);
  EXPECT_EQ(next_line(stream).at("text"), "it is [redacted:db]");
  EXPECT_THAT(next_line(stream).at("text").get<std::string>(),
              Not(HasSubstr("4eC39HqLyjWDarjtT1")));
  EXPECT_EQ(here.reeve.system_api().get("/api/jobs/" + job + "/logs/stream").status, 404);
  EXPECT_EQ(here.reeve.anonymous().get("/api/jobs/" + job + "/logs/stream").status, 401);
  const auto viewer = here.reeve.api().as(support::new_token(here.reeve.api(), "viewer"));
  EXPECT_EQ(viewer.events("/api/jobs/" + job + "/logs/stream").response().status, 200);
  EXPECT_EQ(here.reeve.api().get("/api/jobs/" + job + "/logs/stream?after=7").status, 422);
  for (const char* place : {"/logs?attempt=0", "/logs/stream?attempt=0"}) {
    const auto refused = here.reeve.api().get("/api/jobs/" + job + place);
    EXPECT_EQ(refused.status, 422) << place << ": attempts are counted from 1";
    EXPECT_EQ(support::pointer_of(refused), "/query/attempt");
  }
  support::must_post(here.reeve.api(), "/api/runs/" + run + "/cancel", json::object(), 202);
}

TEST(RUN14_streams, of_what_is_stored_are_told_apart) {
  on_the_engine here;
  const auto [run, job] = here.launch("echo out 1; echo err 1 >&2; echo out 2; echo err 2 >&2");
  EXPECT_EQ(support::await_run(here.reeve.api(), run).at("status"), "success");
  const std::string logs = "/api/jobs/" + job + "/logs";
  here.reeve.crash_and_restart();
  const auto api = here.reeve.api();
  const auto whole = api.get(logs);
  EXPECT_EQ(whole.header("Reeve-Log-Streams"), "known");
  EXPECT_EQ(whole.body.size(), 24U) << whole.body;
  for (const auto& [stream, text] : {std::pair("stdout", std::string("out 1\nout 2\n")),
                                     std::pair("stderr", std::string("err 1\nerr 2\n"))}) {
    const auto one = api.get(logs + "?stream=" + stream);
    EXPECT_EQ(one.status, 200);
    EXPECT_EQ(one.body, text);
    EXPECT_EQ(one.header("Content-Length"), std::to_string(text.size()));
    EXPECT_NE(one.header("ETag"), whole.header("ETag"));
    EXPECT_EQ(here.reeve.command({"jobs", "logs", job, "--stream", stream}).output, text);
  }
  auto follow = api.events(logs + "/stream?stream=stderr");
  for (const char* text : {"err 1", "err 2"}) {
    const json line = next_line(follow);
    EXPECT_EQ(line.at("text"), text);
    EXPECT_EQ(line.at("stream"), "stderr");
  }
  EXPECT_EQ(follow.next(soon)->name, "end");
  const json found = must_get(api, "/api/logs?q=2&stream=stderr");
  ASSERT_EQ(found.at("results").size(), 1U);
  EXPECT_EQ(found.at("results").at(0).at("text"), "err 2");
  EXPECT_EQ(found.at("unknown_streams"), 0);
  for (const std::string& target : {logs + "?stream=stdin", logs + "/stream?stream=",
                                    std::string("/api/logs?q=2&stream=all")}) {
    const auto refused = api.get(target);
    EXPECT_EQ(refused.status, 422) << target;
    EXPECT_EQ(support::pointer_of(refused), "/query/stream");
  }
  EXPECT_EQ(here.reeve.system_api().get(logs + "?stream=stderr").status, 404);
}

TEST(RUN14_search, finds_what_jobs_printed_in_whichever_run) {
  on_the_engine here;
  const auto api = here.reeve.api();
  std::vector<std::string> runs, jobs;
  for (const char* script : {"echo a Needle in run 1; echo hay", "echo hay",
                             "echo needle; echo "
                             "needle again"}) {
    const auto [run, job] = here.launch(script);
    ASSERT_EQ(support::await_run(api, run).at("status"), "success");
    runs.push_back(run);
    jobs.push_back(job);
  }
  const auto found = [&](const std::string& query) {
    std::vector<std::string> texts;
    std::string cursor;
    for (int pages = 0; pages < 100; ++pages) {
      const json page =
          must_get(api, "/api/logs?q=" + query + (cursor.empty() ? "" : "&cursor=" + cursor));
      for (const json& one : page.at("results")) texts.push_back(one.at("text").get<std::string>());
      if (page.at("next").is_null()) return texts;
      cursor = page.at("next").get<std::string>();
    }
    throw std::runtime_error("the search does not end");
  };
  using texts = std::vector<std::string>;
  EXPECT_EQ(found("needle"), (texts{"needle", "needle again"}));
  EXPECT_EQ(found("NEEDLE&ignore_case=true&limit=1"),
            (texts{"needle", "needle again", "a Needle in run 1"}));
  EXPECT_EQ(found("hay&run=" + runs[0]), texts{"hay"});
  EXPECT_EQ(found("e&job=" + jobs[2]), (texts{"needle", "needle again"}));
  const json one = must_get(api, "/api/logs?q=Needle").at("results").at(0);
  EXPECT_EQ(one.at("run_id"), runs[0]);
  EXPECT_EQ(one.at("job_id"), jobs[0]);
  EXPECT_EQ(one.at("job_name"), "j");
  EXPECT_EQ(one.at("directive_name"), "test");
  EXPECT_EQ(one.at("attempt"), 1);
  EXPECT_EQ(one.at("line"), 1);
  const std::string last = must_get(api, "/api/runs/" + runs[2]).at("created_at");
  EXPECT_EQ(found("a&since=" + last), (texts{"needle again"})) << "what was stored later";
  EXPECT_EQ(found("hay&until=2000-01-01T00:00:00Z"), texts{});
  EXPECT_EQ(here.reeve.system_api().get("/api/logs?q=hay").json().at("results"), json::array());
  const auto refused = api.get("/api/logs?run=" + runs[0]);
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(support::pointer_of(refused), "/query/q");
  const auto command = here.reeve.command({"logs", "search", "needle again", "--run", runs[2]});
  EXPECT_EQ(command.status, 0) << command.output;
  EXPECT_THAT(command.output, HasSubstr("needle again"));
}
