#include "tests/unit/api/routes/routes_world.hpp"

#include <gtest/gtest.h>

using namespace routes_fixture;

namespace {

const std::string db = "/api/secrets/db";

std::string value(const std::string& text) {
  return R"({"value":")" + text + "\"}";
}

/// Whatever anybody can read of it: answers, events, and what a request is known again by.
bool is_anywhere(world& it, const std::string& text) {
  for (const auto& row : it.reads.rows) {
    if (row.doc.find(text) != std::string::npos) return true;
  }
  for (const auto& event : it.reads.log) {
    // An admin is shown every field.
    const auto shown = codec::event_json(event, domain::event_reader::admin);
    if (shown.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST(ACC4_secrets, are_put_shown_listed_and_deleted_without_their_value) {
  world it;
  const auto made = it.ask("admin", "PUT " + db, value("hunter2-hunter2"));
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.at("name"), "db");
  EXPECT_EQ(made.at("version"), "1");
  EXPECT_EQ(made.at("is_active"), "true");
  EXPECT_FALSE(made.header("Reeve-Position").empty());
  const auto shown = it.ask("operator", "GET " + db);
  EXPECT_EQ(shown.body, made.body);
  EXPECT_EQ(shown.header("ETag"), made.header("ETag"));
  const auto next = it.ask("admin", "PUT " + db, value("hunter3-hunter3"));
  EXPECT_EQ(next.at("version"), "2");
  EXPECT_EQ(it.ask("operator", "GET /api/secrets?is_active=true").at("results/0/version"), "2");
  EXPECT_EQ(it.values.plain(), (std::vector<std::string>{"hunter2-hunter2", "hunter3-hunter3"}));
  const auto gone = it.ask("admin", "DELETE " + db);
  EXPECT_EQ(gone.status, 200) << gone.body;
  EXPECT_EQ(gone.at("is_active"), "false");
  EXPECT_NE(gone.at("deleted_at"), "null");
  EXPECT_TRUE(it.values.held.empty()) << "they are destroyed";
  EXPECT_EQ(it.ask("operator", "GET /api/secrets?is_active=true").at("results"), "[]");
  EXPECT_FALSE(is_anywhere(it, "hunter"));
  EXPECT_EQ(it.ask("admin", "PUT " + db, value("hunter2-hunter2")).at("version"), "3");
}

TEST(ACC4_secrets, keep_the_values_of_the_newest_versions_only) {
  world it;
  for (int n = 0; n < 7; ++n) it.ask("admin", "PUT " + db, value("value-" + std::to_string(n)));
  EXPECT_EQ(it.values.plain(),
            (std::vector<std::string>{"value-3", "value-4", "value-5", "value-6"}));
  const auto head = it.reads.head();
  const auto same = it.ask("admin", "PUT " + db, value("value-6"));
  EXPECT_EQ(same.status, 200);
  EXPECT_EQ(same.at("version"), "7");
  EXPECT_EQ(it.reads.head(), head) << "it has this value already";
  EXPECT_EQ(it.values.held.size(), 4U) << "what no event came to name is destroyed";
}

TEST(ACC4_secrets, refuse_what_they_must) {
  world it;
  const auto head = it.reads.head();
  const std::pair<std::string, std::string> rows[] = {
      {value("short"), "/value"},
      {value("short\\n\\n"), "/value"},
      {value("    abcde  "), "/value"},
      {value("ab     cd"), "/value"},
      {value(std::string(8193, 'x')), "/value"},
      {value("a\\u0000b-long-enough"), ""},
      {R"({"value":1})", "/value"},
      {"{}", "/value"},
      {R"({"value":"long enough","more":1})", "/more"}};
  for (const auto& [body, pointer] : rows) {
    const auto refused = it.ask("admin", "PUT " + db, body);
    EXPECT_GE(refused.status, 400) << body;
    if (pointer.empty()) continue;
    EXPECT_EQ(refused.at("errors/0/pointer"), pointer) << body;
  }
  for (const auto* name : {"a%20b", "-x", "a%3Db"}) {
    const auto refused = it.ask("admin", std::string("PUT /api/secrets/") + name, value("enough"));
    EXPECT_EQ(refused.status, 422) << name;
    EXPECT_EQ(refused.at("errors/0/pointer"), "/name");
  }
  std::string lines;
  for (int i = 0; i < 513; ++i) lines += "x\\n";
  EXPECT_EQ(it.ask("admin", "PUT " + db, value(lines + "y")).status, 422);
  EXPECT_EQ(it.ask("operator", "PUT " + db, value("long enough")).status, 403);
  EXPECT_EQ(it.ask("operator", "DELETE " + db).status, 403);
  EXPECT_EQ(it.ask("viewer", "GET " + db).status, 403);
  EXPECT_EQ(it.ask("admin", "GET " + db).status, 404);
  EXPECT_EQ(it.ask("admin", "DELETE " + db).status, 404);
  EXPECT_EQ(it.reads.head(), head);
  EXPECT_TRUE(it.values.held.empty());
  EXPECT_EQ(it.ask("admin", "PUT " + db, value(std::string(8192, 'x'))).status, 200);
}

TEST(P17_secrets, of_another_tenant_are_absent) {
  world it;
  it.ask("admin", "PUT " + db, value("hunter2-hunter2"));
  EXPECT_EQ(it.ask("stranger", "GET " + db).status, 404);
  EXPECT_EQ(it.ask("stranger", "DELETE " + db).status, 404);
  EXPECT_EQ(it.ask("stranger", "GET /api/secrets").at("results"), "[]");
  EXPECT_EQ(it.ask("stranger", "PUT " + db, value("another one")).at("version"), "1");
  EXPECT_EQ(it.ask("admin", "GET " + db).at("version"), "1");
}

TEST(ACC4_secrets, mind_if_match) {
  world it;
  const auto first = it.ask("admin", "PUT " + db, value("value-1")).header("ETag");
  const auto tag = [](const std::string& text) { return "If-Match: " + text + "\r\n"; };
  EXPECT_EQ(it.ask("admin", "PUT " + db, value("value-2"), tag("\"old\"")).status, 412);
  const auto second = it.ask("admin", "PUT " + db, value("value-2"), tag(first));
  EXPECT_EQ(second.status, 200) << second.body;
  EXPECT_EQ(it.ask("admin", "DELETE " + db, "", tag(first)).status, 412);
  EXPECT_EQ(it.ask("admin", "DELETE " + db, "", tag(second.header("ETag"))).status, 200);
  EXPECT_EQ(it.ask("admin", "PUT /api/secrets/other", value("value-2"), tag(first)).status, 404);
}

TEST(ACC4_secrets, are_known_again_by_a_key_without_a_digest_that_tells_of_them) {
  world it;
  const std::string key = "Idempotency-Key: k1\r\n";
  const auto first = it.ask("admin", "PUT " + db, value("value-1"), key);
  it.ask("admin", "PUT " + db, value("value-2"));
  const auto again = it.ask("admin", "PUT " + db, "{ \"value\" : \"value-1\" }", key);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, first.body) << "as the first time";
  EXPECT_EQ(it.values.plain(), (std::vector<std::string>{"value-1", "value-2"}));
  EXPECT_EQ(it.ask("admin", "PUT " + db, value("value-3"), key).at("code"), "key_reused");
  EXPECT_EQ(it.ask("admin", "PUT /api/secrets/dc", value("value-1"), key).at("code"), "key_reused");
  for (const auto& c : it.commands.contexts) {
    if (c.meta.request_digest && c.meta.principal == "token:" + to_string(named("admin"))) {
      ADD_FAILURE() << "a digest of a request that held a value";
    }
    if (!c.command) continue;
    for (const std::string text : {"value-1", "value-2", "value-3"}) {
      EXPECT_NE(c.command->request_digest, sha256(value(text)));
      EXPECT_NE(c.command->request_digest, sha256(text));
    }
  }
}

TEST(ACC4_secrets, that_cannot_be_kept_or_destroyed_are_told_and_tried_again) {
  world it;
  it.values.trouble = reject(errc::conflict, "sealed with another key");
  EXPECT_EQ(it.ask("admin", "PUT " + db, value("value-1")).status, 409);
  it.values.trouble.reset();
  EXPECT_EQ(it.ask("admin", "PUT " + db, value("value-1")).at("version"), "1");
  it.values.trouble = reject(errc::unavailable, "the database is away");
  EXPECT_EQ(it.ask("admin", "DELETE " + db).status, 503);
  EXPECT_EQ(it.values.held.size(), 1U);
  it.values.trouble.reset();
  EXPECT_EQ(it.ask("admin", "DELETE " + db).status, 200);
  EXPECT_TRUE(it.values.held.empty()) << "a repeat does what the first one could not";
}

TEST(ACC4_secrets, are_looked_for_at_the_launch) {
  world it;
  it.ask("admin", "POST /api/allowlists/images", R"({"reference":"busybox:1.36"})");
  const std::string launch =
      R"({"tasks":[{"kind":"container","params":{"image":"busybox:1.36",)"
      R"("env":{"DB_PASSWORD":{"secret":"db"},"EMPTY_PASSWORD":{"plain":"yes"}}}}]})";
  const auto missing = it.ask("operator", "POST /api/runs/launch", launch);
  EXPECT_EQ(missing.status, 422) << missing.body;
  EXPECT_EQ(missing.at("errors/0/pointer"), "/tasks/0/params/env/DB_PASSWORD/secret");
  it.ask("admin", "PUT " + db, value("hunter2-hunter2"));
  const auto made = it.ask("operator", "POST /api/runs/launch", launch);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("directive_snapshot/tasks/0/params/env"),
            R"({"DB_PASSWORD":{"secret":"db"},"EMPTY_PASSWORD":{"plain":"yes"}})");
  EXPECT_FALSE(is_anywhere(it, "hunter2"));
  it.ask("admin", "DELETE " + db);
  EXPECT_EQ(it.ask("operator", "POST /api/runs/launch", launch).status, 422);
  const auto literal = it.ask("operator", "POST /api/runs/launch",
                              R"({"tasks":[{"kind":"container","params":{"image":"busybox:1.36",)"
                              R"("env":{"DB_PASSWORD":"hunter2"}}}]})");
  EXPECT_EQ(literal.status, 422);
  EXPECT_EQ(literal.at("errors/0/pointer"), "/tasks/0/params/env/DB_PASSWORD");
  EXPECT_EQ(literal.body.find("hunter2"), std::string::npos);
}
