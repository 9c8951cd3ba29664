// What the description promises of every route is held against what the route answers.

#include "api/openapi.hpp"
#include "tests/unit/api/routes/routes_world.hpp"

#include <gtest/gtest.h>

using namespace routes_fixture;

namespace {

/// One of everything, so that every route has something to answer with.
struct furnished {
  furnished() {
    const auto made = it.ask("operator", "POST /api/runs/launch", "{}");
    ids["runs"] = made.at("id");
    ids["jobs"] = made.at("jobs/0/id");
    it.commands.finish(parse_uuid(ids["runs"]).value(), domain::end_reason::completed, "log", "a");
    make("/api/directives", R"({"name":"d","tasks":["task1"]})");
    make("/api/allowlists/images", R"({"reference":"busybox:1.36"})");
    make("/api/allowlists/containers", R"({"name":"db"})");
    make("/api/tokens", R"({"name":"ci","role":"viewer"})");
    bodies["/api/secrets/{name}"] = R"({"value":"a value"})";
    it.ask("admin", "PUT /api/secrets/a", bodies["/api/secrets/{name}"]);
    bodies["/api/llm-budgets/{name}"] = R"({"period":"day","most_tokens":1})";
    it.ask("admin", "PUT /api/llm-budgets/a", bodies["/api/llm-budgets/{name}"]);
    record = R"({"model_name":"m","prompt_tokens":1,"completion_tokens":1})";
    it.ask("operator", "POST /api/jobs/" + ids["jobs"] + "/llm-calls", record);
    document = openapi_document(it.routes());
  }

  /// The pattern with what there is in place of its names.
  std::string target_of(const route& one) const {
    std::string target = one.pattern;
    const auto fill = [&target](const std::string& name, const std::string& value) {
      if (const auto at = target.find(name); at != target.npos) {
        target.replace(at, name.size(), value);
      }
    };
    for (const auto& [owner, id] : ids) {
      if (target.find("/" + owner + "/{id}") != target.npos) fill("{id}", id);
    }
    fill("{name}", "a");
    fill("{version}", "1");
    fill("{position}", "1");
    // The one query that has to be given.
    return one.pattern == "/api/logs" ? target + "?q=log" : target;
  }

  /// A body that the route takes; reads and removals take none.
  std::string body_of(const route& one) const {
    if (one.method == method::get || one.method == method::delete_) return {};
    if (const auto at = bodies.find(one.pattern); at != bodies.end()) return at->second;
    if (one.pattern.ends_with("/llm-calls")) return record;
    if (one.pattern.ends_with("/versions") || one.method == method::put) {
      return bodies.at("/api/directives");
    }
    return {};
  }

  /// The text of the route's description.
  std::string description_of(const route& one) const {
    const auto doc = codec::parse_strict(document, document_limits());
    std::string verb(name_of(one.method));
    for (char& c : verb) c = static_cast<char>(c | 0x20);
    return doc->root().find("paths")->find(one.pattern)->find(verb)->text();
  }
  bool describes(const route& one, int status) const {
    return description_of(one).find("\"" + std::to_string(status) + "\":{") != std::string::npos;
  }

  world it;
  std::map<std::string, std::string> ids;     // of the segment before it
  std::map<std::string, std::string> bodies;  // of what was made
  std::string record, document;

 private:
  void make(const std::string& path, const std::string& body) {
    ids[path.substr(path.rfind('/') + 1)] = it.ask("admin", "POST " + path, body).at("id");
    bodies[path] = body;
  }
};

}  // namespace

TEST(GW1_promises, an_etag_and_304_are_promised_where_they_are_given) {
  furnished f;
  std::size_t reads = 0;
  for (const auto& one : f.it.routes()) {
    if (one.method != method::get) continue;
    ++reads;
    const auto line = "GET " + f.target_of(one);
    const auto got = f.it.ask("admin", line);
    ASSERT_EQ(got.status, 200) << line << got.body;
    const auto tag = got.header("ETag");
    EXPECT_EQ(!tag.empty(), one.has_etag) << line << ": row::has_no_etag";
    EXPECT_EQ(f.describes(one, 304), !tag.empty()) << line;
    for (const char* word : {"\"If-None-Match\"", "\"ETag\""}) {
      EXPECT_EQ(f.description_of(one).find(word) != std::string::npos, !tag.empty())
          << line << word;
    }
    const auto again = f.it.ask("admin", line, "", "If-None-Match: *\r\n");
    EXPECT_EQ(again.status, tag.empty() ? 200 : 304) << line;
  }
  EXPECT_GT(reads, 20U);
}

TEST(GW1_promises, a_key_whose_first_request_is_running_is_described) {
  furnished f;
  f.it.commands.is_busy = true;
  std::size_t keyed = 0;
  for (const auto& one : f.it.routes()) {
    if (one.method == method::get) continue;
    const auto line = std::string(name_of(one.method)) + " " + f.target_of(one);
    const auto got = f.it.ask("admin", line, f.body_of(one), "Idempotency-Key: k\r\n");
    EXPECT_TRUE(f.describes(one, got.status)) << line << got.status;
    if (!one.takes_key) continue;
    EXPECT_EQ(got.at("code"), "in_progress") << line << got.body;
    ++keyed;
  }
  EXPECT_GT(keyed, 15U);
}

/// An id or a query that names what another tenant has.
TEST(GW1_promises, what_is_another_tenants_is_described) {
  furnished f;
  const auto theirs = "?tenant=" + to_string(named("other"));
  for (const auto& one : f.it.routes()) {
    const auto& names = one.query_names;
    const bool names_a_tenant = std::find(names.begin(), names.end(), "tenant") != names.end();
    if (!names_a_tenant && one.pattern.find("{id}") == std::string::npos) continue;
    const auto line = std::string(name_of(one.method)) + " " + f.target_of(one);
    const auto got = names_a_tenant ? f.it.ask("admin", line + theirs)
                                    : f.it.ask("stranger", line, f.body_of(one));
    EXPECT_EQ(got.status, 404) << line << got.body;
    EXPECT_TRUE(f.describes(one, 404)) << line;
  }
}
