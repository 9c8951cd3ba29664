#include "api/body_texts.hpp"
#include "api/openapi.hpp"
#include "api/routes/health.hpp"
#include "api/routes/views.hpp"
#include "persistence/read_sql.hpp"
#include "tests/unit/api/routes/routes_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

using namespace routes_fixture;

namespace {

const std::string images = "/api/allowlists/images";
const std::string containers = "/api/allowlists/containers";

}  // namespace

TEST(CTR8_allowlists, images_are_allowed_listed_and_denied) {
  world it;
  const auto made =
      it.ask("admin", "POST " + images, R"({"reference":"busybox:1.36","reason":"tests"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const auto each = images + "/" + made.at("id");
  EXPECT_EQ(made.header("Location"), each);
  EXPECT_EQ(made.at("reference"), "docker.io/library/busybox:1.36");
  EXPECT_EQ(made.at("is_active"), "true");
  EXPECT_EQ(made.at("reason"), "tests");
  EXPECT_EQ(made.header("ETag"), it.ask("viewer", "GET " + each).header("ETag"));
  EXPECT_EQ(it.ask("viewer", "GET " + images + "?is_active=true").at("results/0/id"),
            made.at("id"));
  const auto twice = it.ask("admin", "POST " + images, R"({"reference":"busybox:1.36"})");
  EXPECT_EQ(twice.status, 409);
  for (const auto& other : {std::string("\"old\""), "W/" + made.header("ETag")}) {
    EXPECT_EQ(it.ask("admin", "DELETE " + each, "", "If-Match: " + other + "\r\n").status, 412);
  }
  const auto denied =
      it.ask("admin", "DELETE " + each, "", "If-Match: " + made.header("ETag") + "\r\n");
  EXPECT_EQ(denied.status, 200) << denied.body;
  EXPECT_EQ(denied.at("is_active"), "false");
  EXPECT_FALSE(denied.header("Reeve-Position").empty());
  const auto again = it.ask("admin", "POST " + each + "/deactivate");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.header("Reeve-Position"), "");
  EXPECT_EQ(it.ask("viewer", "GET " + images + "?is_active=true").at("results"), "[]");
}

/// No engine stands behind these routes, so that none has the image.
TEST(CTR8_allowlists, an_entry_is_not_resolved_without_an_engine_that_has_its_image) {
  world it;
  const auto made = it.ask("admin", "POST " + images, R"({"reference":"busybox:1.36"})");
  const auto path = "POST " + images + "/" + made.at("id") + "/resolve";
  const auto head = it.reads.head();
  const auto refused = it.ask("admin", path);
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_NE(refused.at("detail").find("docker.io/library/busybox:1.36"), std::string::npos);
  EXPECT_EQ(it.ask("operator", path).status, 403);
  EXPECT_EQ(it.ask("stranger", path).status, 404) << "another tenant's";
  EXPECT_EQ(it.ask("admin", path, R"({"digest":"sha256:mine"})").status, 422);
  EXPECT_EQ(it.ask("admin", path, "", "If-Match: \"old\"\r\n").status, 412);
  EXPECT_EQ(it.ask("admin", "POST " + images + "/none/resolve").status, 404);
  EXPECT_EQ(it.reads.head(), head);
}

TEST(CTR8_allowlists, containers_are_allowed_and_denied) {
  world it;
  const auto made = it.ask("admin", "POST " + containers, R"({"name":"db","reason":"logs"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const auto each = containers + "/" + made.at("id");
  EXPECT_EQ(it.ask("viewer", "GET " + each).body, made.body);
  EXPECT_EQ(it.ask("viewer", "GET " + containers).at("results/0/name"), "db");
  const auto denied = it.ask("admin", "POST " + each + "/deactivate", "{}");
  EXPECT_EQ(denied.at("is_active"), "false");
  EXPECT_EQ(it.ask("admin", "DELETE " + each).status, 200);
}

TEST(CTR8_allowlists, refuse_what_they_must) {
  world it;
  const auto before = it.reads.head();
  const std::pair<std::string, std::string> rows[] = {
      {images, R"({"reference":""})"},
      {images, R"({"reference":"a b"})"},
      {images, "{}"},
      {images, R"({"reference":"a","privileged":true})"},
      {containers, R"({"name":""})"},
      {containers, R"({"id":"x"})"},
      {containers, R"({"name":"a","container_id":"no"})"}};
  for (const auto& [path, body] : rows) {
    EXPECT_EQ(it.ask("admin", "POST " + path, body).status, 422) << body;
  }
  EXPECT_EQ(it.ask("operator", "POST " + images, R"({"reference":"a"})").status, 403);
  const auto theirs = it.ask("stranger", "POST " + images, R"({"reference":"a"})").at("id");
  EXPECT_EQ(it.reads.head(), before + 1);
  EXPECT_EQ(it.ask("viewer", "GET " + images + "/" + theirs).status, 404);
  EXPECT_EQ(it.ask("admin", "DELETE " + images + "/" + theirs).status, 404);
  EXPECT_EQ(it.ask("admin", "DELETE " + images + "/none").status, 404);
  EXPECT_EQ(it.ask("viewer", "GET " + images + "?is_active=1").status, 422);
}

TEST(ACC1_tokens, are_shown_once_and_hashed) {
  world it;
  const auto made = it.ask("admin", "POST /api/tokens", R"({"name":"ci","role":"operator"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const auto text = made.at("token");
  const auto id = made.at("id");
  ASSERT_EQ(text.size(), 3U + 32 + 1 + 43);
  const auto bytes = parse_uuid(id).value().bytes;
  EXPECT_EQ(text.substr(0, 36),
            "rv_" + to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) + "_");
  const auto secret = text.substr(36);
  EXPECT_EQ(from_base64url(secret).value().size(), 32U);
  EXPECT_NE(it.reads.log.back().payload.find(to_hex(sha256(secret))), std::string::npos);
  for (const auto& e : it.reads.log) EXPECT_EQ(e.payload.find(secret), std::string::npos);
  EXPECT_EQ(it.ask("admin", "GET /api/tokens/" + id).at("token"), "");
  EXPECT_EQ(it.ask("admin", "GET /api/tokens").body.find(secret), std::string::npos);
  const auto other = it.ask("admin", "POST /api/tokens", R"({"name":"ci","role":"operator"})");
  EXPECT_NE(other.at("token").substr(36), secret);
}

TEST(ACC1_tokens, a_repeated_request_makes_no_second_one) {
  world it;
  const std::string key = "Idempotency-Key: t\r\n";
  const std::string body = R"({"name":"ci","role":"viewer"})";
  const auto first = it.ask("admin", "POST /api/tokens", body, key);
  const auto head = it.reads.head();
  const auto again = it.ask("admin", "POST /api/tokens", body, key);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.at("id"), first.at("id"));
  EXPECT_EQ(again.at("token"), "null");
  EXPECT_EQ(it.reads.head(), head);
}

TEST(ACC1_tokens, are_revoked_by_admins_of_the_tenant) {
  world it;
  const auto id = it.ask("admin", "POST /api/tokens", R"({"name":"a","role":"admin"})").at("id");
  const auto path = "POST /api/tokens/" + id + "/revoke";
  EXPECT_EQ(it.ask("operator", path).status, 403);
  EXPECT_EQ(it.ask("stranger", path).status, 404);
  EXPECT_EQ(it.ask("admin", path).status, 409) << "the last admin token stays";
  it.ask("admin", "POST /api/tokens", R"({"name":"b","role":"admin"})");
  const auto got = it.ask("admin", path);
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.at("is_active"), "false");
  EXPECT_EQ(it.ask("admin", "GET /api/tokens?is_active=false").at("results/0/id"), id);
  for (const char* body : {R"({"name":"x","role":"god"})", R"({"name":"","role":"viewer"})",
                           R"({"name":"x","role":"viewer","token":"mine"})", "{}"}) {
    EXPECT_EQ(it.ask("admin", "POST /api/tokens", body).status, 422) << body;
  }
}

TEST(ACC1_tokens, whoami_tells_the_caller) {
  world it;
  const auto got = it.ask("auditor", "GET /api/whoami");
  EXPECT_EQ(got.at("role"), "auditor");
  EXPECT_EQ(got.at("tenant"), to_string(named("tenant")));
  EXPECT_EQ(got.at("token_id"), to_string(named("auditor")));
}

TEST(CTR4_engine, is_described) {
  world it;
  EXPECT_EQ(it.ask("viewer", "GET /api/engine").body,
            R"({"api_version":"1.41","available":true,"breaker":"closed","engine":"docker",)"
            R"("live_restore":true,"version":"24"})");
  EXPECT_EQ(it.ask("viewer", "GET /api/agents").at("results/0/path"), "root");
}

TEST(GW2_positions, a_read_does_not_pretend_to_be_later_than_it_is) {
  world it;
  const auto head = std::to_string(it.reads.head());
  const auto ahead = std::to_string(it.reads.head() + 1);
  EXPECT_EQ(it.ask("viewer", "GET /api/runs", "", "Reeve-Min-Position: " + head + "\r\n").status,
            200);
  const auto got = it.ask("viewer", "GET /api/runs", "", "Reeve-Min-Position: " + ahead + "\r\n");
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.header("Retry-After"), "1");
}

TEST(GW2_documents, have_the_etag_that_the_database_side_gives_them) {
  EXPECT_EQ(etag_of("{\"a\":1}"), persistence::make_document("{\"a\":1}").etag);
}

TEST(GW1_routes, are_described_in_full) {
  world it;
  std::set<std::string> lists;
  for (const auto& one : it.routes()) {
    EXPECT_FALSE(one.summary.empty()) << one.pattern;
    EXPECT_FALSE(one.statuses.empty()) << one.pattern;
    EXPECT_NE(one.needs, api::access::anonymous) << one.pattern;
    for (const auto& schema : {one.request_schema, one.response_schema}) {
      if (schema.empty()) continue;
      EXPECT_TRUE(codec::parse_strict(schema, document_limits()).ok()) << one.pattern;
      EXPECT_NE(schema, R"({"type":"object"})") << one.pattern;
    }
    const auto& names = one.query_names;
    if (std::find(names.begin(), names.end(), "limit") != names.end()) lists.insert(one.pattern);
  }
  EXPECT_EQ(lists.size(), 15U);
  for (const auto& path : lists) {
    if (path.find('{') != std::string::npos) continue;
    const auto got = it.ask("admin", "GET " + path + (path == "/api/logs" ? "?q=x" : ""));
    EXPECT_EQ(got.status, 200) << path;
    EXPECT_EQ(got.at("results").front(), '[') << path;
    EXPECT_EQ(got.at("next"), "null") << path;
    EXPECT_EQ(it.ask("admin", "GET " + path + "?limit=1000").status, 422) << path;
  }
  codec::json_limits limits = document_limits();
  EXPECT_TRUE(codec::parse_strict(openapi_document(it.routes()), limits).ok());
}

/// Whoever changes one resource that is there minds If-Match; what makes a new one has no tag yet.
TEST(GW2_routes, mind_if_match_or_refuse_it) {
  world it;
  std::set<std::string> minding;
  const auto head = it.reads.head();
  for (const auto& one : it.routes()) {
    if (one.method == method::get) continue;
    const auto line = std::string(name_of(one.method)) + " " + one.pattern;
    if (one.minds_if_match) {
      minding.insert(line);
      continue;
    }
    auto target = line;
    if (const auto id = target.find("{id}"); id != std::string::npos) {
      target.replace(id, 4, to_string(named("nothing")));
    }
    for (const char* tags : {"*", "\"1\""}) {
      const auto got = it.ask("admin", target, "", "If-Match: " + std::string(tags) + "\r\n");
      EXPECT_EQ(got.status, 412) << line;
      EXPECT_EQ(got.at("code"), "precondition_failed") << line;
      EXPECT_EQ(got.at("errors/0/pointer"), "/headers/If-Match") << line;
    }
  }
  EXPECT_EQ(it.reads.head(), head) << "nothing was done";
  const std::set<std::string> expected{"DELETE /api/allowlists/containers/{id}",
                                       "DELETE /api/allowlists/images/{id}",
                                       "DELETE /api/llm-budgets/{name}",
                                       "DELETE /api/secrets/{name}",
                                       "POST /api/allowlists/containers/{id}/deactivate",
                                       "POST /api/allowlists/images/{id}/deactivate",
                                       "POST /api/allowlists/images/{id}/resolve",
                                       "POST /api/directives/{id}/archive",
                                       "POST /api/directives/{id}/versions",
                                       "POST /api/jobs/{id}/discard",
                                       "POST /api/jobs/{id}/retry",
                                       "POST /api/runs/{id}/cancel",
                                       "POST /api/tokens/{id}/revoke",
                                       "PUT /api/directives/{id}",
                                       "PUT /api/llm-budgets/{name}",
                                       "PUT /api/secrets/{name}"};
  EXPECT_EQ(minding, expected);
}

/// What "only if there is none" guards must not come to be because nobody read it.
TEST(GW2_routes, refuse_a_write_that_is_to_hold_only_if_there_is_none) {
  world it;
  const auto head = it.reads.head();
  std::size_t writes = 0;
  for (const auto& one : it.routes()) {
    if (one.method == method::get) continue;
    auto line = std::string(name_of(one.method)) + " " + one.pattern;
    if (const auto name = line.find('{'); name != std::string::npos) {
      line.replace(name, line.find('}') - name + 1, to_string(named("nothing")));
    }
    const auto got = it.ask("admin", line, "", "If-None-Match: *\r\n");
    EXPECT_EQ(got.status, 412) << line;
    EXPECT_EQ(got.at("errors/0/pointer"), "/headers/If-None-Match") << line;
    ++writes;
  }
  EXPECT_GT(writes, 15U);
  const auto made = it.ask("operator", "POST /api/directives", R"({"name":"a","tasks":["task1"]})",
                           "If-None-Match: *\r\n");
  EXPECT_EQ(made.status, 412);
  EXPECT_EQ(it.reads.head(), head) << "nothing was done";
}

/// A reader of the description finds what each operation does and what each parameter means.
TEST(GW1_openapi, describes_every_operation_and_every_parameter) {
  world it;
  auto routes = it.routes();
  for (auto& one : health_routes([] { return std::vector<check>{}; })) routes.push_back(one);
  const auto doc = codec::parse_strict(openapi_document(routes), document_limits());
  ASSERT_TRUE(doc.ok());
  const auto paths = doc->root().find("paths").value();
  std::size_t parameters = 0;
  for (std::size_t i = 0; i < paths.member_count(); ++i) {
    const auto verbs = paths.member_value(i);
    for (std::size_t j = 0; j < verbs.member_count(); ++j) {
      const auto where = std::string(verbs.member_key(j)) + " " + std::string(paths.member_key(i));
      const auto one = verbs.member_value(j);
      EXPECT_GE(one.find("summary").value().as_string().size(), 10U) << where;
      EXPECT_FALSE(one.find("description").value().as_string().empty()) << where;
      const auto all = one.find("parameters").value();
      for (std::size_t k = 0; k < all.size(); ++k, ++parameters) {
        EXPECT_FALSE(all.at(k).find("description").value().as_string().empty())
            << where << ": " << all.at(k).find("name").value().as_string()
            << " has no text: row::says, or a line in api/parameter_texts.cpp";
      }
    }
  }
  EXPECT_GT(parameters, 100U);
}

/// Members of bodies without a description, as "POST /api/tokens/name".
void find_untold(const codec::json_node& schema, const std::string& at,
                 std::vector<std::string>& untold) {
  if (!schema.is_object()) return;
  if (const auto any = schema.find("anyOf")) {
    for (std::size_t i = 0; i < any->size(); ++i) find_untold(any->at(i), at, untold);
  }
  for (const char* below : {"items", "additionalProperties"}) {
    if (const auto one = schema.find(below)) find_untold(*one, at, untold);
  }
  const auto members = schema.find("properties");
  for (std::size_t i = 0; members && i < members->member_count(); ++i) {
    const auto here = at + "/" + std::string(members->member_key(i));
    if (!members->member_value(i).find("description")) untold.push_back(here);
    find_untold(members->member_value(i), here, untold);
  }
}

TEST(GW1_openapi, describes_every_member_of_every_body) {
  world it;
  std::vector<std::string> untold;
  std::size_t bodies = 0;
  for (const auto& one : it.routes()) {
    if (one.request_schema.empty()) continue;
    ++bodies;
    const auto text = described_body(one);
    const auto doc = codec::parse_strict(text, document_limits());
    ASSERT_TRUE(doc.ok()) << one.pattern;
    find_untold(doc->root(), std::string(name_of(one.method)) + " " + one.pattern, untold);
    EXPECT_EQ(text.find(R"("items":{})"), text.npos) << one.pattern << ": of tasks nothing is said";
  }
  EXPECT_GE(bodies, 8U);
  const auto task = task_schema();
  const auto tasks = codec::parse_strict(task, document_limits());
  ASSERT_TRUE(tasks.ok());
  find_untold(tasks->root(), "task", untold);
  EXPECT_THAT(untold, testing::IsEmpty()) << "a line in api/body_texts.cpp, or row::says";
}

TEST(RUN1_views, what_is_answered_is_what_is_described) {
  world it;
  const auto run = it.ask("operator", "POST /api/runs/launch", "{}");
  it.commands.finish(parse_uuid(run.at("id")).value(), domain::end_reason::completed, "log");
  const auto limits = document_limits();
  EXPECT_TRUE(codec::decode_text<launched_run>(run.body, limits).ok());
  const auto shown = it.ask("viewer", "GET /api/runs/" + run.at("id"));
  EXPECT_TRUE(codec::decode_text<run_view>(shown.body, limits).ok());
  const auto events = it.ask("viewer", "GET /api/events?limit=500");
  const auto decoded = codec::decode_text<event_list>(events.body, limits);
  ASSERT_TRUE(decoded.ok()) << decoded.error().field;
  EXPECT_EQ(static_cast<std::int64_t>(decoded->results.size()) + 2, it.reads.head());
}
