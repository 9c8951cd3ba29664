// OpenAI's protocol, for clients whose base URL is <server>/llm/v1.

#include "api/llm_pass.hpp"

#include "api/llm_attempt.hpp"
#include "api/openai_error.hpp"
#include "api/routes/common.hpp"
#include "api/services.hpp"

namespace reeve::api {
namespace {

struct model_view {
  std::string id;
  std::string object = "model";
  std::int64_t created = 0;
  std::string owned_by = "reeve";
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("id", &model_view::id), field("object", &model_view::object),
                      field("created", &model_view::created),
                      field("owned_by", &model_view::owned_by)};
  }
};

struct model_list {
  std::string object = "list";
  std::vector<model_view> data;
  static constexpr auto fields() {
    return std::tuple{domain::field("object", &model_list::object),
                      domain::field("data", &model_list::data)};
  }
};

void models_for_all(services& s, const responder& answer) {
  model_list list;
  for (auto& name : domain::models_of(s.upstreams())) list.data.push_back({std::move(name)});
  answer.answer(json_response(200, codec::encode_document(list)));
}

void models(services& s, const request& r, const responder& answer) {
  if (!r.who.attempt) return models_for_all(s, answer);
  find_calling_job(s, *r.who.attempt,
                   reply_slot<calling_job>([&s, answer](const outcome<calling_job>& found) {
                     found ? models_for_all(s, answer) : answer.answer(found.error());
                   }));
}

void chat(services& s, const request& r, const responder& answer) {
  pass_llm_call(s, r, {"/chat/completions", true, true}, answer);
}
void complete(services& s, const request& r, const responder& answer) {
  pass_llm_call(s, r, {"/completions", true, true}, answer);
}
void embed(services& s, const request& r, const responder& answer) {
  pass_llm_call(s, r, {"/embeddings", false, false}, answer);
}

/// What Reeve reads of a body that OpenAI's documentation describes.
constexpr const char* request_schema =
    R"({"additionalProperties":true,"properties":{"model":{"type":"string"},)"
    R"("stream":{"type":["boolean","null"]},"stream_options":{"type":["object","null"]}},)"
    R"("required":["model"],"type":"object"})";
constexpr const char* answer_schema =
    R"({"additionalProperties":true,"properties":{"usage":{"type":["object","null"]}},)"
    R"("type":"object"})";

row passing(services& s, const char* name, const char* summary, action act) {
  return row(s, method::post, std::string("/llm/v1/") + name, summary, access::operator_, act)
      .takes(request_schema)
      .gives(answer_schema, {200, 400, 404, 413, 502})
      .relays(most_llm_request_bytes)
      .says("model", "One that an upstream serves; its name decides where the call goes.")
      .says("stream", "Whether the answer comes in chunks (SSE); not of embeddings.")
      .says("stream_options", "With include_usage the last chunk has the token counts.");
}

}  // namespace

std::vector<route> llm_pass_routes(services& s) {
  return {passing(s, "chat/completions",
                  "Let a language model answer a chat (OpenAI's protocol), on an upstream", chat),
          passing(s, "completions",
                  "Let a language model go on with a text (OpenAI's protocol), on an upstream",
                  complete),
          passing(s, "embeddings", "Let a model embed texts (OpenAI's protocol), on an upstream",
                  embed),
          row(s, method::get, "/llm/v1/models",
              "List the models that upstreams serve (OpenAI's protocol)", access::operator_, models)
              .gives(codec::json_schema<model_list>(), {200})
              .relays(0)
              .has_no_etag()};
}

}  // namespace reeve::api
