// A client of OpenAI's protocol calls language models through Reeve: the call goes to an upstream
// that has the model and answers, its tokens are counted and its budget is minded, and nothing of
// what was said is anywhere afterwards.

#include "tests/support/llm_upstream.hpp"
#include "tests/support/search.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::eventually;
using support::must_get;
using support::server;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

const std::string chat = "/llm/v1/chat/completions";

json chat_question(const std::string& model = "m-1") {
  return {{"model", model}, {"messages", {{{"role", "user"}, {"content", "how are you"}}}}};
}

json answer_of(int prompt, int completion) {
  return {{"id", "x"},
          {"object", "chat.completion"},
          {"choices", {{{"index", 0}, {"message", {{"role", "assistant"}, {"content", "well"}}}}}},
          {"usage",
           {{"prompt_tokens", prompt},
            {"completion_tokens", completion},
            {"total_tokens", prompt + completion}}}};
}

std::string chunk(const std::string& text) {
  const json choice = {{"index", 0}, {"delta", {{"content", text}}}};
  json made = json::object();
  made["choices"] = json::array({choice});
  return made.dump();
}

/// Two upstreams: `a` has m-1 and m-2, `b` has m-1 alone. Both have been looked at.
class house {
 public:
  explicit house(const std::string& drain_s = "10")
      : folder(support::work_dir(), "llm"), reeve(options(drain_s)), api(reeve.api()) {
    a.answer(200, answer_of(5, 7).dump());
    b.answer(200, answer_of(5, 7).dump());
    EXPECT_TRUE(eventually([this] {
      const json routes = must_get(api, "/api/inference/routes").at("results");
      for (const json& model : routes) {
        for (const json& one : model.at("candidates")) {
          if (one.at("verdict") != "possible") return false;
        }
      }
      return routes.size() == 2;
    }));
  }

  json newest_event() const {
    return must_get(api, "/api/events?order=desc&limit=1&type=llm_call_recorded")
        .at("results")
        .at(0);
  }
  std::size_t recorded() const {
    return must_get(api, "/api/events?limit=500&type=llm_call_recorded").at("results").size();
  }

  support::llm_upstream a, b;
  support::scratch_dir folder;
  server reeve;
  support::api_client api;

 private:
  support::server_options options(const std::string& drain_s) const {
    std::ofstream(folder.path() / "key") << "sk-of-the-upstream\n";
    const json file = {
        {"prices",
         {{"m-1",
           {{"prompt_micros_per_million", 1000000}, {"completion_micros_per_million", 2000000}}}}},
        {"upstreams",
         {{{"name", "a"},
           {"url", a.url()},
           {"models", {"m-1", "m-2"}},
           {"key_file", (folder.path() / "key").string()}},
          {{"name", "b"}, {"url", b.url()}, {"models", {"m-1"}}}}}};
    std::ofstream(folder.path() / "llm.json") << file.dump();
    support::server_options made;
    made.environment["REEVE_DRAIN_S"] = drain_s;
    made.environment["REEVE_LLM"] = (folder.path() / "llm.json").string();
    return made;
  }
};

std::string code_of(const support::http_response& got) {
  return got.json().at("error").at("code").get<std::string>() + " " + std::to_string(got.status);
}

support::http_request streaming(const json& more = json::object()) {
  json body = chat_question("m-2");
  body["stream"] = true;
  body.update(more);
  return {"POST", chat, {{"Content-Type", "application/json"}}, body.dump()};
}

/// The data of all events of an answer.
std::vector<std::string> data_of(const support::http_response& got) {
  std::vector<std::string> all;
  std::size_t at = 0;
  for (auto end = got.body.find("\n\n"); end != std::string::npos;
       end = got.body.find("\n\n", at)) {
    EXPECT_THAT(got.body.substr(at, end - at), StartsWith("data: "));
    all.push_back(got.body.substr(at + 6, end - at - 6));
    at = end + 2;
  }
  EXPECT_EQ(at, got.body.size());
  return all;
}

/// All of an answer that is cut, as it comes: its last chunk does not.
std::string cut_answer(house& it, support::http_request request) {
  request.headers.emplace_back("Authorization", "Bearer " + it.api.token());
  support::http_connection line(it.reeve.address());
  line.send(support::render(request));
  auto text = line.read_to_end();
  EXPECT_THAT(text, Not(testing::EndsWith("\r\n0\r\n\r\n")));
  return text;
}

}  // namespace

TEST(LLM4_pass, answers_as_the_upstream_does_and_counts_what_it_came_to) {
  house it;
  const auto got = it.api.post(chat, chat_question("m-2"));
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.json(), answer_of(5, 7));
  EXPECT_EQ(got.header("Content-Type"), "application/json");
  ASSERT_EQ(it.a.calls().size(), 1U);
  const std::string call = it.a.calls()[0];
  EXPECT_THAT(call, StartsWith("POST /v1/chat/completions HTTP/1.1\r\n"));
  EXPECT_THAT(call, HasSubstr("Authorization: Bearer sk-of-the-upstream\r\n"));
  EXPECT_THAT(call, Not(HasSubstr(it.api.token()))) << "the caller's token is Reeve's alone";
  EXPECT_THAT(call, HasSubstr("\r\n\r\n" + chat_question("m-2").dump()));
  const json event = it.newest_event();
  EXPECT_EQ(event.at("payload").at("prompt_tokens"), 5);
  EXPECT_EQ(event.at("payload").at("completion_tokens"), 7);
  EXPECT_EQ(event.at("payload").at("upstream"), "a");
  EXPECT_EQ(event.at("payload").at("reason"), "only_one");
  EXPECT_EQ(event.at("principal"),
            "token:" + must_get(it.api, "/api/whoami").at("token_id").get<std::string>());
  EXPECT_EQ(it.api.post(chat, chat_question("m-1")).status, 200);
  const json models = must_get(it.api, "/api/llm-usage?group_by=model").at("results");
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(models[0].at("total_tokens"), 12);
  EXPECT_EQ(models[0].at("cost_micros"), 5 + 14) << models[0];
  const json runs = must_get(it.api, "/api/llm-usage?group_by=run").at("results");
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_TRUE(runs[0].at("run_id").is_null()) << "of no run";
  EXPECT_EQ(runs[0].at("calls"), 2);
  EXPECT_EQ(it.reeve.command({"replay"}).status, 0) << "the read models are what the log says";
}

TEST(LLM4_pass, refuses_in_openais_words_whatever_is_wrong_with_a_request) {
  house it;
  const auto as_json = [&it](support::http_request request) {
    return code_of(it.api.call(std::move(request)));
  };
  EXPECT_EQ(as_json({"GET", "/llm/v1/nothing", {}, {}}), "not_found 404");
  EXPECT_EQ(as_json({"GET", chat, {}, {}}), "method_not_allowed 405");
  EXPECT_EQ(as_json({"POST", chat, {{"Content-Type", "text/plain"}}, "x"}),
            "unsupported_media_type 415");
  EXPECT_EQ(as_json({"GET", "/llm/v1/models", {{"X-Long", std::string(17'000, 'x')}}, {}}),
            "headers_too_large 431");
  EXPECT_EQ(as_json({"GET", "/llm/v1/%zz", {}, {}}), "bad_request 400");
  EXPECT_EQ(it.api.get("/llm/v2/nothing").json().at("code"), "not_found") << "another's path";
}

TEST(GW1_openapi, describes_the_pass_through_with_errors_of_its_own) {
  server reeve;
  const json document = must_get(reeve.api(), "/api/openapi.json");
  const json words = {{"$ref", "#/components/responses/openai_error"}};
  for (const char* name : {"chat/completions", "completions", "embeddings"}) {
    const json one = document.at("paths").at(std::string("/llm/v1/") + name).at("post");
    EXPECT_EQ(one.at("responses").at("429"), words) << name;
    EXPECT_TRUE(one.at("responses").at("200").at("content").contains("text/event-stream"));
    EXPECT_EQ(one.at("tags"), json::array({"inference"}));
  }
  EXPECT_TRUE(document.at("paths").at("/llm/v1/models").contains("get"));
}

TEST(LLM4_pass, lists_models_and_forwards_embeddings_and_completions) {
  house it;
  const json models = must_get(it.api, "/llm/v1/models");
  EXPECT_EQ(models.at("object"), "list");
  EXPECT_EQ(models.at("data").at(1).at("id"), "m-2");
  it.a.answer(200, R"({"data":[],"usage":{"prompt_tokens":3,"total_tokens":3}})");
  EXPECT_EQ(it.api.post("/llm/v1/embeddings", {{"model", "m-2"}, {"input", "x"}}).status, 200);
  EXPECT_EQ(it.newest_event().at("payload").at("total_tokens"), 3);
  EXPECT_EQ(it.api.post("/llm/v1/completions", {{"model", "m-2"}, {"prompt", "x"}}).status, 200);
  EXPECT_THAT(it.a.calls()[0], StartsWith("POST /v1/embeddings "));
  EXPECT_THAT(it.a.calls()[1], StartsWith("POST /v1/completions "));
}

TEST(LLM4_pass, goes_on_where_one_upstream_has_no_room_and_tells_errors_in_openais_words) {
  house it;
  it.a.answer(503, "{}");
  it.b.answer(503, "{}");
  EXPECT_EQ(code_of(it.api.post(chat, chat_question())), "upstream_unavailable 503");
  EXPECT_EQ(it.a.calls().size() + it.b.calls().size(), 2U);
  it.b.answer(200, answer_of(1, 1).dump());
  EXPECT_EQ(it.api.post(chat, chat_question()).status, 200);
  EXPECT_EQ(it.newest_event().at("payload").at("upstream"), "b");
  EXPECT_EQ(it.recorded(), 1U) << "what was refused came to nothing";
  it.a.answer(400, R"({"error":{"message":"zqx7","code":"context_length_exceeded"}})");
  const auto refused = it.api.post(chat, chat_question("m-2"));
  EXPECT_EQ(code_of(refused), "context_length_exceeded 400");
  EXPECT_THAT(refused.body, Not(HasSubstr("zqx7")));
  it.a.answer(429, "{}", "Retry-After: 17\r\n");
  EXPECT_EQ(it.api.post(chat, chat_question("m-2")).header("Retry-After"), "17") << "as it asks";
  it.a.answer(307, "{}", "Location: " + it.b.url() + "/chat/completions\r\n");
  const auto before = it.b.calls().size();
  EXPECT_EQ(code_of(it.api.post(chat, chat_question("m-2"))), "upstream_failed 502");
  EXPECT_EQ(it.b.calls().size(), before) << "no redirect is followed";
  EXPECT_EQ(code_of(it.api.post(chat, chat_question("m-3"))), "model_not_found 404");
  EXPECT_EQ(code_of(it.api.post(chat, json::array())), "invalid_request 400");
  EXPECT_EQ(code_of(it.api.call({"POST", chat, {}, R"({"model":"m-1","MODEL":"m-2"})"})),
            "invalid_request 400");
  EXPECT_EQ(code_of(it.reeve.anonymous().post(chat, chat_question())), "unauthenticated 401");
  const auto viewer = it.api.as(support::new_token(it.api, "viewer"));
  EXPECT_EQ(code_of(viewer.post(chat, chat_question())), "forbidden 403");
}

TEST(LLM3_pass, is_refused_once_its_budget_is_spent) {
  house it;
  ASSERT_EQ(it.api
                .put("/api/llm-budgets/house",
                     {{"period", "month"}, {"most_tokens", 20}, {"model", "m-2"}})
                .status,
            200);
  EXPECT_EQ(it.api.post(chat, chat_question("m-2")).status, 200);
  EXPECT_EQ(it.api.post(chat, chat_question("m-2")).status, 200) << "8 tokens were left";
  EXPECT_EQ(it.newest_event().at("payload").at("over_budget"), true);
  const auto refused = it.api.post(chat, chat_question("m-2"));
  EXPECT_EQ(code_of(refused), "insufficient_quota 429");
  EXPECT_EQ(it.a.calls().size(), 2U);
  EXPECT_EQ(it.api.post(chat, chat_question("m-1")).status, 200) << "another model's";
  EXPECT_EQ(it.reeve.system_api().post(chat, chat_question("m-2")).status, 200)
      << "another tenant's";
}

TEST(LLM4_pass, streams_and_hides_the_counts_that_nobody_asked_for) {
  house it;
  const std::string counts =
      R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})";
  it.a.stream({chunk("we"), chunk("ll"), counts, "[DONE]"});
  const auto got = it.api.call(streaming());
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.header("Content-Type"), "text/event-stream");
  EXPECT_THAT(data_of(got), testing::ElementsAre(chunk("we"), chunk("ll"), "[DONE]"));
  EXPECT_EQ(it.newest_event().at("payload").at("total_tokens"), 5) << "it is recorded by then";
  EXPECT_THAT(it.a.calls()[0], HasSubstr(R"("stream_options":{"include_usage":true})"));
  const auto asked = it.api.call(streaming({{"stream_options", {{"include_usage", true}}}}));
  EXPECT_THAT(data_of(asked), testing::ElementsAre(chunk("we"), chunk("ll"), counts, "[DONE]"));
  it.a.answer(429, "{}");
  EXPECT_EQ(code_of(it.api.call(streaming())), "upstream_rate_limited 429");
}

TEST(LLM4_pass, of_an_upstream_that_breaks_off_says_so_and_is_counted) {
  house it;
  it.a.stream({chunk("we"), chunk("ll")});
  const auto text = cut_answer(it, streaming());
  EXPECT_THAT(text, HasSubstr("data: " + chunk("we") + "\n\n"));
  EXPECT_THAT(text, HasSubstr("data: " + chunk("ll") + "\n\n"));
  EXPECT_THAT(text, HasSubstr("\"code\":\"upstream_broke_off\""));
  EXPECT_THAT(text, Not(HasSubstr("[DONE]")));
  const json event = it.newest_event().at("payload");
  EXPECT_EQ(event.at("completion_tokens"), 2);
  EXPECT_EQ(event.at("is_estimate"), true);
  EXPECT_GT(event.at("prompt_tokens"), 10);
}

TEST(LLM4_pass, ends_at_the_upstream_when_the_client_goes) {
  house it;
  it.a.be_silent();
  const auto ask = [&it](bool streams) {
    const auto calls = it.a.calls().size();
    support::http_connection line(it.reeve.address());
    auto request = streaming();
    if (!streams) request.body = chat_question("m-2").dump();
    request.headers.emplace_back("Authorization", "Bearer " + it.api.token());
    line.send(support::render(request));
    EXPECT_TRUE(eventually([&] { return it.a.calls().size() > calls; }));
    if (streams) line.read_some();
  };
  ask(false);
  EXPECT_TRUE(eventually([&it] { return it.a.left_calls() == 1; }));
  EXPECT_TRUE(eventually([&it] { return it.recorded() == 1; })) << "it may have worked";
  it.a.stream({chunk("we")}, true);
  ask(true);
  EXPECT_TRUE(eventually([&it] { return it.a.left_calls() == 2; }));
  EXPECT_TRUE(eventually([&it] { return it.recorded() == 2; }));
  const json event = it.newest_event().at("payload");
  EXPECT_EQ(event.at("is_estimate"), true);
  // Nothing is left of them.
  const json routes = must_get(it.api, "/api/inference/routes?model=m-2").at("results");
  EXPECT_EQ(routes.at(0).at("candidates").at(0).at("calls"), 0);
  it.a.answer(200, answer_of(1, 1).dump());
  EXPECT_EQ(it.api.post(chat, chat_question("m-2")).status, 200);
}

TEST(P27_pass, that_waits_or_streams_when_the_server_stops_is_told_so) {
  house it("0");
  it.a.stream({chunk("we")}, true);
  const auto begin = [&it](support::http_connection& line, const support::http_request& what) {
    const auto calls = it.a.calls().size();
    auto request = what;
    request.headers.emplace_back("Authorization", "Bearer " + it.api.token());
    line.send(support::render(request));
    EXPECT_TRUE(eventually([&] { return it.a.calls().size() > calls; }));
  };
  support::http_connection streams(it.reeve.address()), waits(it.reeve.address());
  begin(streams, streaming());
  std::string text = streams.read_some();
  it.a.be_silent();
  begin(waits, {"POST", chat, {{"Content-Type", "application/json"}}, chat_question("m-2").dump()});
  EXPECT_EQ(it.reeve.stop(), 0);
  text += streams.read_to_end();
  EXPECT_THAT(text, HasSubstr("data: {\"error\":{\"message\":\"the server is stopping"));
  EXPECT_THAT(text, Not(HasSubstr("[DONE]")));
  EXPECT_EQ(code_of(waits.receive()), "unavailable 503");
}

TEST(P15_pass, what_was_said_is_nowhere) {
  REEVE_TEST_TIME_LIMIT(60);
  const std::string marker =
      "Zqx7 wrote: \"my vault opens with 4711/kLm+9\" & then 60%; Yfp3 answered <no, ask Wrn8 "
      "about it> \\o/ and Vqz5 agreed {quietly}.";
  house it;
  const auto traces = support::traces_of(marker);
  const std::string before = support::contents_of(support::cluster_log());
  json said = chat_question("m-2");
  for (const auto& form : {marker, support::base64_of(marker), support::hex_of(marker)}) {
    said["messages"].push_back({{"role", "user"}, {"content", form}, {form, form}});
    said[form] = form;
  }
  json heard = answer_of(5, 7);
  heard["choices"][0]["message"]["content"] = marker;
  heard["id"] = marker;
  const auto ask = [&](json body, const support::header_list& more = {}) {
    support::http_request request{
        "POST", chat, {{"Content-Type", "application/json"}}, body.dump()};
    for (const auto& one : more) request.headers.push_back(one);
    return it.api.call(request);
  };
  it.a.answer(200, heard.dump());
  EXPECT_THAT(ask(said).body, HasSubstr("Yfp3")) << "the client is answered";
  EXPECT_EQ(ask(said, {{"User-Agent", support::url_encoded(marker)}}).status, 200);
  it.a.stream({chunk(marker), "[DONE]"});
  json streams = said;
  streams["stream"] = true;
  EXPECT_THAT(ask(streams).body, HasSubstr("Yfp3"));
  // Whatever goes wrong, no error quotes anything.
  const auto expect_silent = [&](const support::http_response& got) {
    EXPECT_GE(got.status, 400) << got.body;
    EXPECT_TRUE(support::found_in(got.body, traces).empty()) << got.body;
  };
  json wrong = said;
  wrong["model"] = marker;
  expect_silent(ask(wrong));
  wrong["model"] = {marker};
  expect_silent(ask(wrong));
  expect_silent(it.api.call({"POST", chat, {}, said.dump() + marker}));
  for (const int status : {400, 401, 404, 429, 500, 503, 302}) {
    const json error = {{"error", {{"message", marker}, {"code", marker}, {"type", marker}}}};
    it.a.answer(status, error.dump(), "X-Said: Zqx7\r\n");
    expect_silent(ask(said));
  }
  it.a.answer(200, marker);
  expect_silent(ask(said));
  it.a.stream({chunk("x"), json{{"error", {{"message", marker}}}}.dump()});
  const auto cut =
      cut_answer(it, {"POST", chat, {{"Content-Type", "application/json"}}, streams.dump()});
  EXPECT_THAT(cut, HasSubstr("\"code\":"));
  EXPECT_TRUE(support::found_in(cut, traces).empty());
  auto database = it.reeve.database();
  EXPECT_THAT(support::columns_with(database, traces), testing::IsEmpty());
  for (const char* place : {"/metrics", "/api/events?limit=500", "/api/llm-usage?group_by=model",
                            "/api/inference/routes", "/api/agents"}) {
    EXPECT_TRUE(support::found_in(it.api.get(place).body, traces).empty()) << place;
  }
  EXPECT_EQ(it.reeve.stop(), 0);
  EXPECT_TRUE(support::found_in(it.reeve.whole_log(), traces).empty());
  const std::string postgres = support::contents_of(support::cluster_log()).substr(before.size());
  EXPECT_TRUE(support::found_in(postgres, traces).empty());
}
