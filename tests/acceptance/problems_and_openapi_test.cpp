// The served description is the behaviour: every route is in it, every answer fits its schema, and
// what is refused is refused in one order, with one kind of body that gives nothing away.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

using nlohmann::json;
using support::must_get;
using support::nobody;
using support::server;
using testing::HasSubstr;
using testing::Not;

namespace {

/// What Reeve promises of its routes; a route that is missing in the description is a bug, and so
/// is one that is only there.
const std::set<std::string> promised = {"POST /api/runs/launch",
                                        "GET /api/runs",
                                        "GET /api/runs/{id}",
                                        "GET /api/runs/{id}/jobs",
                                        "POST /api/runs/{id}/cancel",
                                        "POST /api/runs/{id}/retry",
                                        "GET /api/jobs",
                                        "GET /api/jobs/{id}",
                                        "POST /api/jobs/{id}/retry",
                                        "POST /api/jobs/{id}/discard",
                                        "GET /api/jobs/{id}/logs",
                                        "GET /api/jobs/{id}/logs/stream",
                                        "GET /api/jobs/{id}/artifacts",
                                        "GET /api/jobs/{id}/artifacts/{name}",
                                        "POST /api/jobs/{id}/llm-calls",
                                        "GET /api/jobs/{id}/llm-calls",
                                        "GET /api/logs",
                                        "GET /api/inference/routes",
                                        "GET /api/llm-usage",
                                        "GET /api/llm-budgets",
                                        "GET /api/llm-budgets/{name}",
                                        "PUT /api/llm-budgets/{name}",
                                        "DELETE /api/llm-budgets/{name}",
                                        "POST /api/directives",
                                        "GET /api/directives",
                                        "GET /api/directives/{id}",
                                        "PUT /api/directives/{id}",
                                        "POST /api/directives/{id}/versions",
                                        "GET /api/directives/{id}/versions",
                                        "GET /api/directives/{id}/versions/{version}",
                                        "POST /api/directives/{id}/archive",
                                        "POST /api/allowlists/images",
                                        "GET /api/allowlists/images",
                                        "GET /api/allowlists/images/{id}",
                                        "DELETE /api/allowlists/images/{id}",
                                        "POST /api/allowlists/images/{id}/deactivate",
                                        "POST /api/allowlists/containers",
                                        "GET /api/allowlists/containers",
                                        "GET /api/allowlists/containers/{id}",
                                        "DELETE /api/allowlists/containers/{id}",
                                        "POST /api/allowlists/containers/{id}/deactivate",
                                        "GET /api/events",
                                        "GET /api/events/{position}",
                                        "GET /api/events/stream",
                                        "GET /api/checkpoints",
                                        "POST /api/checkpoints",
                                        "POST /api/tokens",
                                        "GET /api/tokens",
                                        "POST /api/tokens/{id}/revoke",
                                        "GET /api/secrets",
                                        "GET /api/secrets/{name}",
                                        "PUT /api/secrets/{name}",
                                        "DELETE /api/secrets/{name}",
                                        "GET /api/whoami",
                                        "GET /api/engine",
                                        "GET /api/agents",
                                        "GET /livez",
                                        "GET /readyz",
                                        "GET /metrics",
                                        "GET /api/openapi.json"};

struct described {
  std::string method;  // in capitals
  std::string pattern;
  json operation;
};

std::vector<described> routes_of(const json& document) {
  std::vector<described> all;
  for (const auto& [pattern, operations] : document.at("paths").items()) {
    for (const auto& [name, operation] : operations.items()) {
      std::string method = name;
      for (char& c : method) c = static_cast<char>(std::toupper(c));
      all.push_back({method, pattern, operation});
    }
  }
  return all;
}

/// The pattern with something in place of its names.
std::string filled(std::string pattern, const std::string& with) {
  for (auto at = pattern.find('{'); at != std::string::npos; at = pattern.find('{')) {
    pattern.replace(at, pattern.find('}') - at + 1, with);
  }
  return pattern;
}

bool is_of(const json& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "array") return value.is_array();
  if (type == "null") return value.is_null();
  return type == "object" && value.is_object();
}

bool fits(const json& schema, const json& value, std::string& why);

bool members_fit(const json& schema, const json& value, std::string& why) {
  for (const json& name : schema.value("required", json::array())) {
    if (value.contains(name.get<std::string>())) continue;
    why = "/" + name.get<std::string>() + " is missing";
    return false;
  }
  const json properties = schema.value("properties", json::object());
  const json others = schema.value("additionalProperties", json(true));
  for (const auto& [name, member] : value.items()) {
    const bool known = properties.contains(name);
    if (!known && others == false) why = "is not described";
    const bool good = known                ? fits(properties.at(name), member, why)
                      : others.is_object() ? fits(others, member, why)
                                           : others != false;
    if (good) continue;
    why = "/" + name + " " + why;
    return false;
  }
  return true;
}

/// The part of JSON Schema that the description uses.
bool fits(const json& schema, const json& value, std::string& why) {
  for (const char* several : {"anyOf", "oneOf"}) {
    if (!schema.contains(several)) continue;
    for (const json& one : schema.at(several)) {
      if (fits(one, value, why)) return true;
    }
    return false;
  }
  if (schema.contains("type")) {
    const json types = schema.at("type").is_array() ? schema.at("type") : json({schema.at("type")});
    bool found = false;
    for (const json& type : types) found = found || is_of(value, type);
    if (!found) {
      why = value.dump() + " is no " + types.dump();
      return false;
    }
  }
  if (schema.contains("const") && schema.at("const") != value) {
    why = value.dump() + " is not " + schema.at("const").dump();
    return false;
  }
  if (schema.contains("enum") && !value.is_null()) {
    const json all = schema.at("enum");
    if (std::find(all.begin(), all.end(), value) == all.end()) {
      why = value.dump() + " is none of " + all.dump();
      return false;
    }
  }
  if (value.is_array() && schema.contains("items")) {
    for (const json& one : value) {
      if (!fits(schema.at("items"), one, why)) return false;
    }
  }
  return !value.is_object() || members_fit(schema, value, why);
}

json referred(const json& document, const json& of) {
  if (!of.contains("$ref")) return of;
  return document.at(json::json_pointer(of.at("$ref").get<std::string>().substr(1)));
}

/// Holds an answer against what the description says of its status and body.
void expect_described(const json& document, const std::string& method, const std::string& pattern,
                      const support::http_response& answer) {
  std::string name = method == "HEAD" ? "GET" : method;
  for (char& c : name) c = static_cast<char>(std::tolower(c));
  const json operation = document.at("paths").at(pattern).at(name);
  const std::string status = std::to_string(answer.status);
  const std::string what = method + " " + pattern + " " + status;
  ASSERT_TRUE(operation.at("responses").contains(status)) << what << answer.body;
  const json response = referred(document, operation.at("responses").at(status));
  if (!response.contains("content") || answer.body.empty()) return;
  const std::string type = answer.header("Content-Type");
  json content = response.at("content");
  if (content.contains("*/*")) return;
  ASSERT_TRUE(content.contains(type)) << what << " " << type;
  if (!content.at(type).contains("schema")) return;
  const json schema = referred(document, content.at(type).at("schema"));
  std::string why;
  EXPECT_TRUE(fits(schema, answer.json(), why)) << what << ": " << why << "\n" << answer.body;
}

/// A body that is a problem document, and says nothing that a stranger should not know.
void expect_problem(const support::http_response& answer, int status) {
  EXPECT_EQ(answer.status, status) << answer.body;
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
  const json body = answer.json();
  EXPECT_EQ(body.at("status"), status);
  for (const char* name : {"type", "title", "instance", "request_id"}) {
    EXPECT_TRUE(body.contains(name)) << name;
  }
  EXPECT_EQ(answer.header("X-Request-Id"), body.at("request_id"));
  for (const char* leak : {"SELECT", "reeve_read", "pqxx", "/work", "/tmp", "exception", "nlohmann",
                           ".cpp", "std::", "postgres", "boost", "line "}) {
    EXPECT_THAT(answer.body, Not(HasSubstr(leak)));
  }
}

}  // namespace

TEST(GW1_openapi, describes_every_route_to_everybody) {
  server reeve;
  const auto answer = reeve.anonymous().get("/api/openapi.json");
  ASSERT_EQ(answer.status, 200);
  const json document = answer.json();
  EXPECT_THAT(document.at("openapi").get<std::string>(), testing::StartsWith("3.1"));
  std::set<std::string> found, ids;
  for (const auto& one : routes_of(document)) {
    found.insert(one.method + " " + one.pattern);
    ids.insert(one.operation.at("operationId").get<std::string>());
    EXPECT_FALSE(one.operation.at("summary").get<std::string>().empty()) << one.pattern;
    EXPECT_FALSE(one.operation.at("responses").empty()) << one.pattern;
  }
  for (const auto& one : promised) EXPECT_TRUE(found.contains(one)) << one;
  EXPECT_EQ(ids.size(), found.size()) << "operation ids are unique";
  // Every reference leads somewhere.
  for (auto at = answer.body.find("\"$ref\":\"#"); at != std::string::npos;
       at = answer.body.find("\"$ref\":\"#", at + 1)) {
    const auto from = at + 9;
    const json::json_pointer target(answer.body.substr(from, answer.body.find('"', from) - from));
    EXPECT_TRUE(document.contains(target)) << target;
  }
  EXPECT_EQ(
      reeve.anonymous().get("/api/openapi.json", {{"If-None-Match", answer.header("ETag")}}).status,
      304);
}

TEST(P25_openapi, every_route_is_there_and_answers_as_described) {
  server reeve;
  const auto api = reeve.api();
  const json document = must_get(api, "/api/openapi.json");
  for (const auto& one : routes_of(document)) {
    if (one.pattern == "/api/events/stream") continue;
    support::http_request request{one.method, filled(one.pattern, nobody), {}, {}};
    if (one.method == "POST" || one.method == "PUT") request.body = "{\"no_such_field\":1}";
    const auto answer = api.call(request);
    EXPECT_NE(answer.status, 405) << one.method << " " << one.pattern;
    EXPECT_LT(answer.status, 500) << one.method << " " << one.pattern << answer.body;
    expect_described(document, one.method, one.pattern, answer);
    request.target += "/";
    EXPECT_EQ(api.call(request).status, answer.status) << "a trailing slash: " << one.pattern;
    const bool open = one.operation.at("security").empty();
    const auto stranger = reeve.anonymous().call(request);
    EXPECT_EQ(stranger.status == 401, !open) << one.method << " " << one.pattern;
  }
}

TEST(P25_openapi, answers_with_content_fit_their_schemas) {
  server reeve;
  const auto api = reeve.api();
  const json document = must_get(api, "/api/openapi.json");
  const auto check = [&](const std::string& method, const std::string& pattern,
                         const std::string& id, const json& body = nullptr) {
    support::http_request request{method, filled(pattern, id), {}, {}};
    if (!body.is_null()) request.body = body.dump();
    const auto answer = api.call(request);
    EXPECT_LT(answer.status, 300) << method << " " << pattern << answer.body;
    expect_described(document, method, pattern, answer);
    if (method == "GET") {
      const bool tagged = answer.header("ETag") != "";
      const json& operation = document.at("paths").at(pattern).at("get");
      EXPECT_EQ(operation.at("responses").contains("304"), tagged) << pattern;
      EXPECT_EQ(operation.dump().find("\"If-None-Match\"") != std::string::npos, tagged) << pattern;
    }
    return answer;
  };
  check("POST", "/api/allowlists/images", "", {{"reference", support::box_image}});
  check("POST", "/api/allowlists/containers", "", {{"name", "web"}});
  const json directive =
      check("POST", "/api/directives", "", {{"name", "d"}, {"tasks", {"task1"}}}).json();
  const std::string id = directive.at("id");
  for (const char* path : {"/api/directives/{id}", "/api/directives/{id}/versions"}) {
    check("GET", path, id);
  }
  EXPECT_EQ(api.get("/api/directives/" + id + "/versions/1").status, 200);
  check("PUT", "/api/directives/{id}", id, {{"name", "d"}, {"tasks", {"task2"}}});
  const json run = check("POST", "/api/runs/launch", "",
                         {{"tasks", {"task1", support::box_task("a", {"true"})}}})
                       .json();
  support::await_run(api, run.at("id"));
  for (const char* path : {"/api/runs/{id}", "/api/runs/{id}/jobs"})
    check("GET", path, run.at("id"));
  check("POST", "/api/runs/{id}/retry", run.at("id"), json::object());
  const std::string job = run.at("jobs").at(0).at("id");
  check("POST", "/api/jobs/{id}/llm-calls", job,
        {{"model_name", "m"}, {"prompt_tokens", 1}, {"completion_tokens", 1}});
  for (const char* path : {"/api/jobs/{id}", "/api/jobs/{id}/logs", "/api/jobs/{id}/artifacts",
                           "/api/jobs/{id}/llm-calls"}) {
    check("GET", path, job);
  }
  for (const char* path :
       {"/api/runs", "/api/jobs", "/api/directives", "/api/allowlists/images",
        "/api/allowlists/containers", "/api/tokens", "/api/events", "/api/engine", "/api/agents",
        "/api/whoami", "/api/checkpoints", "/api/llm-usage", "/api/llm-budgets", "/api/secrets",
        "/api/inference/routes", "/livez", "/readyz", "/metrics"}) {
    check("GET", path, "");
  }
  const std::string theirs = std::string("?tenant=") + nobody;
  for (const std::string path : {"/api/events", "/api/events/stream"}) {
    const auto answer = api.get(path + theirs);
    EXPECT_EQ(answer.status, 404) << path;
    expect_described(document, "GET", path, answer);
  }
  expect_described(document, "GET", "/api/logs", api.get("/api/logs?q=a&limit=1"));
  check("POST", "/api/checkpoints", "", json::object());
  check("GET", "/api/events/{position}", std::to_string(run.at("position").get<long>()));
}

TEST(GW2_problems, are_refused_in_one_order) {
  server reeve;
  const auto api = reeve.api();
  const auto stranger = reeve.anonymous();
  // 401 before everything that would tell a stranger what there is.
  expect_problem(stranger.get("/api/no-such-thing"), 401);
  expect_problem(stranger.get("/api/runs?colour=red"), 401);
  expect_problem(stranger.post("/api/whoami", json::object()), 401);
  EXPECT_THAT(stranger.get("/api/runs").header("WWW-Authenticate"), HasSubstr("Bearer"));
  expect_problem(api.get("/api/no-such-thing"), 404);
  expect_problem(api.get("/"), 404);
  const auto viewer = api.as(support::new_token(api, "viewer"));
  expect_problem(viewer.post("/api/runs/launch", {{"tasks", {"paint"}}}), 403);
  const auto wrong = api.remove("/api/runs");
  expect_problem(wrong, 405);
  EXPECT_THAT(wrong.header("Allow"), HasSubstr("GET"));
  const auto options = api.call({"OPTIONS", "/api/runs/launch", {}, {}});
  EXPECT_EQ(options.status, 204);
  EXPECT_THAT(options.header("Allow"), HasSubstr("POST"));
  EXPECT_THAT(options.header("Allow"), Not(HasSubstr("GET")));
  const auto html = api.call({"GET", "/api/runs", {{"Accept", "text/html"}}, {}});
  expect_problem(html, 406);
  EXPECT_EQ(support::pointer_of(html), "/headers/Accept");
  const auto xml = api.call({"POST", "/api/runs/launch", {{"Content-Type", "text/xml"}}, "<a/>"});
  expect_problem(xml, 415);
  EXPECT_EQ(support::pointer_of(xml), "/headers/Content-Type");
  const auto tagged = api.post("/api/runs/launch", json::object(), {{"If-Match", "\"1\""}});
  expect_problem(tagged, 412);
  EXPECT_EQ(support::pointer_of(tagged), "/headers/If-Match");
  const auto query = api.get("/api/runs?colour=red");
  expect_problem(query, 422);
  EXPECT_EQ(support::pointer_of(query), "/query/colour");
  expect_problem(api.get("/api/runs?limit=1&limit=2"), 422);
  expect_problem(api.get(std::string("/api/runs/") + nobody), 404);
  expect_problem(api.get("/api/runs/mine"), 404);
  const auto other = api.call({"BREW", "/api/runs", {}, {}});
  EXPECT_EQ(other.status, 405);
}

TEST(P24_problems, give_nothing_away_whatever_is_sent) {
  server reeve;
  const auto api = reeve.api();
  for (const std::string& odd :
       {std::string("'; DROP TABLE reeve.events; --"), std::string("\xed\xa0\x80"),
        std::string("\xff\xfe"), std::string("../../etc/passwd"), std::string("%s%n%x"),
        std::string("${jndi:ldap://a}"), std::string(5000, 'a'), std::string("\xe2\x80\xae")}) {
    std::string encoded;
    for (const unsigned char c : odd) {
      char code[4];
      std::snprintf(code, sizeof code, "%%%02X", c);
      encoded += code;
    }
    for (const std::string target :
         {"/api/runs/", "/api/jobs/", "/api/directives/", "/api/events/", "/api/runs?cursor=",
          "/api/runs?status=", "/api/runs?label=a:", "/api/events?stream=", "/api/events?type=",
          "/api/events?principal=", "/api/jobs?task=", "/api/directives?name="}) {
      const auto answer = api.get(target + encoded);
      EXPECT_LT(answer.status, 500) << target << encoded << answer.body;
      if (answer.status >= 400) expect_problem(answer, answer.status);
    }
    const auto body = api.post("/api/directives", json({{"name", "d"}}));
    EXPECT_EQ(body.status, 422);
  }
  const auto answer = api.get("/livez");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Server"), "");
  EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "");
}
