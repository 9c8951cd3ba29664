#include "api/dispatch.hpp"

#include "api/header_values.hpp"
#include "api/openapi.hpp"
#include "tests/unit/api/gateway_fixture.hpp"

#include <gtest/gtest.h>

using namespace gateway_fixture;

namespace {

std::vector<route> table_routes(request* seen) {
  const auto handle = [seen](request asked, const responder& slot) {
    if (seen) *seen = std::move(asked);
    slot.answer(text_response("ok"));
  };
  std::vector<route> made;
  made.push_back(simple(method::get, "/open", handle));
  made.push_back(simple(method::get, "/api/runs", handle, api::access::viewer));
  made.back().query_names = {"limit", "cursor"};
  made.back().response_schema = "{}";
  made.push_back(simple(method::post, "/api/runs", handle, api::access::operator_));
  made.back().max_body_bytes = 100;
  made.push_back(simple(method::get, "/api/runs/{id}", handle, api::access::viewer));
  made.push_back(simple(method::delete_, "/api/tokens/{id}", handle, api::access::admin));
  made.push_back(simple(method::patch, "/api/runs/{id}", handle, api::access::operator_));
  made.back().minds_if_match = true;
  return made;
}

std::string with(std::string_view line, std::string_view token, std::string_view fields = "",
                 std::string_view body = "") {
  std::string text(line);
  text += " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
  if (!token.empty()) text += "Authorization: Bearer " + std::string(token) + "\r\n";
  text += fields;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + std::string(body);
}

constexpr std::string_view json_type = "Content-Type: application/json\r\n";

}  // namespace

TEST(ACC1_dispatch, strangers_learn_nothing_about_the_table) {
  gateway it(table_routes(nullptr));
  for (const char* line : {"GET /api/runs", "GET /nothing", "POST /api/runs", "PUT /api/runs",
                           "OPTIONS /api/runs", "OPTIONS *", "GET /api/runs/7", "BREW /api/runs"}) {
    const answer got = it.ask(with(line, ""));
    EXPECT_EQ(got.status, 401) << line;
    EXPECT_TRUE(got.has("WWW-Authenticate: Bearer"));
    EXPECT_FALSE(got.has("Allow:"));
    EXPECT_EQ(it.ask(with(line, "unknown")).status, 401) << line;
  }
  EXPECT_EQ(it.ask(with("GET /open", "")).status, 200);
  EXPECT_EQ(it.ask(with("GET /open", "unknown")).status, 200);
}

TEST(ACC1_dispatch, roles_rise) {
  struct row {
    const char *line, *token;
    int status;
  };
  const row rows[] = {{"GET /api/runs", "viewer", 200},
                      {"GET /api/runs", "auditor", 200},
                      {"GET /api/runs", "operator", 200},
                      {"GET /api/runs", "admin", 200},
                      {"GET /api/runs", "node", 403},
                      {"POST /api/runs", "viewer", 403},
                      {"POST /api/runs", "auditor", 403},
                      {"POST /api/runs", "operator", 200},
                      {"DELETE /api/tokens/1", "operator", 403},
                      {"DELETE /api/tokens/1", "admin", 200}};
  gateway it(table_routes(nullptr));
  for (const row& one : rows) {
    EXPECT_EQ(it.ask(with(one.line, one.token)).status, one.status) << one.line << one.token;
  }
}

/// And nothing else: the description of the API says the same of each route.
TEST(ACC1_dispatch, a_refusal_names_the_roles_that_may) {
  EXPECT_EQ(roles_for(api::access::viewer), "viewer, operator, auditor or admin");
  EXPECT_EQ(roles_for(api::access::operator_), "operator or admin");
  EXPECT_EQ(roles_for(api::access::auditor), "auditor or admin");
  EXPECT_EQ(roles_for(api::access::admin), "admin");
  EXPECT_EQ(roles_for(api::access::server), "auditor, or admin in the tenant whose the server is");
  gateway it(table_routes(nullptr));
  const auto told = [&it](std::string_view line, std::string_view token) {
    const auto body = it.ask(with(line, token)).body;
    const auto at = body.find(R"("detail":")") + 10;
    return body.substr(at, body.find('"', at) - at);
  };
  EXPECT_EQ(told("POST /api/runs", "viewer"),
            "it takes the role operator or admin, and this token's is viewer");
  EXPECT_EQ(told("DELETE /api/tokens/1", "operator"),
            "it takes the role admin, and this token's is operator");
  EXPECT_EQ(told("PUT /api/tokens/1", "viewer"),
            "it takes the role admin, and this token's is viewer");
  const auto document = openapi_document(table_routes(nullptr));
  for (const char* needed :
       {"viewer, operator, auditor or admin.", "operator or admin.", "admin."}) {
    EXPECT_NE(document.find(std::string("Needs a token of the role ") + needed), document.npos)
        << needed;
  }
  EXPECT_NE(document.find("Needs no token."), document.npos);
}

TEST(ACC3_dispatch, denials_are_told) {
  gateway it(table_routes(nullptr));
  it.ask(with("GET /api/runs/marker", ""));
  it.ask(with("DELETE /api/tokens/1", "viewer"));
  const auto told = it.denials();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].code, errc::unauthenticated);
  EXPECT_FALSE(told[0].who);
  EXPECT_EQ(told[0].peer, "127.0.0.1");
  EXPECT_EQ(told[0].route, "GET /api/runs/{id}");
  EXPECT_EQ(told[1].code, errc::forbidden);
  EXPECT_EQ(told[1].who->principal, "token:viewer");
}

TEST(GW2_dispatch, refusals_have_one_order) {
  gateway it(table_routes(nullptr));
  const std::string large(101, 'x');
  EXPECT_EQ(it.ask(with("GET /%zz", "")).status, 400);
  EXPECT_EQ(it.ask(with("GET /nothing", "node")).status, 404);
  EXPECT_EQ(it.ask(with("PUT /api/tokens/1", "viewer")).status, 403);
  const answer wrong = it.ask(with("PUT /api/tokens/1", "admin"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_TRUE(wrong.has("Allow: DELETE, OPTIONS\r\n"));
  EXPECT_EQ(it.ask(with("GET /api/runs?x=1", "viewer", "Accept: text/html\r\n")).status, 406);
  EXPECT_EQ(it.ask(with("POST /api/runs?x=1", "admin", "", large)).status, 415);
  EXPECT_EQ(it.ask(with("POST /api/runs?x=1", "admin", json_type, large)).status, 413);
  EXPECT_EQ(it.ask(with("POST /api/runs?x=1", "admin", json_type, "{}")).status, 422);
}

TEST(GW2_dispatch, what_a_field_causes_names_it) {
  struct row {
    const char *line, *field;
    int status;
  };
  const row rows[] = {{"GET /api/runs", "Accept: text/html", 406},
                      {"POST /api/runs", "If-Match: \"1\"", 412},
                      {"POST /api/runs", "If-None-Match: *", 412},
                      {"POST /api/runs", "If-Unmodified-Since: x", 412},
                      {"POST /api/runs", "Content-Type: text/plain", 415},
                      {"POST /api/runs", "Content-Encoding: gzip", 415},
                      {"POST /api/runs", "Expect: 200-ok", 417},
                      {"POST /api/runs", "Idempotency-Key: a b", 422},
                      {"PATCH /api/runs/1", "If-Match: 1", 422},
                      {"GET /api/runs", "Reeve-Min-Position: x", 422}};
  gateway it(table_routes(nullptr));
  for (const row& one : rows) {
    const std::string field = one.field;
    const bool has_body = one.status == 415;
    std::string fields = field + "\r\n";
    if (field.starts_with("Content-Encoding")) fields += json_type;
    const answer got = it.ask(with(one.line, "admin", fields, has_body ? "{}" : ""));
    EXPECT_EQ(got.status, one.status) << field << got.body;
    const auto pointer = "\"pointer\":\"/headers/" + field.substr(0, field.find(':')) + "\"";
    EXPECT_NE(got.body.find(pointer), std::string::npos) << field << got.body;
  }
  const answer none = it.ask(with("POST /api/runs", "admin", "", "{}"));
  EXPECT_EQ(none.status, 415);
  EXPECT_NE(none.body.find("/headers/Content-Type"), std::string::npos) << "it is missing";
}

TEST(GW2_dispatch, a_body_that_is_encoded_is_415) {
  gateway it(table_routes(nullptr));
  const auto post = [&](const std::string& fields) {
    return it.ask(with("POST /api/runs", "admin", std::string(json_type) + fields, "{}"));
  };
  EXPECT_EQ(post("Content-Encoding: identity\r\n").status, 200);
  const answer coded = post("Content-Encoding: gzip\r\n");
  EXPECT_EQ(coded.status, 415);
  EXPECT_NE(coded.body.find("\"pointer\":\"/headers/Content-Encoding\""), std::string::npos);
  EXPECT_EQ(post("Content-Encoding: identity\r\nContent-Encoding: br\r\n").status, 415);
  EXPECT_EQ(it.ask(with("DELETE /api/tokens/1", "admin", "Content-Encoding: gzip\r\n")).status, 200)
      << "there is no body that it could be said of";
}

TEST(GW2_dispatch, options_and_trailing_slashes_come_from_the_table) {
  gateway it(table_routes(nullptr));
  const answer options = it.ask(with("OPTIONS /api/runs/", "viewer"));
  EXPECT_EQ(options.status, 204);
  EXPECT_TRUE(options.has("Allow: GET, HEAD, POST, OPTIONS\r\n"));
  EXPECT_EQ(it.ask(with("OPTIONS *", "viewer")).status, 204);
  EXPECT_EQ(it.ask(with("OPTIONS /open", "")).status, 204);
  EXPECT_EQ(it.ask(with("POST /open", "")).status, 405);
  EXPECT_EQ(it.ask(with("GET /api/runs/", "viewer")).status, 200);
}

TEST(GW2_dispatch, unknown_and_doubled_query_names_are_422_and_named) {
  gateway it(table_routes(nullptr));
  const answer unknown = it.ask(with("GET /api/runs?limt=secret", "viewer"));
  EXPECT_EQ(unknown.status, 422);
  EXPECT_NE(unknown.body.find("\"pointer\":\"/query/limt\""), std::string::npos);
  EXPECT_EQ(unknown.body.find("secret"), std::string::npos);
  EXPECT_EQ(it.ask(with("GET /api/runs?limit=1&limit=2", "viewer")).status, 422);
}

TEST(GW2_dispatch, malformed_fields_are_422_and_named) {
  gateway it(table_routes(nullptr));
  const std::pair<const char*, const char*> fields[] = {{"Idempotency-Key", "POST /api/runs"},
                                                        {"If-Match", "PATCH /api/runs/1"},
                                                        {"If-Match", "DELETE /api/tokens/1"},
                                                        {"Reeve-Min-Position", "GET /api/runs"}};
  for (const auto& [name, line] : fields) {
    for (const char* value : {"a b", ""}) {
      const answer got = it.ask(with(line, "admin", std::string(name) + ": " + value + "\r\n"));
      EXPECT_EQ(got.status, 422) << line << name << value;
      EXPECT_NE(got.body.find("/headers/" + std::string(name)), std::string::npos);
    }
  }
}

/// A probe or a reader that sends what only writes mind is answered, whatever it sends.
TEST(GW2_dispatch, reads_do_not_look_at_what_only_writes_mind) {
  request seen;
  gateway it(table_routes(&seen));
  for (const char* field : {"If-Match: nonsense", "If-Match: \"1\"", "If-Match:",
                            "Idempotency-Key: a b", "Idempotency-Key: k", "Idempotency-Key:"}) {
    const std::string line = std::string(field) + "\r\n";
    EXPECT_EQ(it.ask(with("GET /open", "", line)).status, 200) << field;
    EXPECT_EQ(it.ask(with("GET /api/runs", "viewer", line)).status, 200) << field;
    EXPECT_EQ(seen.if_match, "");
    EXPECT_EQ(seen.idempotency_key, "");
    EXPECT_EQ(it.ask(with("HEAD /api/runs", "viewer", line), true).status, 200) << field;
    EXPECT_EQ(it.ask(with("OPTIONS /api/runs", "viewer", line)).status, 204) << field;
  }
}

/// RFC 9110 section 5.3: which line a tag or a range stands in means nothing.
TEST(GW2_dispatch, lines_of_a_list_are_read_as_one) {
  request seen;
  gateway it(table_routes(&seen));
  const std::string old = "If-Match: \"1\"\r\n";
  const std::string other = "If-Match: , \"2\"\r\n";
  for (const auto& lines : {old + other, other + old}) {
    EXPECT_EQ(it.ask(with("PATCH /api/runs/1", "admin", lines)).status, 200);
    EXPECT_TRUE(etag_matches(seen.if_match, "\"1\"")) << seen.if_match;
    EXPECT_TRUE(etag_matches(seen.if_match, "\"2\"")) << seen.if_match;
  }
  for (const auto& lines : {old + "If-Match: *\r\n", old + "If-Match: nonsense\r\n"}) {
    EXPECT_EQ(it.ask(with("PATCH /api/runs/1", "admin", lines)).status, 422) << lines;
  }
  const std::string html = "Accept: text/html\r\n";
  const std::string json = "Accept: application/json\r\n";
  const std::string none = "Accept: application/json;q=0\r\n";
  const auto listed = [&](const std::string& lines) {
    return it.ask(with("GET /api/runs", "viewer", lines)).status;
  };
  EXPECT_EQ(listed(html + json), 200);
  EXPECT_EQ(listed(json + html), 200);
  EXPECT_EQ(seen.accept, "application/json, text/html");
  EXPECT_EQ(listed(html + html), 406);
  EXPECT_EQ(listed("Accept: */*\r\n" + none), 406);
  const std::string trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  listed(trace + "\r\n" + trace + "\r\n");
  EXPECT_EQ(seen.traceparent, "") << "it is no list";
}

TEST(GW3_dispatch, a_tag_in_any_line_of_if_none_match_is_found) {
  gateway it(basic_routes());
  const auto ask = [&](const std::string& fields) {
    return it.ask("GET /hello HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n").status;
  };
  EXPECT_EQ(ask("If-None-Match: \"v1\"\r\nIf-None-Match: \"v2\"\r\n"), 304);
  EXPECT_EQ(ask("If-None-Match: \"v2\"\r\nIf-None-Match: , W/\"v1\"\r\n"), 304);
  EXPECT_EQ(ask("If-None-Match: \"v2\"\r\nIf-None-Match: \"v3\"\r\n"), 200);
}

TEST(GW2_dispatch, promises_that_a_route_does_not_keep_are_refused) {
  request seen;
  auto routes = table_routes(&seen);
  routes.push_back(simple(
      method::post, "/api/heads",
      [](const request&, const responder& slot) { slot.answer(text_response("ok")); },
      api::access::operator_));
  routes.back().takes_key = false;
  gateway it(std::move(routes));
  for (const char* tags : {"\"1\"", "*", "W/\"1\""}) {
    const std::string field = "If-Match: " + std::string(tags) + "\r\n";
    const answer got = it.ask(with("POST /api/runs", "admin", field));
    EXPECT_EQ(got.status, 412) << tags;
    EXPECT_NE(got.body.find("precondition_failed"), std::string::npos) << got.body;
    EXPECT_EQ(it.ask(with("PATCH /api/runs/1", "admin", field)).status, 200) << tags;
    EXPECT_EQ(it.ask(with("GET /api/runs", "admin", field)).status, 200) << "it changes nothing";
  }
  const std::string key = "Idempotency-Key: k\r\n";
  const answer got = it.ask(with("POST /api/heads", "admin", key));
  EXPECT_EQ(got.status, 422);
  EXPECT_NE(got.body.find("\"pointer\":\"/headers/Idempotency-Key\""), std::string::npos);
  EXPECT_EQ(it.ask(with("POST /api/heads", "admin")).status, 200);
  EXPECT_EQ(it.ask(with("POST /api/runs", "admin", key)).status, 200);
  EXPECT_EQ(seen.idempotency_key, "k");
}

/// RFC 9110 section 13.1.2: "only if there is none" must not make another one.
TEST(GW2_dispatch, writes_refuse_the_preconditions_that_they_do_not_mind) {
  request seen;
  gateway it(table_routes(&seen));
  const std::string date = ": Sat, 29 Oct 1994 19:43:31 GMT";
  for (const std::string& field :
       {std::string("If-None-Match: *"), std::string("If-None-Match: \"1\""),
        std::string("If-None-Match: nonsense"), std::string("If-None-Match:"),
        "If-Unmodified-Since" + date, std::string("If-Unmodified-Since: nonsense")}) {
    const auto name = field.substr(0, field.find(':'));
    for (const char* line : {"POST /api/runs", "PATCH /api/runs/1", "DELETE /api/tokens/1"}) {
      const answer got = it.ask(with(line, "admin", field + "\r\n"));
      EXPECT_EQ(got.status, 412) << line << field;
      EXPECT_NE(got.body.find("precondition_failed"), std::string::npos) << got.body;
      EXPECT_NE(got.body.find("\"pointer\":\"/headers/" + name + "\""), std::string::npos);
      EXPECT_EQ(seen.path, "") << "nothing was done";
    }
  }
  for (const char* field : {"If-None-Match: nonsense", "If-None-Match: *"}) {
    EXPECT_EQ(it.ask(with("GET /api/runs", "admin", std::string(field) + "\r\n")).status, 200);
    EXPECT_EQ(it.ask(with("OPTIONS /api/runs", "admin", std::string(field) + "\r\n")).status, 204);
  }
  const std::string since = "If-Unmodified-Since" + date + "\r\n";
  EXPECT_EQ(it.ask(with("GET /api/runs", "admin", since)).status, 200);
  EXPECT_EQ(it.ask(with("PATCH /api/runs/1", "admin", since + "If-Match: \"1\"\r\n")).status, 200)
      << "If-Match is minded in its place";
  EXPECT_EQ(it.ask(with("POST /api/runs", "admin", "If-Modified-Since" + date + "\r\n")).status,
            200)
      << "it is for reads alone, RFC 9110 section 13.1.3";
}

TEST(GW2_dispatch, the_handler_sees_what_was_sent) {
  request seen;
  gateway it(table_routes(&seen));
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(it.ask(with("PATCH /api/runs/a%20b/", "admin",
                        "Content-Type: application/merge-patch+json\r\nIdempotency-Key: k\r\n"
                        "If-Match: \"e\"\r\nLast-Event-ID: 5\r\nReeve-Min-Position: 9\r\n"
                        "Accept: application/json\r\ntraceparent: " +
                            trace + "\r\n",
                        "{}"))
                .status,
            200);
  EXPECT_EQ(seen.method, method::patch);
  EXPECT_EQ(seen.path, "/api/runs/a b");
  EXPECT_EQ(seen.param("id"), "a b");
  EXPECT_EQ(seen.body, "{}");
  EXPECT_EQ(seen.idempotency_key, "k");
  EXPECT_EQ(seen.if_match, "\"e\"");
  EXPECT_EQ(seen.last_event_id, "5");
  EXPECT_EQ(seen.min_position, 9);
  EXPECT_EQ(seen.traceparent, trace);
  EXPECT_EQ(seen.accept, "application/json");
  EXPECT_EQ(seen.who.principal, "token:admin");
  EXPECT_EQ(seen.request_id, to_string(seen.correlation_id));
  EXPECT_EQ(seen.body_digest, digest{});
  it.ask(with("POST /api/runs", "admin", json_type, "{}"));
  EXPECT_EQ(seen.body_digest, sha256("{}"));
  it.ask(with("GET /api/runs?limit=%35", "admin", "traceparent: nonsense\r\n"));
  EXPECT_EQ(seen.query_value("limit"), "5");
  EXPECT_EQ(seen.query_value("cursor"), std::nullopt);
  EXPECT_EQ(seen.traceparent, "");
  EXPECT_EQ(it.ask(with("HEAD /api/runs", "admin"), true).status, 200);
  EXPECT_EQ(seen.method, method::get);
}

TEST(GW4_dispatch, a_closed_gateway_answers_only_what_is_always_answered) {
  auto routes = table_routes(nullptr);
  routes.front().always = true;
  std::atomic<bool> closed{true};
  gateway it(std::move(routes), {}, [&]() -> std::optional<rejection> {
    if (closed) return reject(errc::unavailable, "this server is a standby");
    return std::nullopt;
  });
  EXPECT_EQ(it.ask(with("GET /open", "")).status, 200);
  for (const char* line : {"GET /api/runs", "GET /nothing", "PUT /api/runs", "OPTIONS *"}) {
    for (const char* token : {"", "unknown", "admin"}) {
      const answer got = it.ask(with(line, token));
      EXPECT_EQ(got.status, 503) << line << token;
      EXPECT_TRUE(got.has("Retry-After: 1\r\n"));
      EXPECT_NE(got.body.find("this server is a standby"), std::string::npos);
    }
  }
  EXPECT_EQ(it.ask(with("GET /%zz", "")).status, 400);
  EXPECT_TRUE(it.denials().empty());
  closed = false;
  EXPECT_EQ(it.ask(with("GET /api/runs", "admin")).status, 200);
  EXPECT_EQ(it.ask(with("GET /api/runs", "")).status, 401);
}
