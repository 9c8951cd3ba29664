// LLM4: errors in the words that OpenAI's clients read.

#include "api/openai_error.hpp"

#include "api/problem.hpp"
#include "codec/json.hpp"

#include <gtest/gtest.h>
#include <string>
#include <utility>

using namespace reeve;
using namespace reeve::api;

TEST(LLM4_errors, have_the_shape_that_clients_read) {
  const auto made = openai_error(404, "model_not_found", "no upstream has this model");
  EXPECT_EQ(made.status, 404);
  EXPECT_EQ(made.content_type, "application/json");
  EXPECT_EQ(*made.body,
            R"({"error":{"message":"no upstream has this model","type":"invalid_request_error",)"
            R"("param":null,"code":"model_not_found"}})");
  EXPECT_TRUE(made.headers.empty());
  EXPECT_TRUE(codec::parse_strict(openai_error_schema()));
  const std::pair<int, std::string> types[] = {
      {400, "invalid_request_error"}, {401, "authentication_error"}, {403, "permission_error"},
      {429, "rate_limit_error"},      {502, "server_error"},         {504, "server_error"}};
  for (const auto& [status, type] : types) {
    EXPECT_NE(openai_error(status, "c", "m").body->find("\"type\":\"" + type + "\""),
              std::string::npos)
        << status;
  }
  EXPECT_NE(
      openai_error(429, "insufficient_quota", "m").body->find(R"("type":"insufficient_quota")"),
      std::string::npos);
  for (const int status : {429, 503}) {
    EXPECT_EQ(openai_error(status, "c", "m").headers[0].first, "Retry-After");
  }
}

TEST(LLM4_errors, are_those_of_all_paths_of_the_protocol) {
  for (const char* path : {"/llm/v1", "/llm/v1/", "/llm/v1?a=b", "/llm/v1/chat/completions"}) {
    EXPECT_TRUE(is_openai_path(path)) << path;
    EXPECT_TRUE(asks_openai_path("POST " + std::string(path) + " HTTP/1.1\r\n")) << path;
    EXPECT_TRUE(asks_openai_path("POST " + std::string(path))) << path;
  }
  for (const char* path : {"", "/", "/llm/v", "/llm/v11", "/LLM/v1", "llm/v1", "/api/llm/v1"}) {
    EXPECT_FALSE(is_openai_path(path)) << path;
    EXPECT_FALSE(asks_openai_path("POST " + std::string(path) + " HTTP/1.1\r\n")) << path;
  }
  for (const char* text : {"", "\r\n", "/llm/v1", "POST\r\nX /llm/v1", "POST"}) {
    EXPECT_FALSE(asks_openai_path(text)) << text;
  }
}

TEST(LLM4_errors, are_problem_documents_in_other_words) {
  const auto words = openai_words(problem(reject(errc::rate_limited, "too many"), "id"));
  EXPECT_EQ(words.status, 429);
  EXPECT_EQ(words.content_type, "application/json");
  EXPECT_NE(words.body->find(R"("message":"too many")"), std::string::npos) << *words.body;
  EXPECT_NE(words.body->find(R"("code":"rate_limited")"), std::string::npos);
  EXPECT_EQ(words.headers[0].first, "Retry-After");
  const auto inside = openai_words(problem(reject(errc::internal, "select secrets"), "id"));
  EXPECT_EQ(inside.body->find("select"), std::string::npos);
  EXPECT_NE(inside.body->find("An internal error"), std::string::npos);
  response plain;
  plain.body = std::make_shared<const std::string>("x");
  EXPECT_EQ(*openai_words(plain).body, "x");
}
