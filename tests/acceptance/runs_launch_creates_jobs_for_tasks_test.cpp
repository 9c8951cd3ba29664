// A launch answers at once with a run and one job per task, and what is wrong with a launch is said
// with the name of the field, while nothing at all is written.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

using nlohmann::json;
using support::server;
using namespace std::chrono_literals;

namespace {

std::set<std::string> keys_of(const json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

json task(const json& more) {
  json made = {{"kind", "log_triage"}};
  made.update(more);
  return {{"tasks", {made}}};
}

struct refusal {
  json body;
  std::string pointer;
};

/// Each is wrong in one place.
std::vector<refusal> refusals() {
  const json image = {{"image", "localhost:1/box:1"}};
  return {
      {{{"tasks", json::array()}}, "/tasks"},
      {{{"tasks", {"paint"}}}, "/tasks/0"},
      {{{"tasks", {"log_triage", "Task1"}}}, "/tasks/1"},
      {{{"tasks", {"log_triage", {{"kind", "paint"}}}}}, "/tasks/1/kind"},
      {{{"tasks", {7}}}, "/tasks/0"},
      {{{"tasks", "log_triage"}}, "/tasks"},
      {{{"tasks", {"log_triage"}}, {"colour", "red"}}, "/colour"},
      {task({{"colour", "red"}}), "/tasks/0/colour"},
      {task({{"params", {{"colour", "red"}}}}), "/tasks/0/params/colour"},
      {task({{"params", image}}), "/tasks/0/params/image"},
      {task({{"kind", "container"}}), "/tasks/0/params/image"},
      {task({{"needs", {"nobody"}}}), "/tasks/0/needs/0"},
      {task({{"name", "a b"}}), "/tasks/0/name"},
      {task({{"timeout_s", 0}}), "/tasks/0/timeout_s"},
      {task({{"retries", 11}}), "/tasks/0/retries"},
      {task({{"retries", "two"}}), "/tasks/0/retries"},
      {task({{"priority", 1001}}), "/tasks/0/priority"},
      {task({{"since", "yesterday"}}), "/tasks/0/since"},
      {{{"tasks", {"task1"}}, {"since", "yesterday"}}, "/since"},
      {{{"tasks", {"task1"}}, {"uploads", {"0190a000-0000-7000-8000-000000000000"}}}, "/uploads/0"},
      {{{"tasks", {"task1"}}, {"labels", {{"a", 7}}}}, "/labels/a"},
      {{{"directive_id", "mine"}}, "/directive_id"},
      {{{"directive", {{"name", "d"}, {"tasks", json::array()}}}}, "/directive/tasks"},
      {{{"directive", {{"name", "d"}, {"tasks", {"paint"}}}}}, "/directive/tasks/0"},
      {{{"directive", {{"tasks", {"task1"}}}}}, "/directive/name"},
      {{{"directive", {{"name", "d"}, {"tasks", {"task1"}}, {"limits", {{"max_parallel", 0}}}}}},
       "/directive/limits/max_parallel"},
      {{{"directive", {{"name", "d"}, {"tasks", {"task1"}}}}, {"tasks", {"task1"}}}, "/tasks"},
  };
}

}  // namespace

TEST(RUN2_launch, answers_201_with_the_run_its_jobs_and_its_snapshot) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const auto answer = api.post(
      "/api/runs/launch",
      {{"tasks", {"task1", support::box_task("hello", {"echo"})}}, {"labels", {{"a", "b"}}}});
  ASSERT_EQ(answer.status, 201) << answer.body;
  const json run = answer.json();
  std::set<std::string> keys = keys_of(run);
  // Said in addition to what the wire shape fixes.
  for (const char* more : {"labels", "retry_of"}) keys.erase(more);
  EXPECT_THAT(keys, testing::UnorderedElementsAre("id", "status", "directive_snapshot",
                                                  "directive_id", "directive_version", "jobs",
                                                  "job_count", "engine", "created_at", "position"));
  const std::string id = run.at("id");
  EXPECT_EQ(answer.header("Location"), "/api/runs/" + id);
  EXPECT_EQ(answer.header("Reeve-Position"), std::to_string(run.at("position").get<long>()));
  EXPECT_EQ(answer.header("Content-Type"), "application/json");
  EXPECT_EQ(run.at("status"), "pending");
  EXPECT_EQ(run.at("engine"), "simulated");
  EXPECT_EQ(run.at("job_count"), 2);
  EXPECT_THAT(run.at("created_at").get<std::string>(),
              testing::ContainsRegex("^[0-9-]{10}T[0-9:]{8}\\.[0-9]{6}Z$"));
  ASSERT_EQ(run.at("jobs").size(), 2U);
  for (const json& job : run.at("jobs")) {
    EXPECT_THAT(keys_of(job),
                testing::UnorderedElementsAre("id", "task", "name", "status", "attempt"));
    EXPECT_EQ(job.at("status"), "pending");
    EXPECT_EQ(job.at("attempt"), 0);
  }
  EXPECT_EQ(run.at("jobs").at(0).at("task"), "log_triage");
  EXPECT_EQ(run.at("jobs").at(1).at("name"), "hello");
  const json& tasks = run.at("directive_snapshot").at("tasks");
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[1].at("params").at("command"), json({"echo"}));
}

TEST(RUN2_launch, writes_the_whole_snapshot_into_its_first_event) {
  server reeve;
  const auto api = reeve.api();
  const json run = support::launch(api, {{"tasks", {"log_triage"}}});
  const json event =
      support::must_get(api, "/api/events/" + std::to_string(run.at("position").get<long>()));
  EXPECT_EQ(event.at("type"), "run_launched");
  EXPECT_EQ(event.at("stream"), "run-" + run.at("id").get<std::string>());
  EXPECT_EQ(support::without_nulls(event.at("payload").at("directive_snapshot")),
            support::without_nulls(run.at("directive_snapshot")));
  // Without a word about a directive it is the tenant's default one.
  const json directive =
      support::must_get(api, "/api/directives/" + run.at("directive_id").get<std::string>());
  EXPECT_EQ(directive.at("is_default"), true);
  EXPECT_EQ(run.at("directive_version"), directive.at("version"));
}

TEST(RUN3_launch, knows_every_kind_by_name_and_by_alias) {
  server reeve;
  const json run = support::launch(
      reeve.api(),
      {{"tasks", {"task1", "task2", "task3", "log_triage", "gpu_report", {{"kind", "task3"}}}}});
  std::vector<std::string> kinds;
  std::set<std::string> names;
  for (const json& job : run.at("jobs")) {
    kinds.push_back(job.at("task"));
    names.insert(job.at("name").get<std::string>());
  }
  EXPECT_THAT(kinds, testing::ElementsAre("log_triage", "gpu_report", "service_map", "log_triage",
                                          "gpu_report", "service_map"));
  EXPECT_EQ(names.size(), 6U);
}

TEST(RUN3_launch, refuses_with_the_name_of_the_field_and_writes_nothing) {
  server reeve;
  const auto api = reeve.api();
  auto database = reeve.database();
  const auto tenant = support::tenant_of(api);
  const auto before = support::events_of(database, tenant);
  for (const auto& [body, pointer] : refusals()) {
    const auto answer = api.post("/api/runs/launch", body);
    EXPECT_EQ(answer.status, 422) << body << answer.body;
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
    EXPECT_EQ(support::pointer_of(answer), pointer) << body << answer.body;
  }
  const auto missing =
      api.post("/api/runs/launch", {{"directive_id", "0190a000-0000-7000-8000-000000000000"}});
  EXPECT_EQ(missing.status, 404) << missing.body;
  for (const char* text :
       {"{\"tasks\":[\"task1\"],\"tasks\":[\"task1\"]}", "{\"tasks\":[\"task1\"]",
        "{\"tasks\":[\"task1\"]}x", "[]", "null", "{\"tasks\":[\"\\u0000\"]}"}) {
    support::http_request raw{"POST", "/api/runs/launch", {}, text};
    const int status = api.call(raw).status;
    EXPECT_TRUE(status == 400 || status == 422) << text << " " << status;
  }
  EXPECT_EQ(support::events_of(database, tenant), before);
  EXPECT_EQ(support::must_get(api, "/api/runs").at("results").size(), 0U);
  // The same count sees a launch that is sound.
  support::launch(api, {{"tasks", {"task2"}}});
  EXPECT_GT(support::events_of(database, tenant), before);
}

TEST(RUN4_runs, lists_say_how_many_jobs_and_details_say_everything) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const json first =
      support::launch(api, support::inline_launch({support::box_task("good", {"true"}),
                                                   support::box_task("bad", {"exit", "3"})}));
  const std::string id = first.at("id");
  const json run = support::await_run(api, id);
  EXPECT_EQ(run.at("status"), "partial");
  const json good = support::job_named(run, "good");
  ASSERT_EQ(good.at("attempts").size(), 1U);
  EXPECT_EQ(good.at("attempts").at(0).at("exit_code"), 0);
  for (const char* name :
       {"number", "container_id", "image", "image_digest", "reason", "started_at", "finished_at"}) {
    EXPECT_TRUE(good.at("attempts").at(0).contains(name)) << name;
  }
  EXPECT_EQ(support::job_named(run, "bad").at("attempts").at(0).at("exit_code"), 3);
  EXPECT_EQ(run.at("llm_usage").at("calls"), 0);
  EXPECT_TRUE(run.contains("directive_snapshot"));

  const json page = support::must_get(api, "/api/runs?status=partial");
  ASSERT_EQ(page.at("results").size(), 1U);
  EXPECT_TRUE(page.at("next").is_null());
  const json& row = page.at("results").at(0);
  EXPECT_EQ(row.at("id"), id);
  EXPECT_EQ(row.at("job_count"), 2);
  EXPECT_EQ(row.at("jobs_by_status").at("success"), 1);
  EXPECT_EQ(row.at("jobs_by_status").at("failed"), 1);
  for (const char* name : {"directive_name", "engine", "retry_of", "created_at", "started_at",
                           "finished_at", "labels"}) {
    EXPECT_TRUE(row.contains(name)) << name;
  }
  EXPECT_EQ(support::must_get(api, "/api/runs?status=completed").at("results").size(), 0U);
  EXPECT_EQ(api.get("/api/runs?status=odd").status, 422);
}

TEST(RUN4_runs, a_job_is_shown_with_the_unified_fields) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const json launched =
      support::launch(api, support::inline_launch({support::box_task("one", {"true"})}));
  support::await_run(api, launched.at("id"));
  const std::string id = launched.at("jobs").at(0).at("id");
  const json job = support::must_get(api, "/api/jobs/" + id);
  EXPECT_EQ(job.at("run_id"), launched.at("id"));
  EXPECT_EQ(job.at("job_id"), id);
  EXPECT_EQ(job.at("source"), "reeve");
  EXPECT_EQ(job.at("state"), "succeeded");
  EXPECT_EQ(job.at("status"), "success");
  for (const char* name : {"cluster_id", "name", "user", "queue", "job_type", "gpus", "cpu",
                           "memory_gb", "priority", "submitted_at", "started_at", "finished_at",
                           "wait_seconds", "pending_reason", "artifacts", "llm_usage"}) {
    EXPECT_TRUE(job.contains(name)) << name;
  }
  EXPECT_EQ(api.get("/api/jobs/0190a000-0000-7000-8000-000000000000").status, 404);
  EXPECT_EQ(support::must_get(api, "/api/jobs?status=success").at("results").size(), 1U);
}
