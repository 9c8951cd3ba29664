#include "tests/unit/api/routes/routes_world.hpp"

#include <gtest/gtest.h>
#include <set>
#include <utility>

using namespace routes_fixture;

namespace {

/// A finished run with one job, whose log is longer than a piece of a blob.
struct finished_run {
  explicit finished_run(const std::string& artifact = "report \"1\".json") {
    finish_another(artifact);
  }
  void finish_another(const std::string& artifact = "report \"1\".json") {
    const auto made = it.ask("operator", "POST /api/runs/launch", "{}");
    run = made.at("id");
    job = made.at("jobs/0/id");
    it.commands.finish(parse_uuid(run).value(), domain::end_reason::completed, log, artifact);
  }
  answer ask(const std::string& rest, const std::string& token = "viewer",
             const std::string& fields = "") {
    return it.ask(token, "GET /api/jobs/" + job + rest, "", fields);
  }
  answer record(const std::string& body, const std::string& fields = "") {
    return it.ask("operator", "POST /api/jobs/" + job + "/llm-calls", body, fields);
  }

  world it;
  std::string log = std::string(300'000, 'a') + "end";
  std::string run, job;
};

}  // namespace

TEST(RUN4_jobs, are_listed_and_shown) {
  finished_run r;
  const auto shown = r.ask("");
  EXPECT_EQ(shown.status, 200) << shown.body;
  EXPECT_EQ(shown.at("run_id"), r.run);
  EXPECT_EQ(shown.at("job_id"), r.job);
  EXPECT_EQ(shown.at("state"), "succeeded");
  EXPECT_EQ(shown.at("attempts/0/number"), "1");
  for (const auto& path : {"/api/jobs?run=" + r.run, "/api/runs/" + r.run + "/jobs",
                           std::string("/api/jobs?status=completed"),
                           std::string("/api/jobs?task=task1&status=success")}) {
    EXPECT_EQ(r.it.ask("viewer", "GET " + path).at("results/0/id"), r.job) << path;
  }
  EXPECT_EQ(r.it.ask("viewer", "GET /api/jobs?task=task2").at("results"), "[]");
  for (const char* query : {"task=x", "status=x", "run=x", "limit=x"}) {
    EXPECT_EQ(r.it.ask("viewer", "GET /api/jobs?" + std::string(query)).status, 422) << query;
  }
}

TEST(RUN4_jobs, what_is_not_there_is_not_there) {
  finished_run r;
  for (const char* rest : {"", "/logs", "/artifacts", "/artifacts/x", "/llm-calls"}) {
    EXPECT_EQ(r.ask(rest, "stranger").status, 404) << rest;
    EXPECT_EQ(r.it.ask("viewer", "GET /api/jobs/slurm:17" + std::string(rest)).status, 404);
  }
  EXPECT_EQ(r.it.ask("stranger", "GET /api/runs/" + r.run + "/jobs").status, 404);
  EXPECT_EQ(r.it.ask("stranger", "POST /api/jobs/" + r.job + "/llm-calls", "{}").status, 404);
}

TEST(RUN14_jobs, logs_are_downloaded_piece_by_piece) {
  finished_run r;
  for (const char* query : {"", "?attempt=1"}) {
    const auto got = r.ask("/logs" + std::string(query));
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(got.drained(), r.log);
  }
  EXPECT_EQ(r.ask("/logs?attempt=2").status, 404);
  for (const char* wrong : {"x", "", "0", "-1"}) {
    const auto got = r.ask("/logs?attempt=" + std::string(wrong));
    EXPECT_EQ(got.status, 422) << wrong;
    EXPECT_EQ(got.at("errors/0/pointer"), "/query/attempt") << got.body;
  }
  const auto fresh = r.it.ask("operator", "POST /api/runs/launch", "{}").at("jobs/0/id");
  const auto none = r.it.ask("viewer", "GET /api/jobs/" + fresh + "/logs");
  EXPECT_EQ(none.status, 200);
  EXPECT_EQ(none.drained(), "");
}

TEST(RUN14_jobs, of_a_log_one_stream_is_downloaded) {
  finished_run r;
  const std::string text = "one\ntwo\n[reeve: 7 bytes left out]\nfour";
  const std::string out = "one\n[reeve: 7 bytes left out]\nfour";
  const std::string err = "two\n[reeve: 7 bytes left out]\n";
  EXPECT_EQ(r.ask("/logs").header("Reeve-Log-Streams"), "unknown");
  const auto refused = r.ask("/logs?stream=stderr");
  EXPECT_EQ(refused.status, 409) << "of an older log nobody guesses";
  EXPECT_EQ(refused.at("errors/0/pointer"), "/query/stream");
  r.log = text;
  r.it.reads.know_streams(named("tenant"), text, "oero");
  r.finish_another();
  const auto whole = r.ask("/logs");
  EXPECT_EQ(whole.drained(), text);
  EXPECT_EQ(whole.header("Reeve-Log-Streams"), "known");
  std::set<std::string> tags{whole.header("ETag")};
  for (const auto& [stream, expected] : {std::pair("stdout", out), std::pair("stderr", err)}) {
    const auto got = r.ask("/logs?stream=" + std::string(stream));
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(got.drained(), expected);
    EXPECT_EQ(got.header("Reeve-Log"), "whole");
    EXPECT_TRUE(tags.insert(got.header("ETag")).second) << "other bytes have another tag";
    const auto again = "If-None-Match: " + got.header("ETag") + "\r\n";
    EXPECT_EQ(r.ask("/logs?attempt=1&stream=" + std::string(stream), "viewer", again).status, 304);
  }
  for (const char* wrong : {"stdin", "", "STDERR", "reeve"}) {
    const auto got = r.ask("/logs?stream=" + std::string(wrong));
    EXPECT_EQ(got.status, 422) << wrong;
    EXPECT_EQ(got.at("errors/0/pointer"), "/query/stream");
  }
}

TEST(RUN14_jobs, a_log_of_one_stream_is_that_stream) {
  finished_run r;
  r.log = "one\ntwo\n";
  r.it.reads.know_streams(named("tenant"), r.log, "ee");
  r.finish_another();
  EXPECT_EQ(r.ask("/logs?stream=stderr").drained(), r.log);
  EXPECT_EQ(r.ask("/logs?stream=stderr").header("ETag"), r.ask("/logs").header("ETag"));
  EXPECT_EQ(r.ask("/logs?stream=stdout").drained(), "");
  const auto fresh = r.it.ask("operator", "POST /api/runs/launch", "{}").at("jobs/0/id");
  const auto none = r.it.ask("viewer", "GET /api/jobs/" + fresh + "/logs?stream=stderr");
  EXPECT_EQ(none.status, 200);
  EXPECT_EQ(none.header("Reeve-Log"), "pending");
  EXPECT_EQ(none.drained(), "");
}

TEST(P26_quarantine, is_listed_and_decided_about_by_an_operator) {
  world it;
  const auto made = it.ask("operator", "POST /api/runs/launch", "{}");
  const auto job = made.at("jobs/0/id");
  for (const std::string word : {"retry", "discard"}) {
    const auto path = "POST /api/jobs/" + job + "/" + word;
    EXPECT_EQ(it.ask("operator", path).status, 409) << "it is not quarantined";
    EXPECT_EQ(it.ask("viewer", "GET /api/jobs?is_quarantined=true").at("results"), "[]");
    it.commands.quarantine(parse_uuid(made.at("id")).value());
    const auto found = it.ask("viewer", "GET /api/jobs?is_quarantined=true");
    EXPECT_EQ(found.at("results/0/id"), job);
    EXPECT_EQ(found.at("results/0/pending_reason"), "quarantined");
    EXPECT_EQ(it.ask("stranger", "GET /api/jobs?is_quarantined=true").at("results"), "[]");
    EXPECT_EQ(it.ask("viewer", path).status, 403);
    EXPECT_EQ(it.ask("stranger", path).status, 404);
    EXPECT_EQ(it.ask("operator", path, R"({"force":1})").at("errors/0/pointer"), "/force");
    EXPECT_EQ(it.ask("operator", path, "{\"reason\":\"" + std::string(513, 'r') + "\"}")
                  .at("errors/0/pointer"),
              "/reason");
    EXPECT_EQ(it.ask("operator", path, "", "If-Match: \"old\"\r\n").status, 412);
    const auto tag = it.ask("viewer", "GET /api/jobs/" + job).header("ETag");
    const auto got =
        it.ask("operator", path, R"({"reason":"seen to"})", "If-Match: " + tag + "\r\n");
    EXPECT_EQ(got.status, 202) << got.body;
    EXPECT_EQ(got.at("id"), job);
    EXPECT_EQ(got.at("status"), word == "retry" ? "running" : "failed");
    const auto said = word == "retry" ? "work_released" : "work_discarded";
    const auto events = it.ask("viewer", std::string("GET /api/events?type=") + said);
    EXPECT_EQ(events.at("results/0/payload/reason"), "seen to");
  }
  EXPECT_EQ(it.ask("operator", "POST /api/jobs/x/retry").status, 404);
  EXPECT_EQ(it.ask("viewer", "GET /api/jobs?is_quarantined=maybe").status, 422);
}

TEST(RUN4_jobs, artifacts_are_downloads) {
  finished_run r;
  const auto list = r.ask("/artifacts");
  EXPECT_EQ(list.at("results/0/name"), "report \"1\".json");
  EXPECT_EQ(list.at("results/0/bytes"), std::to_string(r.log.size()));
  EXPECT_EQ(list.at("results/0/sha256"), to_hex(sha256(r.log)));
  EXPECT_EQ(r.ask("/artifacts/absent.json").status, 404);
}

TEST(P23_jobs, a_download_is_named_safely) {
  finished_run r("r\xc3\xa9port.json");
  const auto got = r.ask("/artifacts/r%C3%A9port.json");
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.content_type, "application/json");
  EXPECT_EQ(got.header("Content-Disposition"),
            "attachment; filename=\"r__port.json\"; filename*=UTF-8''r%c3%a9port.json");
  EXPECT_EQ(got.drained(), r.log);
}

TEST(LLM1_calls, are_recorded_and_listed) {
  finished_run r;
  const auto made = r.record(R"({"model_name":"m-1","prompt_tokens":3,"completion_tokens":4,)"
                             R"("latency_ms":5})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("total_tokens"), "7");
  EXPECT_EQ(made.at("job_id"), r.job);
  EXPECT_EQ(made.at("run_id"), r.run);
  EXPECT_FALSE(made.header("Reeve-Position").empty());
  EXPECT_EQ(r.ask("/llm-calls").at("results/0/id"), made.at("id"));
  EXPECT_EQ(r.ask("/llm-calls").at("results/1"), "");
}

TEST(LLM1_calls, anything_else_is_refused_and_not_kept) {
  finished_run r;
  const auto before = r.it.reads.head();
  const std::string counts = R"("model_name":"m","prompt_tokens":1,"completion_tokens":2)";
  for (const char* field : {"prompt", "completion", "messages", "text", "cost"}) {
    const auto got = r.record("{" + counts + ",\"" + field + "\":\"MARKER\"}");
    EXPECT_EQ(got.status, 422) << field;
    EXPECT_EQ(got.at("code"), "unknown_field");
    EXPECT_EQ(got.at("errors/0/pointer"), "/" + std::string(field));
    EXPECT_EQ(got.body.find("MARKER"), std::string::npos);
  }
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"model_name":"tell me all","prompt_tokens":1,"completion_tokens":2})", "/model_name"},
      {R"({"model_name":"m","prompt_tokens":-1,"completion_tokens":2})", "/prompt_tokens"},
      {R"({"model_name":"m","prompt_tokens":1,"completion_tokens":"2"})", "/completion_tokens"},
      {R"({"model_name":"m","prompt_tokens":1,"completion_tokens":2,"total_tokens":4})",
       "/total_tokens"}};
  for (const auto& [body, pointer] : wrong) {
    EXPECT_EQ(r.record(body).at("errors/0/pointer"), pointer) << body;
  }
  EXPECT_EQ(r.it.reads.head(), before);
  for (const auto& e : r.it.reads.log) EXPECT_EQ(e.payload.find("MARKER"), std::string::npos);
}

TEST(EV3_calls, are_counted_once_per_key) {
  finished_run r;
  const std::string key = "Idempotency-Key: call-1\r\n";
  const std::string body = R"({"model_name":"m","prompt_tokens":1,"completion_tokens":2})";
  const auto first = r.record(body, key);
  r.record(body);
  const auto head = r.it.reads.head();
  EXPECT_EQ(r.record(body, key).body, first.body);
  EXPECT_EQ(r.it.reads.head(), head);
}
