// Every version of a directive is kept, a run keeps the one it was launched with whatever happens
// to the directive, and two people who change it at once do not overwrite each other.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>

using nlohmann::json;
using support::must_get;
using support::must_post;
using support::server;

namespace {

json nightly(const std::string& word) {
  return {{"name", "nightly"}, {"tasks", json::array({support::box_task("say", {"sleep", word})})}};
}

std::string made(const support::api_client& api, const json& directive) {
  return must_post(api, "/api/directives", directive, 201).at("id");
}

json command_of(const json& holder) {
  return holder.at("tasks").at(0).at("params").at("command");
}

}  // namespace

TEST(RUN1_directives, are_created_listed_and_shown) {
  server reeve;
  const auto api = reeve.api();
  const auto answer = api.post("/api/directives", nightly("1"));
  ASSERT_EQ(answer.status, 201) << answer.body;
  const json created = answer.json();
  const std::string id = created.at("id");
  EXPECT_EQ(answer.header("Location"), "/api/directives/" + id);
  EXPECT_EQ(created.at("version"), 1);
  EXPECT_EQ(created.at("is_archived"), false);
  EXPECT_EQ(must_get(api, answer.header("Location")), created);
  const json found = must_get(api, "/api/directives?name=nightly");
  ASSERT_EQ(found.at("results").size(), 1U);
  EXPECT_EQ(found.at("results").at(0), created);
  // The tenant's own default one has been there from the beginning.
  const json all = must_get(api, "/api/directives").at("results");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].at("is_default") == true || all[1].at("is_default") == true);
}

TEST(RUN1_directives, keep_every_version) {
  server reeve;
  const auto api = reeve.api();
  const std::string at = "/api/directives/" + made(api, nightly("1"));
  for (const char* word : {"2", "3"}) EXPECT_EQ(api.put(at, nightly(word)).status, 200);
  EXPECT_EQ(must_get(api, at).at("version"), 3);
  const json versions = must_get(api, at + "/versions").at("results");
  ASSERT_EQ(versions.size(), 3U);
  for (int version = 1; version <= 3; ++version) {
    const json one = must_get(api, at + "/versions/" + std::to_string(version));
    EXPECT_EQ(one.at("version"), version);
    EXPECT_EQ(command_of(one), json({"sleep", std::to_string(version)}));
  }
  EXPECT_EQ(api.get(at + "/versions/4").status, 404);
  EXPECT_EQ(api.get(at + "/versions/x").status, 404);
  // What was read can be written back as it is: the same again is no new version.
  json same = must_get(api, at);
  const json body = {{"name", same.at("name")},
                     {"description", same.at("description")},
                     {"tasks", same.at("tasks")},
                     {"limits", same.at("limits")},
                     {"labels", same.at("labels")}};
  EXPECT_EQ(must_post(api, at + "/versions", body, 200).at("version"), 3);
}

TEST(RUN1_directives, refuse_what_is_wrong_and_name_it) {
  server reeve;
  const auto api = reeve.api();
  auto database = reeve.database();
  const auto tenant = support::tenant_of(api);
  const auto before = support::events_of(database, tenant);
  const std::pair<json, std::string> wrong[] = {
      {{{"name", "d"}}, "/tasks"},
      {{{"name", "d"}, {"tasks", json::array()}}, "/tasks"},
      {{{"tasks", {"task1"}}}, "/name"},
      {{{"name", "a b"}, {"tasks", {"task1"}}}, "/name"},
      {{{"name", "d"}, {"tasks", {"task1"}}, {"limits", {{"retries", -1}}}}, "/limits/retries"},
      {{{"name", "d"}, {"tasks", {"task1"}}, {"limits", {{"speed", 1}}}}, "/limits/speed"},
      {{{"name", "d"}, {"tasks", {"task1"}}, {"mood", 1}}, "/mood"},
      {{{"name", "d"}, {"tasks", {"task1", {{"kind", "task1"}, {"needs", {"x"}}}}}},
       "/tasks/1/needs/0"},
  };
  for (const auto& [body, pointer] : wrong) {
    const auto answer = api.post("/api/directives", body);
    EXPECT_EQ(answer.status, 422) << body << answer.body;
    EXPECT_EQ(support::pointer_of(answer), pointer) << body;
  }
  EXPECT_EQ(support::events_of(database, tenant), before);
}

TEST(P9_snapshot, survives_every_change_of_its_directive) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const std::string id = made(api, nightly("0.4"));
  const json launched = support::launch(api, {{"directive_id", id}});
  const std::string run = "/api/runs/" + launched.at("id").get<std::string>();
  const std::string event = "/api/events/" + std::to_string(launched.at("position").get<long>());
  const json snapshot = must_get(api, run).at("directive_snapshot");
  const std::string first = api.get(event).body;
  EXPECT_EQ(support::without_nulls(snapshot),
            support::without_nulls(launched.at("directive_snapshot")));

  EXPECT_EQ(api.put("/api/directives/" + id, nightly("0.1")).status, 200);
  EXPECT_EQ(must_get(api, run).at("directive_snapshot"), snapshot);
  EXPECT_EQ(
      must_post(api, "/api/directives/" + id + "/archive", json::object(), 200).at("is_archived"),
      true);
  const json over = support::await_run(api, launched.at("id"));
  EXPECT_EQ(over.at("status"), "success");
  EXPECT_EQ(over.at("directive_snapshot"), snapshot);
  EXPECT_EQ(command_of(snapshot), json({"sleep", "0.4"}));
  EXPECT_EQ(api.get(event).body, first);
  reeve.crash_and_restart();
  EXPECT_EQ(must_get(reeve.api(), run).at("directive_snapshot"), snapshot);
}

TEST(RUN1_directives, that_are_archived_launch_nothing_more) {
  server reeve;
  const auto api = reeve.api();
  const std::string id = made(api, nightly("1"));
  const std::string at = "/api/directives/" + id;
  must_post(api, at + "/archive", json::object(), 200);
  EXPECT_EQ(api.post("/api/runs/launch", {{"directive_id", id}}).status, 409);
  EXPECT_EQ(api.put(at, nightly("2")).status, 409);
  EXPECT_EQ(must_get(api, "/api/runs").at("results").size(), 0U);
  // The default one is needed and stays.
  const json all = must_get(api, "/api/directives?is_archived=false").at("results");
  ASSERT_EQ(all.size(), 1U);
  const std::string standard = all[0].at("id");
  EXPECT_EQ(api.post("/api/directives/" + standard + "/archive", json::object()).status, 409);
}

TEST(GW2_if_match, lets_only_the_version_through_that_was_read) {
  server reeve;
  const auto api = reeve.api();
  const std::string at = "/api/directives/" + made(api, nightly("1"));
  const std::string read = api.get(at).header("ETag");
  ASSERT_NE(read, "");
  const auto changed = api.put(at, nightly("2"), {{"If-Match", read}});
  EXPECT_EQ(changed.status, 200) << changed.body;
  auto database = reeve.database();
  const auto tenant = support::tenant_of(api);
  const auto before = support::events_of(database, tenant);
  const auto refused = api.put(at, nightly("3"), {{"If-Match", read}});
  EXPECT_EQ(refused.status, 412) << refused.body;
  EXPECT_EQ(api.put(at, nightly("3"), {{"If-Match", "\"nonsense\""}}).status, 412);
  EXPECT_EQ(support::events_of(database, tenant), before);
  EXPECT_EQ(must_get(api, at).at("version"), 2);
  // What the write itself answered is as good as what a later read says.
  const auto next = api.put(at, nightly("3"), {{"If-Match", changed.header("ETag")}});
  EXPECT_EQ(next.status, 200) << next.body;
  EXPECT_EQ(api.get(at).header("ETag"), next.header("ETag"));
  EXPECT_EQ(api.get(at, {{"If-None-Match", next.header("ETag")}}).status, 304);
}

TEST(GW2_if_match, is_the_one_precondition_of_writes) {
  server reeve;
  const auto api = reeve.api();
  const std::string at = "/api/directives/" + made(api, nightly("1"));
  auto database = reeve.database();
  const auto tenant = support::tenant_of(api);
  const auto before = support::events_of(database, tenant);
  const std::pair<std::string, std::string> date{"If-Unmodified-Since",
                                                 "Sat, 29 Oct 1994 19:43:31 GMT"};
  for (const auto& field : {std::pair<std::string, std::string>{"If-None-Match", "*"},
                            {"If-None-Match", "nonsense"},
                            date}) {
    for (const auto& refused :
         {api.put(at, nightly("2"), {field}), api.post("/api/directives", nightly("2"), {field}),
          api.post("/api/runs/launch", json::object(), {field})}) {
      EXPECT_EQ(refused.status, 412) << refused.body;
      EXPECT_EQ(support::pointer_of(refused), "/headers/" + field.first);
    }
  }
  EXPECT_EQ(support::events_of(database, tenant), before) << "nothing was done";
  const std::string tag = api.get(at).header("ETag");
  EXPECT_EQ(api.put(at, nightly("2"), {date, {"If-Match", tag}}).status, 200);
}

TEST(GW2_if_match, is_one_list_over_all_its_lines_and_only_for_writes) {
  server reeve;
  const auto api = reeve.api();
  const std::string at = "/api/directives/" + made(api, nightly("1"));
  const std::pair<std::string, std::string> old{"If-Match", "\"old\""};
  const auto current = [&] {
    return std::pair<std::string, std::string>{"If-Match", ", " + api.get(at).header("ETag")};
  };
  EXPECT_EQ(api.put(at, nightly("2"), {old, current()}).status, 200);
  EXPECT_EQ(api.put(at, nightly("3"), {current(), old}).status, 200);
  EXPECT_EQ(api.put(at, nightly("4"), {old, old}).status, 412);
  EXPECT_EQ(api.put(at, nightly("4"), {current(), {"If-Match", "nonsense"}}).status, 422);
  EXPECT_EQ(must_get(api, at).at("version"), 3);
  const support::header_list odd{{"If-Match", "nonsense"}, {"Idempotency-Key", "a b"}};
  EXPECT_EQ(api.get(at, odd).status, 200);
  EXPECT_EQ(reeve.anonymous().get("/livez", odd).status, 200);
}

TEST(RUN1_directives, that_are_too_large_for_one_event_name_the_field_that_was_sent) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  json tasks = json::array();
  for (int n = 0; n < 40; ++n) {
    tasks.push_back(support::box_task("t" + std::to_string(n), {"echo", std::string(2000, 'x')}));
  }
  const json large = {{"name", "large"}, {"tasks", tasks}};
  const auto refused = [](const support::http_response& answer, const std::string& pointer) {
    EXPECT_EQ(answer.status, 422) << answer.body;
    EXPECT_EQ(support::pointer_of(answer), pointer);
    EXPECT_NE(answer.body.find("65536"), std::string::npos) << answer.body;
  };
  refused(api.post("/api/directives", large), "/tasks");
  const std::string id = made(api, nightly("1"));
  refused(api.put("/api/directives/" + id, large), "/tasks");
  refused(api.post("/api/runs/launch", {{"directive", large}}), "/directive/tasks");
  refused(api.post("/api/runs/launch", {{"tasks", tasks}}), "/tasks");
  EXPECT_EQ(must_get(api, "/api/directives/" + id).at("version"), 1);
  EXPECT_TRUE(must_get(api, "/api/runs").at("results").empty());
}
