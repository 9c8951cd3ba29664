#include "api/task_json.hpp"

#include "codec/codec.hpp"

#include <gtest/gtest.h>

using namespace reeve;

namespace {

outcome<std::vector<domain::task_spec>> decoded(const std::string& array) {
  const auto doc = codec::parse_strict(array);
  return api::decode_tasks(codec::decode<std::vector<domain::json_text>>(doc->root()).value(),
                           "/tasks");
}

}  // namespace

TEST(RUN3_tasks, are_names_aliases_or_objects) {
  const auto tasks = decoded(
      R"(["log_triage","task1","task2",{"kind":"task3"},{"kind":"container","name":"c",)"
      R"("needs":["log_triage"],"params":{"image":"a","env":{"K":"v"}},"since":"last_success",)"
      R"("timeout_s":5,"retries":2,"priority":-3}])");
  ASSERT_TRUE(tasks.ok()) << tasks.error().detail;
  ASSERT_EQ(tasks->size(), 5U);
  const std::vector<std::string_view> kinds{"log_triage", "log_triage", "gpu_report", "service_map",
                                            "container"};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    EXPECT_EQ(kind_of((*tasks)[i].params), kinds[i]) << i;
  }
  const auto& task = (*tasks)[4];
  EXPECT_EQ(task.name, "c");
  EXPECT_EQ(task.needs, std::vector<std::string>{"log_triage"});
  const auto& params = std::get<domain::container_params>(task.params);
  EXPECT_EQ(params.image, "a");
  EXPECT_EQ(std::get<std::string>(params.env->at("K")), "v");
  EXPECT_EQ(task.since, "last_success");
  EXPECT_EQ(task.timeout_s, 5);
  EXPECT_EQ(task.retries, 2);
  EXPECT_EQ(task.priority, -3);
}

TEST(RUN3_tasks, refusals_point_at_the_place) {
  struct row {
    const char* array;
    errc code;
    const char* pointer;
  };
  const row rows[] = {
      {"[]", errc::invalid, "/tasks"},
      {R"(["task1","task0"])", errc::invalid, "/tasks/1"},
      {R"(["LOG_TRIAGE"])", errc::invalid, "/tasks/0"},
      {"[null]", errc::invalid, "/tasks/0"},
      {"[[\"task1\"]]", errc::invalid, "/tasks/0"},
      {"[{}]", errc::invalid, "/tasks/0/kind"},
      {R"([{"kind":1}])", errc::invalid, "/tasks/0/kind"},
      {R"(["task1",{"kind":"task4"}])", errc::invalid, "/tasks/1/kind"},
      {R"([{"kind":"task1","nam":"a"}])", errc::unknown_field, "/tasks/0/nam"},
      {R"([{"kind":"task1","params":{"imag":"a"}}])", errc::unknown_field, "/tasks/0/params/imag"},
      {R"([{"kind":"container","params":{"mounts":[{"source":"/a"}]}}])", errc::invalid,
       "/tasks/0/params/mounts/0/target"},
      {R"([{"kind":"task1","priority":1.5}])", errc::invalid, "/tasks/0/priority"}};
  for (const auto& one : rows) {
    const auto got = decoded(one.array);
    ASSERT_FALSE(got.ok()) << one.array;
    EXPECT_EQ(got.error().code, one.code) << one.array;
    EXPECT_EQ(got.error().field, one.pointer) << one.array;
  }
  EXPECT_NE(decoded(R"(["x"])").error().detail.find("log_triage"), std::string::npos);
}

TEST(RUN3_tasks, are_limited) {
  std::string many = "[\"task1\"";
  for (int i = 1; i < 100; ++i) many += ",\"task1\"";
  EXPECT_EQ(decoded(many + "]")->size(), 100U);
  EXPECT_EQ(decoded(many + ",\"task1\"]").error().field, "/tasks");
}

TEST(RUN1_directive_body, is_read_and_left_to_the_decision) {
  const auto body = codec::decode_text<api::directive_body>(
      R"({"name":"d","tasks":["task1",{"kind":"task2","needs":["log_triage-2"]}]})");
  const auto spec = api::decode_directive(*body, "/directive");
  ASSERT_TRUE(spec.ok()) << spec.error().field;
  EXPECT_EQ(spec->name, "d");
  ASSERT_EQ(spec->tasks.size(), 2U);
  EXPECT_EQ(spec->tasks[1].needs, std::vector<std::string>{"log_triage-2"});
  auto wrong = *body;
  wrong.tasks = {{R"({"kind":"task9"})"}};
  EXPECT_EQ(api::decode_directive(wrong, "/directive").error().field, "/directive/tasks/0/kind");
}
