// A report on the GPUs of the server's machine. Here, as on most machines, there is none, which is
// a success that says so.

#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::must_get;
using support::server;
using testing::HasSubstr;

namespace {

bool has_driver() {
  return std::filesystem::exists("/proc/driver/nvidia") ||
         std::filesystem::exists("/dev/nvidiactl");
}

json report_of(const support::api_client& api, const json& run) {
  const std::string job = run.at("jobs").at(0).at("id");
  return must_get(api, "/api/jobs/" + job + "/artifacts/gpu_report.json");
}

}  // namespace

TEST(RUN9_gpu_report, of_a_machine_without_a_gpu_is_a_success_that_says_so) {
  server reeve;
  const auto api = reeve.api();
  const json run =
      support::await_run(api, support::launch(api, {{"tasks", {"gpu_report"}}}).at("id"));
  ASSERT_EQ(run.at("status"), "success") << run.dump(1);
  const json job = run.at("jobs").at(0);
  EXPECT_EQ(job.at("reason"), "completed");
  const std::string artifacts = "/api/jobs/" + job.at("id").get<std::string>() + "/artifacts";
  const json list = must_get(api, artifacts);
  ASSERT_EQ(list.at("results").size(), 2U);
  for (const json& one : list.at("results")) {
    const auto answer = api.get(artifacts + "/" + one.at("name").get<std::string>());
    EXPECT_EQ(answer.header("Content-Type"), one.at("media_type"));
    EXPECT_EQ(answer.body.size(), one.at("bytes").get<std::size_t>());
  }
  const json report = report_of(api, run);
  EXPECT_EQ(report.at("format"), 1);
  EXPECT_EQ(report.at("gpus_left_out"), 0);
  if (has_driver()) return;
  EXPECT_EQ(report.at("source"), "none");
  EXPECT_EQ(report.at("summary"), "No GPU found.");
  EXPECT_EQ(report.at("gpus"), json::array());
  EXPECT_EQ(report.at("findings"), json::array());
  EXPECT_THAT(api.get(artifacts + "/gpu_report.md").body, HasSubstr("No GPU found."));
}

TEST(RUN9_gpu_report, takes_no_parameters_and_is_not_for_viewers) {
  server reeve;
  const auto api = reeve.api();
  const json wrong = {{"tasks", {{{"kind", "gpu_report"}, {"params", {{"gpu", 0}}}}}}};
  const auto refused = api.post("/api/runs/launch", wrong);
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_EQ(support::pointer_of(refused), "/tasks/0/params/gpu");
  const auto viewer = api.as(support::new_token(api, "viewer"));
  EXPECT_EQ(viewer.post("/api/runs/launch", {{"tasks", {"gpu_report"}}}).status, 403);
  EXPECT_EQ(must_get(api, "/api/runs").at("results").size(), 0U);
}

TEST(RUN9_gpu_report, can_be_had_many_times_at_once) {
  server reeve;
  const auto api = reeve.api();
  const json many = support::launch(
      api, {{"directive",
             {{"name", "many"},
              {"tasks", json::array({"task2", "task2", "task2", "task2", "task2", "task2"})},
              {"limits", {{"max_parallel", 6}}}}}});
  const json run = support::await_run(api, many.at("id"));
  EXPECT_EQ(run.at("status"), "success") << run.dump(1);
  for (const json& job : run.at("jobs")) EXPECT_EQ(job.at("artifacts").size(), 2U);
}

TEST(RUN9_gpus, can_be_looked_at_from_a_shell) {
  server reeve;
  const auto json_text = reeve.command({"gpus", "--json"});
  EXPECT_EQ(json_text.status, 0) << json_text.output;
  const json reading = json::parse(json_text.output);
  EXPECT_TRUE(reading.at("gpus").is_array());
  const auto text = reeve.command({"gpus"});
  EXPECT_EQ(text.status, 0) << text.output;
  if (!has_driver()) {
    EXPECT_THAT(text.output, HasSubstr("No GPU found."));
  }
  EXPECT_EQ(reeve.command({"gpus", "extra"}).status, 2);
}
