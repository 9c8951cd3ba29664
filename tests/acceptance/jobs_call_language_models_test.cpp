// A job whose image entry allows it calls language models through Reeve, in a container without a
// network, with a token of its attempt: what it calls counts to it and to nobody else, the token is
// worth something only there and only as long as the attempt runs, and neither it nor what was said
// is anywhere afterwards.

#include "tests/support/engine.hpp"
#include "tests/support/llm_upstream.hpp"
#include "tests/support/private_cluster.hpp"
#include "tests/support/search.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using nlohmann::json;
using support::job_named;
using support::must_get;
using support::server;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

const std::string told = R"({"choices":[{"message":{"content":"Yfp3"}}],)"
                         R"("usage":{"prompt_tokens":5,"completion_tokens":7}})";

/// A call with the box's own tools; `content` stands in the prompt, `more` in the body.
std::string ask(const std::string& content, const std::string& more = "") {
  return "wget -q -O - --header \"Authorization: Bearer $REEVE_LLM_TOKEN\" "
         "--header 'Content-Type: application/json' --post-data '{\"model\":\"m-1\"," +
         more + "\"messages\":[{\"role\":\"user\",\"content\":\"<'\"" + content +
         "\"'>\"}]}' \"$REEVE_LLM_URL/chat/completions\"";
}

/// An upstream with m-1, and a server whose jobs may call it; the box image is not listed yet.
class calling_house {
 public:
  explicit calling_house(const std::string& docker = support::real_engine(),
                         const std::string& database = {})
      : folder_(support::work_dir(), "llm"), reeve(options(docker, database)), api(reeve.api()) {
    upstream.answer(200, told);
    EXPECT_TRUE(support::eventually([this] {
      const json routes = must_get(api, "/api/inference/routes").at("results");
      return routes.size() == 1 && routes[0].at("candidates").at(0).at("verdict") == "possible";
    }));
  }

  void allow(bool llm) const {
    must_post(api, "/api/allowlists/images", {{"reference", support::box_image}, {"llm", llm}},
              201);
  }
  /// The end of a run of one such job, and its output in `log`.
  json run(const std::string& script, const json& params = json::object()) {
    const json made =
        support::launch(api, support::inline_launch({support::shell_task("ask", script, params)}));
    const json done = support::await_run(api, made.at("id"));
    log = support::log_of(api, job_named(done, "ask").at("id"));
    return done;
  }
  /// A job that says its token to the upstream, and then does `then`; its run, and the token.
  std::pair<std::string, std::string> begin(const std::string& then) {
    const auto before = upstream.calls().size();
    const json made = support::launch(api, support::inline_launch({support::shell_task(
                                               "ask", ask("$REEVE_LLM_TOKEN") + "; " + then)}));
    EXPECT_TRUE(support::eventually([&] { return upstream.calls().size() > before; }));
    return {made.at("id"), told_upstream()};
  }
  /// Of a server that takes over: with the same key, and its socket in the same folder.
  support::server_options standby() const {
    auto made = options(support::real_engine(), reeve.database_url());
    made.environment["REEVE_LLM_SOCKET_FOLDER"] = (reeve.data() / "llm").string();
    made.start = false;
    return made;
  }
  std::string socket() const { return reeve.data() / "llm/reeve.sock"; }
  /// Through the socket, with a token.
  support::api_client jobs(const std::string& token) const {
    return support::api_client({0, socket()}, token);
  }
  json newest_call() const {
    const json all = must_get(api, "/api/events?order=desc&limit=1&type=llm_call_recorded");
    return all.at("results").at(0);
  }
  /// What a job told the upstream in its prompt, between '<' and '>'.
  std::string told_upstream() const {
    const auto calls = upstream.calls();
    if (calls.empty()) return {};
    const auto begin = calls.back().rfind('<') + 1;
    return calls.back().substr(begin, calls.back().find('>', begin) - begin);
  }

  support::llm_upstream upstream;

 private:
  support::server_options options(const std::string& docker, const std::string& database) const {
    const json file = {
        {"upstreams", {{{"name", "a"}, {"url", upstream.url()}, {"models", {"m-1"}}}}}};
    std::ofstream(folder_.path() / "llm.json") << file.dump();
    support::server_options made;
    made.docker = docker;
    made.database_url = database;
    made.environment["REEVE_LLM"] = (folder_.path() / "llm.json").string();
    return made;
  }
  support::scratch_dir folder_;

 public:
  server reeve;
  support::api_client api;
  std::string log;
};

const std::string until_cancelled = "while [ ! -e /reeve/never ]; do sleep 1; done";
const json model_call = {{"model", "m-1"}, {"messages", {{{"role", "user"}, {"content", "hi"}}}}};
const std::string path = "/llm/v1/chat/completions";

}  // namespace

TEST(LLM4_jobs_call, an_upstream_without_a_network_and_are_counted) {
  REEVE_TEST_TIME_LIMIT(120);
  calling_house it;
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(it.api));
  it.allow(true);
  const json run = it.run(ask("how are you") +
                          "; echo; echo \"at $REEVE_LLM_URL\"; test -S /reeve/llm/reeve.sock");
  EXPECT_EQ(run.at("status"), "success") << it.log << run.dump(1);
  EXPECT_THAT(it.log, HasSubstr(told));
  EXPECT_THAT(it.log, HasSubstr("at http://127.0.0.1:9596/llm/v1\n"));
  EXPECT_EQ(it.told_upstream(), "how are you");
  const json event = it.newest_call();
  const auto job = job_named(run, "ask").at("id");
  EXPECT_EQ(event.at("payload").at("job"), job);
  EXPECT_EQ(event.at("payload").at("run"), run.at("id"));
  EXPECT_EQ(event.at("payload").at("total_tokens"), 12);
  EXPECT_EQ(event.at("principal"), "job:" + job.get<std::string>());
  const json usage = must_get(it.api, "/api/llm-usage?group_by=run").at("results");
  ASSERT_EQ(usage.size(), 1U);
  EXPECT_EQ(usage[0].at("run_id"), run.at("id"));
  EXPECT_EQ(usage[0].at("calls"), 1);
  EXPECT_EQ(
      must_get(it.api, "/api/jobs/" + job.get<std::string>() + "/llm-calls").at("results").size(),
      1U);
  EXPECT_EQ(it.reeve.command({"replay"}).status, 0);
}

TEST(LLM4_jobs_call, and_are_answered_piece_by_piece) {
  REEVE_TEST_TIME_LIMIT(120);
  calling_house it;
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(it.api));
  it.allow(true);
  const std::string chunk = R"({"choices":[{"index":0,"delta":{"content":"we"}}]})";
  it.upstream.stream({chunk, chunk, "[DONE]"});
  const json run = it.run(ask("go on", "\"stream\":true,"));
  EXPECT_EQ(run.at("status"), "success") << it.log;
  EXPECT_THAT(it.log, HasSubstr("data: " + chunk + "\n\ndata: " + chunk + "\n\ndata: [DONE]\n"));
}

TEST(LLM4_jobs_call, only_with_an_entry_that_says_so) {
  REEVE_TEST_TIME_LIMIT(120);
  calling_house it;
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(it.api));
  it.allow(false);
  const json run = it.run("env; ls /reeve; cat /proc/net/tcp");
  EXPECT_EQ(run.at("status"), "success") << it.log;
  EXPECT_THAT(it.log, HasSubstr("state\n"));
  EXPECT_THAT(it.log, HasSubstr("local_address"));
  EXPECT_THAT(it.log, Not(HasSubstr("REEVE_LLM")));
  EXPECT_THAT(it.log, Not(HasSubstr("llm")));
  EXPECT_THAT(it.log, Not(HasSubstr("0100007F:257C"))) << "nothing listens on 9596";
  const auto refused =
      it.api.post("/api/runs/launch",
                  support::inline_launch({support::shell_task(
                      "ask", "true", {{"env", {{"REEVE_LLM_TOKEN", {{"plain", "mine"}}}}}})}));
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(support::pointer_of(refused), HasSubstr("/params/env/REEVE_LLM_TOKEN"));
}

TEST(LLM4_jobs_call, with_a_token_that_is_the_attempts_alone) {
  REEVE_TEST_TIME_LIMIT(120);
  calling_house it;
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(it.api));
  it.allow(true);
  const auto [first, token] = it.begin(until_cancelled);
  const auto [second, other] = it.begin(until_cancelled);
  EXPECT_EQ(token.size(), 116U);
  EXPECT_NE(token, other);
  // Each counts to its own, whatever the call says of itself.
  const auto got = it.jobs(token).post(path, model_call, {{"X-Reeve-Run", second}});
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(it.newest_call().at("payload").at("run"), first);
  EXPECT_EQ(it.jobs(other).post(path, model_call).status, 200);
  EXPECT_EQ(it.newest_call().at("payload").at("run"), second);
  // It opens nothing else, there or elsewhere; and nobody else's opens anything there.
  EXPECT_EQ(it.jobs(token).get("/llm/v1/models").status, 200);
  for (const char* target : {"/api/runs", "/api/whoami", "/metrics", "/readyz", "/"}) {
    EXPECT_EQ(it.jobs(token).get(target).status, 404) << target;
    EXPECT_EQ(it.jobs(it.api.token()).get(target).status, 401) << target;
  }
  EXPECT_EQ(it.jobs(it.api.token()).post(path, model_call).status, 401);
  EXPECT_EQ(it.api.as(token).get("/api/runs").status, 401);
  EXPECT_EQ(it.api.as(token).post(path, model_call).status, 401);
  auto changed = token;
  changed.back() = changed.back() == 'A' ? 'B' : 'A';
  EXPECT_EQ(it.jobs(changed).post(path, model_call).status, 401);
  // It ends with the attempt.
  EXPECT_EQ(it.api.post("/api/runs/" + first + "/cancel", json::object()).status, 202);
  support::await_run(it.api, first);
  const auto late = it.jobs(token).post(path, model_call);
  EXPECT_EQ(late.status, 401);
  EXPECT_EQ(late.json().at("error").at("type"), "authentication_error");
  EXPECT_EQ(it.jobs(other).post(path, model_call).status, 200) << "the other one still runs";
  EXPECT_EQ(it.api.post("/api/runs/" + second + "/cancel", json::object()).status, 202);
  support::await_run(it.api, second);
}

/// The token is made again from the key, and the folder in the container is the same.
TEST(LLM4_jobs_call, go_on_where_another_server_takes_over) {
  REEVE_TEST_TIME_LIMIT(180);
  calling_house it;
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(it.api));
  it.allow(true);
  server second(it.standby());
  second.start_without_waiting();
  ASSERT_TRUE(support::eventually([&] { return second.standby_address().has_value(); }));
  const auto key = second.data() / "secrets.key";
  std::ofstream(key) << support::contents_of(it.reeve.data() / "secrets.key");
  std::filesystem::permissions(key, std::filesystem::perms(0600));
  struct stat about {};
  ASSERT_EQ(::stat(second.data().c_str(), &about), 0);
  ASSERT_EQ(::chown(key.c_str(), about.st_uid, about.st_gid), 0);
  const auto [run, token] =
      it.begin("until " + ask("$REEVE_LLM_TOKEN") + " | grep -q enough; do sleep 0.1; done");
  EXPECT_TRUE(support::eventually([&] { return it.upstream.calls().size() > 2; }));
  it.reeve.kill_hard();
  second.await_ready();
  const support::api_client api(second.address(), it.api.token());
  const auto before = it.upstream.calls().size();
  EXPECT_TRUE(support::eventually([&] { return it.upstream.calls().size() > before + 2; }))
      << "the job calls no more";
  EXPECT_EQ(it.told_upstream(), token) << "it is the same process with the same token";
  EXPECT_EQ(it.jobs(token).post(path, model_call).status, 200);
  const json event =
      must_get(api, "/api/events?order=desc&limit=1&type=llm_call_recorded").at("results").at(0);
  EXPECT_EQ(event.at("payload").at("run"), run);
  it.upstream.answer(200, R"({"choices":[{"message":{"content":"enough"}}]})");
  const json done = support::await_run(api, run);
  EXPECT_EQ(done.at("status"), "success") << done.dump(1);
  EXPECT_EQ(job_named(done, "ask").at("attempts").size(), 1U);
  EXPECT_EQ(it.jobs(token).post(path, model_call).status, 401);
}

TEST(LLM4_jobs_call, are_refused_before_the_upstream_while_the_log_is_away) {
  REEVE_TEST_TIME_LIMIT(120);
  support::private_cluster cluster;
  calling_house it(support::real_engine(), cluster.create_database("app"));
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(it.api));
  it.allow(true);
  const auto [run, token] = it.begin(until_cancelled);
  EXPECT_EQ(it.jobs(token).post(path, model_call).status, 200);
  const auto readiness = [&it] { return it.reeve.anonymous().get("/readyz").status; };
  const auto before = it.upstream.calls().size();
  cluster.stop();
  ASSERT_TRUE(support::eventually([&] { return readiness() == 503; }));
  const auto refused = it.jobs(token).post(path, model_call);
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(refused.json().at("error").at("code"), "log_unavailable");
  EXPECT_NE(refused.header("Retry-After"), "");
  EXPECT_EQ(it.upstream.calls().size(), before) << "models are not free meanwhile";
  cluster.start();
  ASSERT_TRUE(support::eventually([&] { return readiness() == 200; }));
  EXPECT_EQ(it.jobs(token).post(path, model_call).status, 200);
  EXPECT_EQ(it.newest_call().at("payload").at("run"), run);
  EXPECT_EQ(it.api.post("/api/runs/" + run + "/cancel", json::object()).status, 202);
  support::await_run(it.api, run);
}

TEST(P15_jobs_call, what_was_said_and_the_token_are_nowhere) {
  REEVE_TEST_TIME_LIMIT(180);
  calling_house it;
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(it.api));
  it.allow(true);
  const std::string before = support::contents_of(support::cluster_log());
  const std::string marker = "Zqx7 wrote that Wrn8 keeps the key of Vqz5 under Hjt2";
  const json run =
      it.run(ask("$REEVE_LLM_TOKEN") + " >/dev/null; " +
             ask("$(printf '%s%s' 'Zqx7 wrote that Wrn8 keeps ' 'the key of Vqz5 under Hjt2')") +
             " >/dev/null; echo \"mine is $REEVE_LLM_TOKEN\"; "
             "printf %s \"$REEVE_LLM_TOKEN\" | base64 | tr -d '\\n'; env");
  EXPECT_EQ(run.at("status"), "success") << run.dump(1);
  const auto calls = it.upstream.calls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_THAT(calls[1], HasSubstr(marker));
  const auto at = calls[0].find("rva_");
  ASSERT_NE(at, std::string::npos);
  const std::string token = calls[0].substr(at, 116);
  EXPECT_THAT(it.log, HasSubstr("mine is [redacted:"));
  auto traces = support::traces_of(token);
  EXPECT_THAT(support::found_in(it.log, traces), IsEmpty());
  auto database = it.reeve.database();
  EXPECT_THAT(support::columns_with(database, traces), IsEmpty());
  for (const char* place : {"/metrics", "/api/events?limit=500", "/api/runs", "/api/jobs",
                            "/api/llm-usage?group_by=run", "/api/agents"}) {
    EXPECT_THAT(support::found_in(it.api.get(place).body, traces), IsEmpty()) << place;
  }
  // The marker stands in the command, which the tenant wrote; in halves.
  const auto words = std::vector<std::string>{marker, "keeps the key of"};
  for (const char* place : {"/metrics", "/api/events?limit=500", "/api/llm-usage?group_by=run"}) {
    for (const auto& word : words) {
      EXPECT_THAT(it.api.get(place).body, Not(HasSubstr(word))) << place;
    }
  }
  EXPECT_THAT(it.log, Not(HasSubstr(marker)));
  const auto exported = it.reeve.command({"export"});
  EXPECT_THAT(support::found_in(exported.output, traces), IsEmpty());
  EXPECT_THAT(exported.output, Not(HasSubstr("Yfp3")));
  EXPECT_EQ(it.reeve.stop(), 0);
  EXPECT_THAT(support::found_in(it.reeve.whole_log(), traces), IsEmpty());
  EXPECT_THAT(it.reeve.whole_log(), Not(HasSubstr(marker)));
  const std::string postgres = support::contents_of(support::cluster_log()).substr(before.size());
  EXPECT_THAT(support::found_in(postgres, traces), IsEmpty());
}

TEST(LLM4_jobs_door, is_there_with_models_only_and_goes_with_the_server) {
  calling_house it("simulated");
  struct stat about {};
  ASSERT_EQ(::lstat(it.socket().c_str(), &about), 0);
  EXPECT_TRUE(S_ISSOCK(about.st_mode));
  EXPECT_EQ(it.jobs("rva_" + std::string(112, 'A')).post(path, model_call).status, 401);
  EXPECT_EQ(it.reeve.stop(), 0);
  EXPECT_NE(::lstat(it.socket().c_str(), &about), 0);
  const server without;
  EXPECT_FALSE(std::filesystem::exists(without.data() / "llm"));
}
