#pragma once
// A call of a language model that goes through Reeve: to an upstream that has the model, answers
// and has room, under budgets that are not spent. What it came to is recorded; of what was said
// nothing is kept, logged or told.

#include "api/route.hpp"

#include <string>

namespace reeve::api {

struct services;

/// What a path of the protocol may do.
struct llm_endpoint {
  std::string path;  // behind an upstream's URL: "/chat/completions"
  bool streams = false;
  bool completes = true;  // else what it answers is no text, and costs nothing
};

/// Bytes of a request. Pictures stand in it as base64.
inline constexpr std::size_t most_llm_request_bytes = std::size_t{4} << 20;

void pass_llm_call(services& s, request r, const llm_endpoint& to, const responder& answer);

}  // namespace reeve::api
