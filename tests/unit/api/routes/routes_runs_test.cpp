#include "tests/unit/api/routes/routes_world.hpp"

#include <gtest/gtest.h>

using namespace routes_fixture;

namespace {

answer launch(world& it, const std::string& body, const std::string& fields = "") {
  return it.ask("operator", "POST /api/runs/launch", body, fields);
}

uuid id_of(const answer& made) {
  return parse_uuid(made.at("id")).value();
}

}  // namespace

TEST(RUN2_launch, answers_with_a_predictable_payload) {
  world it;
  const auto made = launch(it, R"({"tasks":["task1",{"kind":"task2","name":"gpus"}],)"
                               R"("labels":{"team":"a"}})");
  ASSERT_EQ(made.status, 201) << made.body;
  const auto id = made.at("id");
  EXPECT_EQ(made.header("Location"), "/api/runs/" + id);
  EXPECT_EQ(made.header("Reeve-Position"), made.at("position"));
  EXPECT_EQ(made.at("status"), "pending");
  EXPECT_EQ(made.at("job_count"), "2");
  EXPECT_EQ(made.at("engine"), "docker");
  EXPECT_EQ(made.at("jobs/0/task"), "log_triage");
  EXPECT_EQ(made.at("jobs/1/task"), "gpu_report");
  EXPECT_EQ(made.at("jobs/1/name"), "gpus");
  EXPECT_EQ(made.at("jobs/1/status"), "pending");
  EXPECT_EQ(made.at("jobs/1/attempt"), "0");
  EXPECT_EQ(made.at("directive_version"), "1");
  EXPECT_EQ(made.at("directive_snapshot/name"), "default");
  EXPECT_EQ(made.at("directive_snapshot/id"), made.at("directive_id"));
  EXPECT_EQ(made.at("directive_snapshot/tasks/1/kind"), "gpu_report");
  EXPECT_EQ(made.at("labels/team"), "a");
  const auto seen = it.ask("viewer", "GET /api/runs/" + id);
  EXPECT_EQ(seen.at("jobs/1/id"), made.at("jobs/1/id"));
  EXPECT_EQ(seen.at("llm_usage/calls"), "0");
  EXPECT_FALSE(seen.header("ETag").empty());
}

TEST(RUN2_launch, takes_nothing_an_id_or_a_whole_directive) {
  world it;
  const auto empty = launch(it, "");
  EXPECT_EQ(empty.at("directive_snapshot/name"), "default");
  EXPECT_NE(empty.at("job_count"), "0");
  EXPECT_EQ(launch(it, "{}").at("directive_snapshot/name"), "default");
  const auto inside = launch(it, R"({"directive":{"name":"once","tasks":["task3"]}})");
  EXPECT_EQ(inside.status, 201) << inside.body;
  EXPECT_EQ(inside.at("directive_id"), "null");
  const auto id =
      it.ask("operator", "POST /api/directives", R"({"name":"d","tasks":["task3"]})").at("id");
  const auto named = launch(it, "{\"directive_id\":\"" + id + "\"}");
  EXPECT_EQ(named.at("directive_id"), id);
  const auto snapshot = named.at("directive_snapshot");
  it.ask("operator", "PUT /api/directives/" + id, R"({"name":"d","tasks":["task1"]})");
  EXPECT_EQ(it.ask("viewer", "GET /api/runs/" + named.at("id")).at("directive_snapshot"), snapshot);
}

TEST(RUN3_launch, refusals_name_the_field_and_start_nothing) {
  struct row {
    const char* body;
    int status;
    const char *code, *pointer;
  };
  const row rows[] = {
      {R"({"tasks":[]})", 422, "invalid", "/tasks"},
      {R"({"tasks":"task1"})", 422, "invalid", "/tasks"},
      {R"({"tasks":["task4"]})", 422, "invalid", "/tasks/0"},
      {R"({"tasks":["task1",{"kind":"x"}]})", 422, "invalid", "/tasks/1/kind"},
      {R"({"tasks":[7]})", 422, "invalid", "/tasks/0"},
      {R"({"tasks":[{"kind":"task1","x":1}]})", 422, "unknown_field", "/tasks/0/x"},
      {R"({"tasks":[{"kind":"task2","params":{"image":"a"}}]})", 422, "unknown_field",
       "/tasks/0/params/image"},
      {R"({"tasks":["task1"],"since":"yesterday"})", 422, "invalid", "/since"},
      {R"({"tasks":[{"kind":"task1","since":"x"}]})", 422, "invalid", "/tasks/0/since"},
      {R"({"tasks":["task1"],"uploads":["a"]})", 422, "invalid", "/uploads/0"},
      {R"({"tasks":["task1"],"prompt":"x"})", 422, "unknown_field", "/prompt"},
      {R"({"directive_id":"7"})", 422, "invalid", "/directive_id"},
      {R"({"directive_id":"00000000-0000-7000-8000-000000000001"})", 404, "not_found",
       "/directive_id"},
      {R"({"directive_id":"00000000-0000-7000-8000-000000000001","tasks":["task1"]})", 422,
       "invalid", "/tasks"},
      {R"({"directive":{"name":"a","tasks":["task1"]},"tasks":["task1"]})", 422, "invalid",
       "/tasks"},
      {R"({"directive":{"name":"a","tasks":["no"]}})", 422, "invalid", "/directive/tasks/0"},
      {R"({"labels":{"a b":"c"}})", 422, "invalid", "/labels"},
      {R"({"tasks":[{"kind":"container","params":{"image":"busybox","command":["a"]}}]})", 403,
       "not_allowlisted", "/tasks/0/params/image"}};
  world it;
  const auto before = it.reads.head();
  for (const auto& one : rows) {
    const auto got = launch(it, one.body);
    EXPECT_EQ(got.status, one.status) << one.body;
    EXPECT_EQ(got.content_type, "application/problem+json");
    EXPECT_EQ(got.at("code"), one.code) << one.body;
    EXPECT_EQ(got.at("errors/0/pointer"), one.pointer) << got.body;
  }
  EXPECT_EQ(it.reads.head(), before);
  EXPECT_EQ(it.ask("viewer", "POST /api/runs/launch", "{}").status, 403);
}

TEST(RUN3_launch, an_allowlisted_image_may_run) {
  world it;
  it.ask("admin", "POST /api/allowlists/images", R"({"reference":"busybox"})");
  const auto made = launch(
      it, R"({"tasks":[{"kind":"container","params":{"image":"busybox","command":["a"]}}]})");
  EXPECT_EQ(made.status, 201) << made.body;
}

TEST(EV3_launch, a_repeated_key_gives_the_first_answer) {
  world it;
  const std::string key = "Idempotency-Key: night-1\r\n";
  const auto first = launch(it, "{}", key);
  it.commands.finish(id_of(first), domain::end_reason::completed, "log");
  const auto head = it.reads.head();
  const auto again = launch(it, "{}", key);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(it.reads.head(), head);
  EXPECT_EQ(launch(it, R"({"tasks":["task1"]})", key).status, 422);
}

TEST(RUN2_launch, takes_an_integer_with_a_fraction_of_zero) {
  world it;
  const auto body = [](const std::string& number) {
    return R"({"tasks":[{"kind":"task2","timeout_s":)" + number + "}]}";
  };
  const std::string key = "Idempotency-Key: night-2\r\n";
  const auto made = launch(it, body("60.0"), key);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("directive_snapshot/tasks/0/timeout_s"), "60");
  EXPECT_EQ(launch(it, body("6e1"), key).body, made.body);
  EXPECT_EQ(launch(it, body("60"), key).status, 422)
      << "the canonical text keeps 60 and 60.0 apart";
  const auto refused = launch(it, body("60.5"));
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.at("errors/0/pointer"), "/tasks/0/timeout_s");
}

TEST(RUN4_runs, are_listed_by_what_is_asked_for) {
  world it;
  const auto one = launch(it, R"({"labels":{"team":"a:b"}})");
  const auto two = launch(it, "{}");
  it.commands.finish(id_of(one), domain::end_reason::completed, "log");
  const auto list = [&](const std::string& query) {
    const auto got = it.ask("viewer", "GET /api/runs?" + query);
    EXPECT_EQ(got.status, 200) << got.body;
    return got;
  };
  EXPECT_EQ(list("").at("results/0/id"), two.at("id"));
  EXPECT_EQ(list("").at("results/0/job_count"), "1");
  for (const char* query : {"status=success", "status=completed", "label=team:a:b"}) {
    EXPECT_EQ(list(query).at("results/0/id"), one.at("id")) << query;
    EXPECT_EQ(list(query).at("results/1"), "") << query;
  }
  EXPECT_EQ(list("directive=" + one.at("directive_id")).at("results/1/id"), one.at("id"));
  const auto page = list("limit=1");
  EXPECT_EQ(page.at("results/1"), "");
  EXPECT_EQ(list("limit=1&cursor=" + page.at("next")).at("results/0/id"), one.at("id"));
  EXPECT_EQ(it.ask("stranger", "GET /api/runs").at("results"), "[]");
  const std::pair<const char*, const char*> refused[] = {
      {"status=done", "status"},  {"label=x", "label"},    {"directive=7", "directive"},
      {"retry_of=7", "retry_of"}, {"limit=501", "limit"},  {"limit=0", "limit"},
      {"cursor=%21", "cursor"},   {"since=soon", "since"}, {"since=last_success", "directive"},
      {"page=2", "page"}};
  for (const auto& [query, name] : refused) {
    const auto got = it.ask("viewer", "GET /api/runs?" + std::string(query));
    EXPECT_EQ(got.status, 422) << query;
    EXPECT_EQ(got.at("errors/0/pointer"), "/query/" + std::string(name)) << query;
  }
}

TEST(RUN6_runs, lists_what_came_after) {
  world it;
  const auto one = launch(it, "{}");
  const auto two = launch(it, "{}");
  it.reads.success = {id_of(one), std::stoll(one.at("position")), 0};
  const auto after =
      it.ask("viewer", "GET /api/runs?since=last_success&directive=" + one.at("directive_id"));
  EXPECT_EQ(after.at("results/0/id"), two.at("id"));
  EXPECT_EQ(after.at("results/1"), "");
  const auto since = [&](const std::string& time) {
    const auto got = it.ask("viewer", "GET /api/runs?since=" + time);
    EXPECT_EQ(got.status, 200) << got.body;
    return got;
  };
  EXPECT_EQ(it.reads.since, "last_success");
  EXPECT_EQ(since(two.at("created_at")).at("results/0/id"), two.at("id"));
  EXPECT_EQ(since(two.at("created_at")).at("results/1"), "");
  EXPECT_EQ(since(one.at("created_at")).at("results/1/id"), one.at("id"));
  EXPECT_EQ(since("1970-01-01T00:00:00Z").at("results/1/id"), one.at("id"));
  const auto asked = it.reads.since;
  since("1970-01-01T01:00:00.000%2B01:00");
  EXPECT_EQ(it.reads.since, asked) << "the same time, so the same list";
  since("1970-01-01T00:00:01Z");
  EXPECT_NE(it.reads.since, asked);
  EXPECT_EQ(since("2100-01-01T00:00:00Z").at("results"), "[]");
}

TEST(RUN6_runs, a_plus_that_became_a_space_is_told) {
  world it;
  const auto refused = [&](const std::string& since) {
    const auto got = it.ask("viewer", "GET /api/runs?since=" + since);
    EXPECT_EQ(got.status, 422) << since;
    EXPECT_EQ(got.at("errors/0/pointer"), "/query/since");
    return got.at("errors/0/detail");
  };
  for (const char* raw : {"2026-11-21T05:20:00+01:00", "2026-11-21T05:20:00.5+01:00"}) {
    EXPECT_NE(refused(raw).find("%2B"), std::string::npos) << raw;
  }
  for (const char* other : {"yesterday", "+", "a+b", "2026-11-21+05:20", "2026-11-21T25:20:00Z"}) {
    EXPECT_EQ(refused(other).find("%2B"), std::string::npos) << other;
  }
}

TEST(RUN5_runs, are_cancelled_once) {
  world it;
  const auto id = launch(it, "{}").at("id");
  const auto path = "POST /api/runs/" + id + "/cancel";
  EXPECT_EQ(it.ask("viewer", path).status, 403);
  EXPECT_EQ(it.ask("operator", path, R"({"force":true})").at("errors/0/pointer"), "/force");
  EXPECT_EQ(it.ask("operator", path, "", "If-Match: \"old\"\r\n").status, 412);
  const auto tag = it.ask("viewer", "GET /api/runs/" + id).header("ETag");
  const auto got = it.ask("operator", path, "{}", "If-Match: " + tag + "\r\n");
  EXPECT_EQ(got.status, 202) << got.body;
  EXPECT_EQ(got.at("id"), id);
  EXPECT_EQ(got.at("cancel_requested"), "true");
  EXPECT_EQ(it.ask("operator", path).status, 409);
  EXPECT_EQ(it.ask("operator", "POST /api/runs/x/cancel").status, 404);
  EXPECT_EQ(it.ask("stranger", path).status, 404);
}

TEST(RUN5_runs, are_tried_again_with_the_same_snapshot) {
  world it;
  const auto first = launch(it, R"({"tasks":["task2"],"labels":{"team":"a"},)"
                                R"("since":"last_success"})");
  const auto path = "POST /api/runs/" + first.at("id") + "/retry";
  EXPECT_EQ(it.ask("operator", path).status, 409);
  it.commands.finish(id_of(first), domain::end_reason::internal_error, "log");
  const auto again = it.ask("operator", path);
  ASSERT_EQ(again.status, 201) << again.body;
  EXPECT_NE(again.at("id"), first.at("id"));
  EXPECT_EQ(again.at("retry_of"), first.at("id"));
  EXPECT_EQ(again.at("directive_snapshot"), first.at("directive_snapshot"));
  EXPECT_EQ(again.at("directive_id"), first.at("directive_id"));
  EXPECT_EQ(again.at("labels/team"), "a");
  EXPECT_EQ(it.ask("viewer", "GET /api/runs?retry_of=" + first.at("id")).at("results/0/id"),
            again.at("id"));
  EXPECT_EQ(it.ask("stranger", path).status, 404);
  EXPECT_EQ(it.ask("operator", path, R"({"x":1})").status, 422);
}
