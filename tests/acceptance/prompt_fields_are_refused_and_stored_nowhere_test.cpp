// The routes for language models take numbers and the name of a model. Whatever text is put into
// any other place of such a request is refused, and is then in no table, log, metric or answer, in
// no form. What makes this worth something is the control: the same search finds a text that may
// be kept, and texts that were planted.

#include "tests/support/search.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::must_get;
using support::server;

namespace {

/// Longer than the name of a model may be, in every form of it, and each piece is unlike any word.
const std::string marker =
    "Zqx7 wrote: \"my vault opens with 4711/kLm+9\" & then 60%; Yfp3 answered <no, ask Wrn8 about "
    "it> \\o/ and Vqz5 agreed {quietly}.";
/// Another one, for what may be kept.
const std::string control = "Qjk2-may-stand-in-a-label Xvb4";

class llm_job {
 public:
  llm_job() : api(reeve.api()) {
    support::allow_image(api);
    json body = support::inline_launch({support::box_task("a", {"true"})});
    body["labels"] = {{"note", control}};
    const json run = support::launch(api, body);
    id = run.at("jobs").at(0).at("id");
    run_id = run.at("id");
    support::await_run(api, run_id);
    path = "/api/jobs/" + id + "/llm-calls";
  }
  server reeve;
  support::api_client api;
  std::string id;
  std::string run_id;
  std::string path;
};

json valid() {
  return {{"model_name", "org/m-1:8b"}, {"prompt_tokens", 150}, {"completion_tokens", 300}};
}

std::vector<std::string> forms() {
  return {marker, support::base64_of(marker), support::hex_of(marker),
          support::url_encoded(marker)};
}

/// Bodies with the marker in every place where a text can stand.
std::vector<std::string> bodies() {
  std::vector<std::string> all;
  for (const auto& form : forms()) {
    for (const char* name : {"prompt", "completion", "messages", "input", "output", "text",
                             "content", "system", "metadata", "id", "job_id", "Prompt_Tokens"}) {
      json body = valid();
      body[name] = form;
      all.push_back(body.dump());
    }
    for (const char* name : {"model_name", "prompt_tokens", "total_tokens", "latency_ms"}) {
      json body = valid();
      body[name] = form;
      all.push_back(body.dump());
    }
    json deep = valid();
    deep["messages"] = {{{"role", "user"}, {"content", {form, form}}}};
    all.push_back(deep.dump());
    json key = valid();
    key[form] = 1;
    all.push_back(key.dump());
    all.push_back(json(form).dump());
    all.push_back(json::array({form}).dump());
    all.push_back(form);
    // Cut in the middle, twice the same key, something behind the end.
    all.push_back(R"({"model_name":"m","prompt":)" + json(form).dump());
    all.push_back(R"({"model_name":"m","model_name":)" + json(form).dump() + "}");
    all.push_back(valid().dump() + form);
  }
  all.push_back(R"({"model_name":"m","prompt_tokens":1,"completion_tokens":1,"prompt":")" +
                support::json_escaped(marker) + "\"}");
  return all;
}

/// Requests with the marker outside of the body, as far as HTTP lets it stand there.
std::vector<support::http_request> places(const std::string& path) {
  std::vector<support::http_request> all;
  const std::string url = support::url_encoded(marker);
  const auto post = [&](std::string target, support::header_list headers) {
    headers.emplace_back("Content-Type", "application/json");
    all.push_back({"POST", std::move(target), std::move(headers), valid().dump()});
  };
  for (const auto& form : forms()) {
    for (const char* name : {"User-Agent", "Referer", "X-Prompt", "Cookie", "X-Request-Id",
                             "Idempotency-Key", "traceparent", "tracestate", "If-Match", "Accept",
                             "Accept-Language", "Last-Event-ID", "Reeve-Min-Position", "From"}) {
      post(path, {{name, form}});
    }
    all.push_back({"POST", path, {{"Content-Type", form}}, valid().dump()});
    all.push_back({"POST", path, {{"Authorization", form}}, valid().dump()});
    all.push_back({"POST", path, {{"Authorization", "Bearer " + form}}, valid().dump()});
  }
  post(path + "?prompt=" + url, {});
  post(path + "?" + url + "=1", {});
  post(path + "/" + url, {});
  post("/api/jobs/" + url + "/llm-calls", {});
  all.push_back({"GET", path + "?cursor=" + url, {}, {}});
  all.push_back({"GET", path + "?limit=" + url, {}, {}});
  all.push_back({"DELETE", path + "?prompt=" + url, {}, {}});
  return all;
}

}  // namespace

TEST(LLM1_calls, keep_counts_and_nothing_else) {
  llm_job job;
  json body = valid();
  body["latency_ms"] = 1200;
  const auto answer = job.api.post(job.path, body);
  ASSERT_EQ(answer.status, 201) << answer.body;
  const json call = answer.json();
  EXPECT_EQ(call.at("total_tokens"), 450);
  EXPECT_EQ(call.at("model_name"), "org/m-1:8b");
  EXPECT_EQ(call.at("job_id"), job.id);
  EXPECT_EQ(job.api
                .post(job.path, {{"model_name", "m"},
                                 {"prompt_tokens", 1},
                                 {"completion_tokens", 2},
                                 {"total_tokens", 3}})
                .status,
            201);
  const json calls = must_get(job.api, job.path).at("results");
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[1], call);
  const json usage = {
      {"calls", 2}, {"prompt_tokens", 151}, {"completion_tokens", 302}, {"total_tokens", 453}};
  EXPECT_EQ(must_get(job.api, "/api/jobs/" + job.id).at("llm_usage"), usage);
  EXPECT_EQ(must_get(job.api, "/api/runs/" + job.run_id).at("llm_usage"), usage);
}

TEST(LLM1_calls, are_refused_with_the_name_of_the_field) {
  llm_job job;
  const std::pair<json, std::string> wrong[] = {
      {{{"prompt", "x"}}, "/prompt"},
      {{{"completion", "x"}}, "/completion"},
      {{{"messages", json::array()}}, "/messages"},
      {{{"total_tokens", 451}}, "/total_tokens"},
      {{{"prompt_tokens", -1}}, "/prompt_tokens"},
      {{{"prompt_tokens", "150"}}, "/prompt_tokens"},
      {{{"prompt_tokens", 1.5}}, "/prompt_tokens"},
      {{{"completion_tokens", 1'000'000'001}}, "/completion_tokens"},
      {{{"latency_ms", -5}}, "/latency_ms"},
      {{{"model_name", ""}}, "/model_name"},
      {{{"model_name", "a model of mine"}}, "/model_name"},
  };
  for (const auto& [more, pointer] : wrong) {
    json body = valid();
    body.update(more);
    const auto answer = job.api.post(job.path, body);
    EXPECT_EQ(answer.status, 422) << body << answer.body;
    EXPECT_EQ(support::pointer_of(answer), pointer) << answer.body;
  }
  for (const char* name : {"model_name", "prompt_tokens", "completion_tokens"}) {
    json body = valid();
    body.erase(name);
    EXPECT_EQ(support::pointer_of(job.api.post(job.path, body)), std::string("/") + name);
  }
  EXPECT_EQ(
      job.api.post("/api/jobs/0190a000-0000-7000-8000-000000000000/llm-calls", valid()).status,
      404);
  EXPECT_EQ(must_get(job.api, job.path).at("results").size(), 0U);
}

TEST(P15_search, finds_what_was_planted_in_every_kind_of_column) {
  llm_job job;
  auto database = job.reeve.database();
  EXPECT_TRUE(support::columns_with(database, support::traces_of(marker)).empty());
  const auto kept = support::columns_with(database, support::traces_of(control));
  EXPECT_THAT(kept, testing::Contains("reeve_read.run_labels.value"));
  EXPECT_THAT(kept, testing::Contains(testing::StartsWith("reeve.events")));
  database.exec(
      "CREATE SCHEMA planted; CREATE TABLE planted.t (a text, b bytea, c jsonb, d text[])");
  const std::vector<support::pg_cell> values = {
      "x" + support::hex_of(marker), "y" + support::base64_of("ab" + marker),
      json({{"k", support::url_encoded(marker)}}).dump(), marker};
  database.query("INSERT INTO planted.t VALUES ($1, convert_to($2, 'UTF8'), $3::jsonb, ARRAY[$4])",
                 values);
  EXPECT_THAT(
      support::columns_with(database, support::traces_of(marker)),
      testing::UnorderedElementsAre("planted.t.a", "planted.t.b", "planted.t.c", "planted.t.d"));
}

TEST(P15_prompts, are_refused_and_then_nowhere) {
  REEVE_TEST_TIME_LIMIT(60);
  llm_job job;
  const auto traces = support::traces_of(marker);
  const std::string before = support::contents_of(support::cluster_log());
  std::size_t refused = 0;
  for (const auto& body : bodies()) {
    const auto answer = job.api.call({"POST", job.path, {}, body});
    EXPECT_TRUE(answer.status == 422 || answer.status == 400) << answer.status << " " << body;
    EXPECT_TRUE(support::found_in(answer.body, traces).empty()) << answer.body;
    ++refused;
  }
  EXPECT_GT(refused, 60U);
  for (const auto& request : places(job.path)) {
    const auto answer = job.api.call(request);
    EXPECT_LT(answer.status, 500) << answer.body;
    EXPECT_TRUE(support::found_in(answer.body, traces).empty()) << answer.body;
    for (const auto& [name, value] : answer.headers) {
      EXPECT_TRUE(support::found_in(value, traces).empty()) << name << ": " << value;
    }
  }
  auto database = job.reeve.database();
  EXPECT_THAT(support::columns_with(database, traces), testing::IsEmpty());
  const auto metrics = job.api.get("/metrics").body;
  EXPECT_THAT(metrics, testing::HasSubstr("reeve_"));
  EXPECT_TRUE(support::found_in(metrics, traces).empty());
  const auto everything = job.api.get("/api/events?limit=500").body;
  EXPECT_TRUE(support::found_in(everything, traces).empty());
  EXPECT_FALSE(support::found_in(everything, support::traces_of(control)).empty());
  EXPECT_EQ(job.reeve.stop(), 0);
  const std::string log = job.reeve.whole_log();
  EXPECT_THAT(log, testing::HasSubstr("reeve: ready on"));
  EXPECT_TRUE(support::found_in(log, traces).empty());
  const std::string postgres = support::contents_of(support::cluster_log()).substr(before.size());
  EXPECT_TRUE(support::found_in(postgres, traces).empty());
  EXPECT_THAT(before, testing::HasSubstr("database system is ready"));
}
