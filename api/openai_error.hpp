#pragma once
// Errors in OpenAI's words, for its clients:
//
//   {"error":{"message":…,"type":"invalid_request_error","param":null,"code":"model_not_found"}}
//
// As of problem documents nothing of what was sent stands in them, and nothing that an upstream
// wrote.

#include "api/problem.hpp"
#include "api/route.hpp"

#include <string_view>

namespace reeve::api {

/// `type` follows from the status; `code` is snake_case. Of 429 and 503 with Retry-After, `wait_s`
/// seconds.
response openai_error(int status, std::string_view code, std::string_view message,
                      int wait_s = retry_after_s);

/// A problem document in these words, with its status and fields; anything else as it is.
response openai_words(response answer);

/// Whether a path, or a target with its query, is of OpenAI's protocol: "/llm/v1" or below it. What
/// is refused there is told in these words whoever refuses it, also where there is no route.
bool is_openai_path(std::string_view target);
/// The same of the begin of a request of which no head could be made.
bool asks_openai_path(std::string_view text);

/// The JSON Schema of the body, for OpenAPI.
std::string_view openai_error_schema();

}  // namespace reeve::api
