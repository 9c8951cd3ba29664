#include "api/openapi.hpp"

#include "api/body_texts.hpp"
#include "api/dispatch.hpp"
#include "api/openai_error.hpp"
#include "api/parameter_texts.hpp"
#include "api/problem.hpp"
#include "api/router.hpp"
#include "base/digest.hpp"
#include "codec/json.hpp"
#include "codec/json_writer.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace reeve::api {
namespace {

using codec::json_writer;
using tag_row = std::pair<std::string_view, std::string_view>;

constexpr std::string_view about =
    "An event-sourced server that runs tasks in containers. Every operation says which roles may "
    "call it: whoever has none of them gets 403, and 401 without a token. Requests of one token "
    "are limited (REEVE_RATE_PER_S, 2,000 a second without it): beyond that 429 with Retry-After. "
    "A server that is at its limit answers 503. Refusals are problem documents (RFC 9457), of the "
    "operations below /llm errors as OpenAI has them. What holds for all operations (keys, ETags, "
    "lists, streams) "
    "stands in docs/clients.md.";

/// The groups of operations: the first segment below /api, or `server` for what is about the server
/// itself.
constexpr std::array tag_texts{
    tag_row{"allowlists", "Which images may be started, and which containers tasks may touch."},
    tag_row{"checkpoints", "Signed heads of the log."},
    tag_row{"directives", "Named, versioned instructions."},
    tag_row{"events", "The log, page by page and live."},
    tag_row{"inference", "Calls of language models, and where they go."},
    tag_row{"jobs", "What runs are made of, with their output, artifacts and LLM calls."},
    tag_row{"llm-budgets", "What calls of language models may come to."},
    tag_row{"llm-usage", "What calls of language models came to."},
    tag_row{"logs", "A search through what jobs printed."},
    tag_row{"runs", "Launches of directives."},
    tag_row{"secrets", "What jobs get by name, and nobody is shown."},
    tag_row{"server", "What the server is, and how it is."},
    tag_row{"tokens", "Who may call."},
};
constexpr std::array about_server{"agents", "engine", "openapi.json", "whoami"};

std::string tag_of(std::string_view pattern) {
  constexpr std::string_view below = "/api/";
  if (pattern.starts_with("/llm/")) return "inference";
  if (!pattern.starts_with(below)) return "server";
  pattern.remove_prefix(below.size());
  const auto segment = pattern.substr(0, pattern.find('/'));
  const bool is_ours =
      std::find(about_server.begin(), about_server.end(), segment) != about_server.end();
  return is_ours ? "server" : std::string(segment);
}

std::string tag_text(std::string_view tag) {
  for (const auto& [name, said] : tag_texts) {
    if (name == tag) return std::string(said);
  }
  return "What lies below /api/" + std::string(tag) + ".";
}

bool takes_body(const route& one) {
  return !one.request_schema.empty();
}

/// No body is as good as {}, so one is needed only where the schema asks for a member.
bool needs_body(const route& one) {
  const auto schema = codec::parse_strict(one.request_schema);
  if (!schema || !schema->root().is_object()) return true;
  const auto members = schema->root().find("required");
  return members && members->is_array() && members->size() > 0;
}

/// Whether If-None-Match is compared with what it answers.
bool may_be_unchanged(const route& one) {
  return one.method == method::get && one.has_etag;
}

std::string lower_name(method of) {
  std::string name(name_of(of));
  for (char& c : name) c = static_cast<char>(c | 0x20);
  return name;
}

/// "get_api_runs_id" for GET /api/runs/{id}.
std::string operation_id(const route& one) {
  std::string id = lower_name(one.method);
  for (const char c : one.pattern) {
    if (c == '/' || c == '.' || c == '-') {
      id.push_back('_');
    } else if (c != '{' && c != '}') {
      id.push_back(c);
    }
  }
  return id;
}

std::vector<std::string> params_of(std::string_view pattern) {
  std::vector<std::string> names;
  for (std::size_t at = pattern.find('{'); at != pattern.npos; at = pattern.find('{', at)) {
    const std::size_t end = pattern.find('}', at);
    names.emplace_back(pattern.substr(at + 1, end - at - 1));
    at = end;
  }
  return names;
}

void parameter(json_writer& out, const route& of, std::string_view name, std::string_view in,
               std::string_view schema) {
  out.begin_object();
  out.key("name").value(name).key("in").value(in).key("required").value(in == "path");
  out.key("description").value(parameter_text(of, in, name));
  out.key("schema").raw(schema);
  out.end_object();
}

/// Who may call it, in the words of a refusal.
std::string callers_of(access needs) {
  if (needs == access::anonymous) return "Needs no token.";
  return "Needs a token of the role " + roles_for(needs) + ".";
}

/// Who may call it and how large what he sends may be; how long an answer may be, where it ends.
std::string description_of(const route& one) {
  std::string said = callers_of(one.needs);
  if (takes_body(one)) {
    said += " A body of at most " + std::to_string(one.max_body_bytes / 1024) + " KiB.";
  }
  const bool is_endless = one.streams && !one.response_schema.empty();
  if (is_endless) said += " The answer has no end of its own.";
  const auto& names = one.query_names;
  if (std::find(names.begin(), names.end(), "limit") != names.end()) {
    said += " A page has at most 500 rows, 50 without `limit`.";
  }
  return said;
}

void parameters(json_writer& out, const route& one) {
  constexpr std::string_view text = R"({"type":"string"})";
  out.key("parameters").begin_array();
  for (const auto& name : params_of(one.pattern)) parameter(out, one, name, "path", text);
  for (const auto& name : one.query_names) parameter(out, one, name, "query", text);
  if (one.needs != access::anonymous) {
    if (one.method == method::get) {
      parameter(out, one, "Reeve-Min-Position", "header", R"({"type":"integer","minimum":0})");
    } else {
      if (one.takes_key) {
        parameter(out, one, "Idempotency-Key", "header",
                  R"({"type":"string","maxLength":128,"pattern":"^[A-Za-z0-9._:~-]+$"})");
      }
      if (one.minds_if_match) parameter(out, one, "If-Match", "header", text);
    }
    if (one.streams) parameter(out, one, "Last-Event-ID", "header", text);
  }
  if (may_be_unchanged(one)) parameter(out, one, "If-None-Match", "header", text);
  out.end_array();
}

/// Statuses a route answers with besides its own: what the gateway refuses on its behalf.
std::set<int> statuses_of(const route& one) {
  std::set<int> all(one.statuses.begin(), one.statuses.end());
  const bool succeeds =
      std::any_of(all.begin(), all.end(), [](int status) { return status < 300; });
  if (!succeeds) all.insert(200);
  all.insert({400, 406, 408, 413, 414, 417, 422, 429, 431, 500, 503, 504});
  if (one.needs != access::anonymous) all.insert({401, 403});
  if (may_be_unchanged(one)) all.insert(304);
  if (one.pattern.find('{') != std::string::npos) all.insert(404);
  if (one.method != method::get) {
    all.insert({412, 415});
    if (one.takes_key) all.insert(409);  // the first request with this key is running
  }
  return all;
}

void content(json_writer& out, std::string_view media_type, std::string_view schema) {
  out.key("content").begin_object().key(media_type).begin_object();
  if (!schema.empty()) out.key("schema").raw(schema);
  out.end_object().end_object();
}

void success(json_writer& out, const route& one, int status) {
  out.begin_object().key("description").value(reason_of(status));
  if (may_be_unchanged(one)) {
    out.key("headers").begin_object().key("ETag").begin_object();
    out.key("description").value("Names this state of the resource, for If-None-Match.");
    out.key("schema").raw(R"({"type":"string"})").end_object().end_object();
  }
  if (status == 204 || status == 304) {
    // No body.
  } else if (one.relays && one.method == method::post) {
    out.key("content").begin_object();
    out.key("application/json").begin_object().key("schema").raw(one.response_schema).end_object();
    out.key("text/event-stream").begin_object().key("schema").raw(R"({"type":"string"})");
    out.end_object().end_object();
  } else if (one.streams) {
    content(out, one.response_schema.empty() ? "*/*" : "text/event-stream", one.response_schema);
  } else if (one.response_schema.empty()) {
    content(out, "*/*", {});
  } else {
    content(out, "application/json", one.response_schema);
  }
  out.end_object();
}

void responses(json_writer& out, const route& one) {
  out.key("responses").begin_object();
  for (const int status : statuses_of(one)) {
    out.key(std::to_string(status));
    if (status < 400) {
      success(out, one, status);
    } else {
      const char* words =
          one.relays ? "#/components/responses/openai_error" : "#/components/responses/problem";
      out.begin_object().key("$ref").value(words).end_object();
    }
  }
  out.end_object();
}

void operation(json_writer& out, const route& one) {
  out.key(lower_name(one.method)).begin_object();
  out.key("operationId").value(operation_id(one));
  out.key("summary").value(one.summary).key("description").value(description_of(one));
  out.key("tags").begin_array().value(tag_of(one.pattern)).end_array();
  parameters(out, one);
  if (takes_body(one)) {
    out.key("requestBody").begin_object().key("required").value(needs_body(one));
    content(out, "application/json", described_body(one));
    out.end_object();
  }
  responses(out, one);
  out.key("security").begin_array();
  if (one.needs != access::anonymous) {
    out.begin_object().key("bearer").begin_array().end_array().end_object();
  }
  out.end_array().end_object();
}

void head(json_writer& out, const std::set<std::string>& tags) {
  out.key("info").begin_object().key("title").value("Reeve").key("version").value("1");
  out.key("summary").value("Runs, jobs and the log of everything that happened");
  out.key("description").value(about);
  out.key("contact").begin_object().key("name").value("Whoever runs this server").end_object();
  out.key("license").begin_object().key("name").value("Apache-2.0");
  out.key("identifier").value("Apache-2.0").end_object().end_object();
  out.key("servers").begin_array().begin_object();
  out.key("url").value("/").key("description").value("This server").end_object().end_array();
  out.key("tags").begin_array();
  for (const auto& tag : tags) {
    out.begin_object().key("name").value(tag).key("description").value(tag_text(tag));
    out.end_object();
  }
  out.end_array();
}

void components(json_writer& out) {
  out.key("components").begin_object();
  out.key("securitySchemes").begin_object().key("bearer").begin_object();
  out.key("type").value("http").key("scheme").value("bearer").end_object().end_object();
  out.key("schemas").begin_object().key("problem").raw(problem_schema());
  out.key("openai_error").raw(openai_error_schema());
  out.key("task").raw(task_schema()).end_object();
  out.key("responses").begin_object().key("problem").begin_object();
  out.key("description").value("A problem document (RFC 9457)");
  content(out, "application/problem+json", R"({"$ref":"#/components/schemas/problem"})");
  out.end_object().key("openai_error").begin_object();
  out.key("description").value("An error in the words of OpenAI's protocol");
  content(out, "application/json", R"({"$ref":"#/components/schemas/openai_error"})");
  out.end_object().end_object();
  out.end_object();
}

}  // namespace

std::string openapi_document(const std::vector<route>& routes) {
  std::map<std::string_view, std::map<method, const route*>> paths;
  std::set<std::string> tags;
  for (const route& one : routes) {
    paths[one.pattern][one.method] = &one;
    tags.insert(tag_of(one.pattern));
  }
  json_writer out;
  out.begin_object().key("openapi").value("3.1.0");
  head(out, tags);
  out.key("paths").begin_object();
  for (const auto& [pattern, methods] : paths) {
    out.key(pattern).begin_object();
    for (const auto& [verb, one] : methods) operation(out, *one);
    out.end_object();
  }
  out.end_object();
  components(out);
  out.end_object();
  return out.take();
}

std::vector<route> with_openapi(std::vector<route> routes) {
  route own;
  own.pattern = "/api/openapi.json";
  own.summary = "This description of the API";
  own.needs = access::anonymous;
  own.response_schema =
      R"({"properties":{"info":{"type":"object"},"openapi":{"type":"string"},)"
      R"("paths":{"type":"object"}},"required":["openapi","info","paths"],"type":"object"})";
  auto document = std::make_shared<std::string>();
  auto etag = std::make_shared<std::string>();
  own.handle = [document, etag](request, const responder& slot) {
    response made;
    made.body = document;
    made.headers.emplace_back("ETag", *etag);
    made.headers.emplace_back("Cache-Control", "public, no-cache");
    slot.answer(std::move(made));
  };
  routes.push_back(std::move(own));
  *document = openapi_document(routes);
  *etag = "\"" + to_hex(sha256(*document)).substr(0, 32) + "\"";
  return routes;
}

}  // namespace reeve::api
