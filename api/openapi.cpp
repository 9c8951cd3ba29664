#include "api/openapi.hpp"

#include "api/dispatch.hpp"
#include "api/parameter_texts.hpp"
#include "api/problem.hpp"
#include "api/router.hpp"
#include "base/digest.hpp"
#include "codec/json.hpp"
#include "codec/json_writer.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace reeve::api {
namespace {

using codec::json_writer;

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
  all.insert({400, 406, 408, 413, 414, 417, 422, 431, 500, 503, 504});
  if (one.needs != access::anonymous) all.insert({401, 403, 429});
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
      out.begin_object().key("$ref").value("#/components/responses/problem").end_object();
    }
  }
  out.end_object();
}

void operation(json_writer& out, const route& one) {
  out.key(lower_name(one.method)).begin_object();
  out.key("operationId").value(operation_id(one));
  out.key("summary").value(one.summary).key("description").value(callers_of(one.needs));
  parameters(out, one);
  if (takes_body(one)) {
    out.key("requestBody").begin_object().key("required").value(needs_body(one));
    content(out, "application/json", one.request_schema);
    out.end_object();
  }
  responses(out, one);
  out.key("security").begin_array();
  if (one.needs != access::anonymous) {
    out.begin_object().key("bearer").begin_array().end_array().end_object();
  }
  out.end_array().end_object();
}

void components(json_writer& out) {
  out.key("components").begin_object();
  out.key("securitySchemes").begin_object().key("bearer").begin_object();
  out.key("type").value("http").key("scheme").value("bearer").end_object().end_object();
  out.key("schemas").begin_object().key("problem").raw(problem_schema()).end_object();
  out.key("responses").begin_object().key("problem").begin_object();
  out.key("description").value("A problem document (RFC 9457)");
  content(out, "application/problem+json", R"({"$ref":"#/components/schemas/problem"})");
  out.end_object().end_object();
  out.end_object();
}

}  // namespace

std::string openapi_document(const std::vector<route>& routes) {
  std::map<std::string_view, std::map<method, const route*>> paths;
  for (const route& one : routes) paths[one.pattern][one.method] = &one;
  json_writer out;
  out.begin_object().key("openapi").value("3.1.0");
  out.key("info").begin_object().key("title").value("Reeve").key("version").value("1");
  out.end_object();
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
  own.response_schema = R"({"type":"object","required":["openapi","info","paths"]})";
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
