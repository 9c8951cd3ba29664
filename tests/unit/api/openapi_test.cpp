#include "api/openapi.hpp"

#include "api/routes/health.hpp"
#include "codec/json.hpp"
#include "tests/unit/api/gateway_fixture.hpp"

#include <gtest/gtest.h>

using namespace gateway_fixture;

namespace {

std::vector<route> described() {
  route one = simple(
      method::post, "/api/runs/{id}/cancel", [](const request&, const responder&) {},
      api::access::operator_);
  one.summary = "Cancel a run";
  one.request_schema = R"({"type":"object"})";
  one.response_schema = R"({"type":"string"})";
  one.query_names = {"force"};
  one.statuses = {202, 409};
  one.minds_if_match = true;
  return {std::move(one)};
}

/// The text at a path of keys, or "" if there is none.
std::string at(const codec::json_doc& doc, std::initializer_list<const char*> keys) {
  codec::json_node node = doc.root();
  for (const char* key : keys) {
    if (!node.is_object()) return {};
    const auto next = node.find(key);
    if (!next) return {};
    node = *next;
  }
  return node.text();
}

}  // namespace

TEST(GW1_openapi, describes_a_route_in_full) {
  const auto doc = codec::parse_strict(openapi_document(described()));
  ASSERT_TRUE(doc.ok());
  const auto in = [&](std::initializer_list<const char*> keys) { return at(*doc, keys); };
  EXPECT_EQ(in({"openapi"}), "\"3.1.0\"");
  const char* path = "/api/runs/{id}/cancel";
  EXPECT_EQ(in({"paths", path, "post", "summary"}), "\"Cancel a run\"");
  EXPECT_EQ(in({"paths", path, "post", "operationId"}), "\"post_api_runs_id_cancel\"");
  EXPECT_EQ(in({"paths", path, "post", "requestBody", "content", "application/json", "schema"}),
            R"({"type":"object"})");
  EXPECT_EQ(
      in({"paths", path, "post", "responses", "202", "content", "application/json", "schema"}),
      R"({"type":"string"})");
  EXPECT_EQ(in({"paths", path, "post", "responses", "200"}), "");
  EXPECT_EQ(in({"paths", path, "post", "security"}), R"([{"bearer":[]}])");
  for (const char* status :
       {"400", "401", "403", "404", "409", "413", "415", "422", "429", "503"}) {
    EXPECT_EQ(in({"paths", path, "post", "responses", status, "$ref"}),
              "\"#/components/responses/problem\"")
        << status;
  }
  const std::string parameters = in({"paths", path, "post", "parameters"});
  for (const char* name : {"\"id\"", "\"force\"", "\"Idempotency-Key\"", "\"If-Match\""}) {
    EXPECT_NE(parameters.find(name), std::string::npos) << name;
  }
  EXPECT_NE(in({"components", "schemas", "problem"}), "");
}

TEST(GW1_openapi, says_what_whoever_generates_a_client_asks_for) {
  auto routes = described();
  routes.push_back(simple(method::get, "/api/whoami", [](const request&, const responder&) {}));
  routes.push_back(
      simple(method::get, "/api/novelties/{id}", [](const request&, const responder&) {}));
  const auto doc = codec::parse_strict(openapi_document(routes));
  ASSERT_TRUE(doc.ok());
  EXPECT_EQ(at(*doc, {"info", "license", "identifier"}), "\"Apache-2.0\"");
  EXPECT_NE(at(*doc, {"info", "description"}), "");
  EXPECT_NE(at(*doc, {"info", "contact"}), "");
  EXPECT_EQ(at(*doc, {"servers"}), R"([{"description":"This server","url":"/"}])");
  EXPECT_EQ(at(*doc, {"paths", "/api/runs/{id}/cancel", "post", "tags"}), R"(["runs"])");
  EXPECT_EQ(at(*doc, {"paths", "/api/whoami", "get", "tags"}), R"(["server"])");
  EXPECT_EQ(at(*doc, {"paths", "/api/novelties/{id}", "get", "tags"}), R"(["novelties"])");
  std::vector<std::string> tags;
  const auto all = doc->root().find("tags").value();
  for (std::size_t i = 0; i < all.size(); ++i) {
    tags.emplace_back(all.at(i).find("name").value().as_string());
    EXPECT_FALSE(all.at(i).find("description").value().as_string().empty()) << tags.back();
  }
  EXPECT_EQ(tags, (std::vector<std::string>{"novelties", "runs", "server"}));
}

TEST(GW1_openapi, tells_who_may_call_and_how_much_he_may_send) {
  auto routes = described();
  routes[0].max_body_bytes = 3 * 1024;
  const auto told = [&] {
    const auto doc = codec::parse_strict(openapi_document(routes));
    return at(*doc, {"paths", "/api/runs/{id}/cancel", "post", "description"});
  };
  EXPECT_EQ(told(), "\"Needs a token of the role operator or admin. A body of at most 3 KiB.\"");
  routes[0].request_schema.clear();
  EXPECT_EQ(told(), "\"Needs a token of the role operator or admin.\"");
}

TEST(GW1_openapi, says_what_tasks_are_made_of) {
  auto routes = described();
  routes[0].request_schema =
      R"({"properties":{"tasks":{"items":{},"type":"array"},"odd":{}},"type":"object"})";
  routes[0].parameter_texts = {{"odd", "Of this route alone."}};
  const auto doc = codec::parse_strict(openapi_document(routes), {64, 100'000, 1 << 22});
  ASSERT_TRUE(doc.ok());
  const auto body = at(*doc, {"paths", "/api/runs/{id}/cancel", "post", "requestBody", "content",
                              "application/json", "schema", "properties"});
  EXPECT_EQ(body, R"({"odd":{"description":"Of this route alone."},)"
                  R"("tasks":{"description":"1 to 100.",)"
                  R"("items":{"$ref":"#/components/schemas/task"},"type":"array"}})");
  const auto forms =
      doc->root().find("components")->find("schemas")->find("task")->find("anyOf").value();
  // Of a kind that cannot do without parameters the name alone is no task.
  EXPECT_EQ(forms.at(0).find("enum").value().text(),
            R"(["log_triage","task1","gpu_report","task2","service_map","task3"])");
  std::vector<std::string> kinds;
  for (std::size_t i = 1; i < forms.size(); ++i) {
    const auto members = forms.at(i).find("properties").value();
    kinds.push_back(members.find("kind")->find("enum").value().text());
    const bool has_image = members.find("params")->find("properties")->find("image").has_value();
    EXPECT_EQ(has_image, kinds.back() == R"(["container"])") << kinds.back();
  }
  EXPECT_EQ(kinds,
            (std::vector<std::string>{R"(["log_triage","task1"])", R"(["gpu_report","task2"])",
                                      R"(["service_map","task3"])", R"(["container"])"}));
}

TEST(GW1_openapi, a_body_is_needed_only_where_a_member_is) {
  const auto needed = [](const char* schema) {
    auto routes = described();
    routes[0].request_schema = schema;
    const auto doc = codec::parse_strict(openapi_document(routes));
    return doc ? at(*doc, {"paths", "/api/runs/{id}/cancel", "post", "requestBody", "required"})
               : "not JSON";
  };
  EXPECT_EQ(needed(R"({"properties":{"a":{}},"required":["a"],"type":"object"})"), "true");
  EXPECT_EQ(needed(R"({"properties":{"a":{"required":["b"]}},"required":[]})"), "false");
  EXPECT_EQ(needed(R"({"type":"object"})"), "false");
}

TEST(GW1_openapi, promises_no_field_that_a_route_does_not_mind) {
  auto routes = described();
  routes[0].minds_if_match = false;
  routes[0].takes_key = false;
  const auto doc = codec::parse_strict(openapi_document(routes));
  ASSERT_TRUE(doc.ok());
  const auto operation = at(*doc, {"paths", "/api/runs/{id}/cancel", "post"});
  EXPECT_EQ(operation.find("If-Match"), std::string::npos);
  EXPECT_EQ(operation.find("Idempotency-Key"), std::string::npos);
  EXPECT_NE(operation.find("\"force\""), std::string::npos);
}

TEST(GW1_openapi, a_key_whose_request_is_running_is_409) {
  auto routes = described();
  routes[0].statuses = {202};
  const auto conflict = [&] {
    const auto doc = codec::parse_strict(openapi_document(routes));
    return at(*doc, {"paths", "/api/runs/{id}/cancel", "post", "responses", "409"});
  };
  EXPECT_NE(conflict(), "");
  routes[0].takes_key = false;
  EXPECT_EQ(conflict(), "");
}

TEST(GW1_openapi, promises_304_only_where_an_etag_is_sent) {
  for (const bool has_etag : {true, false}) {
    std::vector<route> routes{simple(method::get, "/a", [](const request&, const responder&) {})};
    routes[0].has_etag = has_etag;
    const auto doc = codec::parse_strict(openapi_document(routes));
    ASSERT_TRUE(doc.ok());
    const auto operation = at(*doc, {"paths", "/a", "get"});
    for (const char* word : {"If-None-Match", "\"304\"", "\"ETag\""}) {
      EXPECT_EQ(operation.find(word) != std::string::npos, has_etag) << word;
    }
  }
}

TEST(GW1_openapi, is_served_to_anyone_and_describes_itself) {
  gateway it(with_openapi(health_routes([] { return std::vector<check>{}; })));
  const answer got = it.ask("GET /api/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(got.status, 200);
  const auto doc = codec::parse_strict(got.body);
  ASSERT_TRUE(doc.ok());
  for (const char* path : {"/api/openapi.json", "/livez", "/readyz", "/metrics"}) {
    EXPECT_NE(at(*doc, {"paths", path, "get"}), "") << path;
  }
  EXPECT_EQ(at(*doc, {"paths", "/livez", "get", "security"}), "[]");
}

TEST(P30_health, ready_says_what_is_wrong) {
  std::vector<check> checks = {{"event_log", true, "standby"}, {"migrations", true, ""}};
  gateway it(health_routes([&] { return checks; }));
  const auto ask = [&](const std::string& target, const std::string& token = "") {
    return it.ask("GET " + target + " HTTP/1.1\r\nHost: a\r\n" +
                  (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + "\r\n");
  };
  EXPECT_EQ(ask("/livez").body, R"({"status":"alive"})");
  EXPECT_EQ(ask("/readyz").body, R"({"status":"ready"})");
  EXPECT_EQ(ask("/readyz?verbose").body,
            R"({"status":"ready","checks":[{"name":"event_log","ok":true,"note":"standby"},)"
            R"({"name":"migrations","ok":true}]})");
  checks.push_back({"engine", true, "docker, unavailable", true});
  EXPECT_EQ(ask("/readyz").status, 200);
  EXPECT_EQ(ask("/readyz").body,
            R"({"status":"ready","degraded":["engine: docker, unavailable"]})");
  EXPECT_EQ(ask("/readyz?verbose").body,
            R"({"status":"ready","degraded":["engine: docker, unavailable"],)"
            R"("checks":[{"name":"event_log","ok":true,"note":"standby"},)"
            R"({"name":"migrations","ok":true},)"
            R"({"name":"engine","ok":false,"note":"docker, unavailable"}]})");
  checks[0] = {"event_log", false, "reconnecting"};
  const answer got = ask("/readyz?verbose");
  EXPECT_EQ(got.status, 503);
  EXPECT_TRUE(got.has("Retry-After: 1\r\n"));
  EXPECT_NE(got.body.find("not ready: event_log (reconnecting)"), std::string::npos);
  EXPECT_EQ(ask("/livez").status, 200);
  EXPECT_EQ(ask("/metrics").status, 401);
  EXPECT_TRUE(ask("/metrics", "admin").has("text/plain; version=0.0.4"));
}

/// They tell of every tenant.
TEST(GW4_metrics, are_for_auditors_and_the_admins_of_the_first_tenant) {
  gateway it(with_openapi(health_routes([] { return std::vector<check>{}; })));
  const auto ask = [&](const std::string& token) {
    return it.ask("GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token +
                  "\r\n\r\n");
  };
  for (const char* token : {"admin", "auditor"}) EXPECT_EQ(ask(token).status, 200) << token;
  for (const char* token : {"viewer", "operator", "node", "stranger"}) {
    const answer got = ask(token);
    EXPECT_EQ(got.status, 403) << token;
    EXPECT_NE(got.body.find("it takes the role auditor, or admin in the tenant whose the server"),
              std::string::npos)
        << got.body;
  }
  const answer got = it.ask("GET /api/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(got.body.find("Needs a token of the role auditor, or admin in the tenant"),
            std::string::npos);
}
