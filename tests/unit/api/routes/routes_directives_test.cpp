#include "tests/unit/api/routes/routes_world.hpp"

#include <gtest/gtest.h>

using namespace routes_fixture;

namespace {

std::string directive(const std::string& name, const std::string& tasks = "[\"task1\"]") {
  return "{\"name\":\"" + name + "\",\"tasks\":" + tasks + "}";
}

std::string if_match(const std::string& tag) {
  return "If-Match: " + tag + "\r\n";
}

}  // namespace

TEST(RUN1_directives, live_from_creation_to_archive) {
  world it;
  const auto made = it.ask("operator", "POST /api/directives", directive("nightly"));
  ASSERT_EQ(made.status, 201) << made.body;
  const auto id = made.at("id");
  EXPECT_EQ(made.header("Location"), "/api/directives/" + id);
  EXPECT_EQ(made.header("Reeve-Position"), std::to_string(it.reads.head()));
  EXPECT_EQ(made.at("tasks/0/kind"), "log_triage");
  EXPECT_EQ(made.at("tasks/0/name"), "log_triage");
  EXPECT_EQ(made.at("version"), "1");

  const auto revised = it.ask("operator", "POST /api/directives/" + id + "/versions",
                              directive("nightly", "[\"gpu_report\"]"));
  EXPECT_EQ(revised.status, 200) << revised.body;
  EXPECT_EQ(revised.at("version"), "2");
  EXPECT_EQ(it.ask("viewer", "GET /api/directives/" + id).at("tasks/0/kind"), "gpu_report");

  const auto versions = it.ask("viewer", "GET /api/directives/" + id + "/versions");
  EXPECT_EQ(versions.at("results/0/version"), "2");
  EXPECT_EQ(versions.at("results/1/version"), "1");
  const auto first = it.ask("viewer", "GET /api/directives/" + id + "/versions/1");
  EXPECT_EQ(first.at("tasks/0/kind"), "log_triage");

  EXPECT_EQ(it.ask("operator", "POST /api/directives/" + id + "/archive").status, 200);
  EXPECT_EQ(it.ask("viewer", "GET /api/directives?is_archived=true").at("results/0/id"), id);
  EXPECT_EQ(it.ask("viewer", "GET /api/directives?name=default").at("results/1"), "");
  const auto late = it.ask("operator", "PUT /api/directives/" + id, directive("nightly"));
  EXPECT_EQ(late.status, 409);
}

TEST(GW2_directives, the_etag_of_a_read_guards_the_next_write) {
  world it;
  const auto id = it.ask("operator", "POST /api/directives", directive("a")).at("id");
  const auto path = "PUT /api/directives/" + id;
  const auto seen = it.ask("viewer", "GET /api/directives/" + id);
  const auto tag = seen.header("ETag");
  const auto put = it.ask("operator", path, directive("b"), if_match(tag));
  EXPECT_EQ(put.status, 200) << put.body;
  const auto now = it.ask("viewer", "GET /api/directives/" + id);
  EXPECT_EQ(put.header("ETag"), now.header("ETag"));
  EXPECT_NE(put.header("ETag"), tag);
  for (const auto& stale : {tag, "W/" + now.header("ETag"), std::string("\"nothing\"")}) {
    const auto refused = it.ask("operator", path, directive("c"), if_match(stale));
    EXPECT_EQ(refused.status, 412) << stale;
    EXPECT_EQ(refused.at("code"), "precondition_failed");
    EXPECT_EQ(refused.at("errors/0/pointer"), "/headers/If-Match");
  }
  EXPECT_EQ(it.ask("operator", path, directive("c"), if_match("*")).status, 200);
  EXPECT_EQ(it.ask("viewer", "GET /api/directives/" + id, "",
                   "If-None-Match: " +
                       it.ask("viewer", "GET /api/directives/" + id).header("ETag") + "\r\n")
                .status,
            304);
  EXPECT_EQ(it.ask("operator", "POST /api/directives/" + id + "/archive", "", if_match(tag)).status,
            412);
  const auto archived = it.ask("operator", "POST /api/directives/" + id + "/archive");
  EXPECT_EQ(archived.header("ETag"), it.ask("viewer", "GET /api/directives/" + id).header("ETag"));
}

TEST(GW2_directives, if_match_is_a_list_that_is_compared_strongly) {
  world it;
  const auto id = it.ask("operator", "POST /api/directives", directive("a")).at("id");
  const auto path = "PUT /api/directives/" + id;
  const auto put = [&](const std::string& tags, const char* name = "a") {
    return it.ask("operator", path, directive(name), if_match(tags)).status;
  };
  EXPECT_EQ(it.ask("viewer", "GET /api/directives/" + id).header("ETag"), "\"1\"");
  for (const char* other : {"\"01\"", "\"001\"", "\"+1\"", "\"1.0\"", "\"0\"", "W/\"1\"",
                            "\"2\", \"3\"", "\"01\", W/\"1\""}) {
    EXPECT_EQ(put(other), 412) << other;
  }
  EXPECT_EQ(put("\"1\", \"999\"", "b"), 200);
  EXPECT_EQ(put("\"999\",W/\"2\",\"2\"", "c"), 200);
  EXPECT_EQ(
      it.ask("operator", "POST /api/directives/" + id + "/archive", "", if_match("\"9\", \"3\""))
          .status,
      200);
  const auto absent = to_string(real_ids().next());
  EXPECT_EQ(
      it.ask("operator", "PUT /api/directives/" + absent, directive("a"), if_match("\"1\"")).status,
      404);
}

TEST(RUN1_directives, refusals_name_the_field) {
  struct row {
    const char *body, *code, *pointer;
  };
  const row rows[] = {
      {"{}", "invalid", "/name"},
      {R"({"name":"a"})", "invalid", "/tasks"},
      {R"({"name":"a","tasks":[]})", "invalid", "/tasks"},
      {R"({"name":"a b","tasks":["task1"]})", "invalid", "/name"},
      {R"({"name":"a","tasks":["task9"]})", "invalid", "/tasks/0"},
      {R"({"name":"a","tasks":["task1",{"kind":"no"}]})", "invalid", "/tasks/1/kind"},
      {R"({"name":"a","tasks":["task1"],"limits":{"max_parallel":0}})", "invalid",
       "/limits/max_parallel"},
      {R"({"name":"a","tasks":["task1"],"limits":{"x":0}})", "unknown_field", "/limits/x"},
      {R"({"name":"a","tasks":["task1"],"owner":"me"})", "unknown_field", "/owner"},
      {R"({"name":"a","tasks":["task1"],"labels":{"":"x"}})", "invalid", "/labels"},
      {R"({"name":7,"tasks":["task1"]})", "invalid", "/name"}};
  world it;
  const auto before = it.reads.head();
  for (const auto& one : rows) {
    const auto got = it.ask("operator", "POST /api/directives", one.body);
    EXPECT_EQ(got.status, 422) << one.body;
    EXPECT_EQ(got.at("code"), one.code) << one.body;
    EXPECT_EQ(got.at("errors/0/pointer"), one.pointer) << got.body;
  }
  EXPECT_EQ(it.ask("operator", "POST /api/directives", "{\"name\":").status, 400);
  EXPECT_EQ(it.reads.head(), before);
}

TEST(GW2_directives, absence_is_told_before_the_rest) {
  world it;
  const auto foreign = it.ask("stranger", "POST /api/directives", directive("theirs")).at("id");
  const auto absent = to_string(real_ids().next());
  for (const auto& id : {foreign, absent, std::string("nothing")}) {
    const auto path = "/api/directives/" + id;
    EXPECT_EQ(it.ask("viewer", "GET " + path).status, 404) << id;
    EXPECT_EQ(it.ask("viewer", "GET " + path + "/versions").status, 404);
    EXPECT_EQ(it.ask("viewer", "GET " + path + "/versions/1").status, 404);
    EXPECT_EQ(it.ask("admin", "PUT " + path, directive("mine")).status, 404);
    EXPECT_EQ(it.ask("admin", "PUT " + path, "{\"x\":1}").status, 404);
    EXPECT_EQ(it.ask("admin", "POST " + path + "/archive").status, 404);
  }
  const auto mine = it.ask("admin", "POST /api/directives", directive("mine")).at("id");
  for (const char* version : {"0", "2", "01", "-1", "x"}) {
    const auto got = it.ask("viewer", "GET /api/directives/" + mine + "/versions/" + version);
    EXPECT_EQ(got.status, std::string(version) == "01" ? 200 : 404) << version;
  }
  EXPECT_EQ(it.ask("viewer", "POST /api/directives", directive("x")).status, 403);
  EXPECT_EQ(it.ask("viewer", "GET /api/directives?is_archived=maybe").at("errors/0/pointer"),
            "/query/is_archived");
}

TEST(EV3_directives, a_key_stands_for_one_request) {
  world it;
  const std::string key = "Idempotency-Key: k1\r\n";
  const auto first = it.ask("operator", "POST /api/directives", directive("a"), key);
  const auto again = it.ask("operator", "POST /api/directives", directive("a"), key);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.headers, first.headers);
  const auto other = it.ask("operator", "POST /api/directives", directive("b"), key);
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.at("code"), "key_reused");
  // Of another resource it is another request, although the bodies are alike.
  const auto a = first.at("id");
  const auto b = it.ask("operator", "POST /api/directives", directive("b")).at("id");
  EXPECT_EQ(it.ask("operator", "POST /api/directives/" + a + "/archive", "", key).status, 200);
  EXPECT_EQ(it.ask("operator", "POST /api/directives/" + b + "/archive", "", key).status, 422);
  // Its id in upper case names the same one.
  auto loud = a;
  for (char& c : loud) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(it.ask("operator", "POST /api/directives/" + loud + "/archive", "", key).status, 200);
  // The body of a PUT counts as well.
  const std::string key2 = "Idempotency-Key: k2\r\n";
  EXPECT_EQ(it.ask("operator", "PUT /api/directives/" + b, directive("c"), key2).status, 200);
  EXPECT_EQ(it.ask("operator", "PUT /api/directives/" + b, directive("d"), key2).status, 422);
}
