// LLM3, LLM4: an upstream that tells no counts, or half of them, does not make a call cheap: what
// came is counted instead, and budgets know it.

#include "tests/support/llm_upstream.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::eventually;
using support::must_get;

namespace {

const std::string chat_path = "/llm/v1/chat/completions";

/// A server with one upstream, which has been looked at.
class silent_house {
 public:
  silent_house() : folder(support::work_dir(), "llm"), reeve(options()), api(reeve.api()) {
    EXPECT_TRUE(eventually([this] {
      const json model = must_get(api, "/api/inference/routes").at("results").at(0);
      return model.at("candidates").at(0).at("verdict") == "possible";
    }));
  }
  support::http_response ask(const std::string& path = chat_path, bool streams = false) const {
    json body = {{"model", "m"}, {"messages", json::array()}};
    if (streams) body["stream"] = true;
    return api.post(path, body);
  }
  json newest_call() const {
    return must_get(api, "/api/events?order=desc&limit=1&type=llm_call_recorded")
        .at("results")
        .at(0)
        .at("payload");
  }

  support::llm_upstream upstream;
  support::scratch_dir folder;
  support::server reeve;
  support::api_client api;

 private:
  support::server_options options() const {
    const json one = {{"name", "a"}, {"url", upstream.url()}, {"models", {"m"}}};
    json file = json::object();
    file["upstreams"] = json::array({one});
    std::ofstream(folder.path() / "llm.json") << file.dump();
    support::server_options made;
    made.environment["REEVE_LLM"] = (folder.path() / "llm.json").string();
    return made;
  }
};

bool is_marked(const json& call, const char* what) {
  return call.contains(what) && call.at(what) == true;
}

std::string whole_of(const std::string& text, const json& usage) {
  json choice = json::object();
  choice["message"] = {{"role", "assistant"}, {"content", text}};
  json made = json::object();
  made["choices"] = json::array({choice});
  made["usage"] = usage;
  return made.dump();
}

std::string saying(const std::string& text) {
  json choice = json::object();
  choice["delta"] = {{"role", "assistant"}, {"content", text}};
  json made = json::object();
  made["choices"] = json::array({choice});
  return made.dump();
}

}  // namespace

TEST(LLM3_estimates, stand_for_each_count_that_is_not_told) {
  silent_house it;
  ASSERT_EQ(it.api.put("/api/llm-budgets/house", {{"period", "day"}, {"most_tokens", 50}}).status,
            200);
  it.upstream.answer(200, whole_of(std::string(400, 'x'), {{"prompt_tokens", 3}}));
  EXPECT_EQ(it.ask("/llm/v1/embeddings").status, 200);
  json call = it.newest_call();
  EXPECT_EQ(call.at("completion_tokens"), 0) << "embeddings have none";
  EXPECT_FALSE(is_marked(call, "is_estimate")) << call;
  EXPECT_EQ(it.ask().status, 200);
  call = it.newest_call();
  EXPECT_EQ(call.at("prompt_tokens"), 3);
  EXPECT_GE(call.at("completion_tokens"), 100);
  EXPECT_EQ(call.at("is_estimate"), true);
  EXPECT_EQ(call.at("over_budget"), true);
  EXPECT_EQ(it.ask().status, 429) << "the budget is spent";
}

TEST(LLM3_estimates, of_a_stream_are_of_its_bytes_however_few_chunks_it_has) {
  silent_house it;
  ASSERT_EQ(
      it.api.put("/api/llm-budgets/house", {{"period", "day"}, {"most_tokens", 150'000}}).status,
      200);
  const auto large = saying(std::string(400'000, 'x'));
  it.upstream.stream({large, "[DONE]"});
  EXPECT_EQ(it.ask(chat_path, true).status, 200);
  json call = it.newest_call();
  EXPECT_EQ(call.at("completion_tokens"), 100'000);
  EXPECT_EQ(call.at("is_estimate"), true);
  // A client that has it all and goes before the end.
  it.upstream.stream({large}, true);
  {
    support::http_connection line(it.reeve.address());
    const json body = {{"model", "m"}, {"messages", json::array()}, {"stream", true}};
    line.send(support::render(
        {"POST",
         chat_path,
         {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + it.api.token()}},
         body.dump()}));
    std::string got, piece = line.read_some();
    for (; !piece.empty(); piece = got.size() < large.size() ? line.read_some() : "") got += piece;
    EXPECT_GE(got.size(), large.size());
  }
  EXPECT_TRUE(eventually([&it] { return is_marked(it.newest_call(), "over_budget"); }));
  call = it.newest_call();
  EXPECT_EQ(call.at("completion_tokens"), 100'000) << call;
  EXPECT_EQ(call.at("is_estimate"), true);
  EXPECT_EQ(it.ask(chat_path, true).status, 429) << "the budget is spent";
}
