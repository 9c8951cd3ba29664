// Every kind of tasks, walked from its row: read, refused by the field's name, started, taken up as
// itself by the actor after the one that had begun it, and ended (RUN3, RUN7).

#include "tasks/task_kinds.hpp"

#include "api/task_json.hpp"
#include "codec/codec.hpp"
#include "codec/field_order.hpp"
#include "tests/unit/actors/runs/run_world.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::actors;
using namespace run_world;

/// Parameters with which a kind ends well in this test's world, as JSON. A new kind has a line
/// here.
const std::map<std::string_view, std::string> samples{
    {"log_triage", R"({"files":["a.log"]})"},
    {"gpu_report", "{}"},
    {"service_map", "{}"},
    {"container", R"({"image":"localhost:1/box:1","command":["sleep","1"]})"}};

std::string task_of(const tasks::task_kind_row& row, const std::string& params) {
  return R"({"kind":")" + std::string(row.name) + R"(","params":)" + params + "}";
}

outcome<std::vector<domain::task_spec>> read(const std::string& task) {
  return api::decode_tasks({{task}}, "/tasks");
}

std::vector<std::string_view> fields_of(const domain::task_params& params) {
  return std::visit(
      []<class Params>(const Params&) {
        const auto names = codec::detail::field_names<Params>();
        return std::vector<std::string_view>(names.begin(), names.end());
      },
      params);
}

}  // namespace

TEST(RUN3_task_kinds, are_read_by_name_by_alias_and_with_parameters) {
  for (const auto& row : tasks::task_kind_rows()) {
    ASSERT_TRUE(samples.contains(row.name)) << "give " << row.name << " parameters above";
    std::vector<std::string> forms{task_of(row, samples.at(row.name)),
                                   R"(")" + std::string(row.name) + R"(")"};
    if (!row.alias.empty()) forms.push_back(R"(")" + std::string(row.alias) + R"(")");
    for (const auto& form : forms) {
      const auto task = read(form);
      ASSERT_TRUE(task) << form << task.error().detail;
      EXPECT_EQ(kind_of(task->front().params), row.name) << form;
    }
    // As it stands in the log, and read again from there.
    const auto task = read(forms.front())->front();
    const auto again = codec::decode_text<domain::task_spec>(codec::encode(task));
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(*again, task);
  }
}

TEST(RUN3_task_kinds, are_refused_by_the_name_of_the_field) {
  for (const auto& row : tasks::task_kind_rows()) {
    const auto kind = *domain::kind_named(row.name);
    const auto own = fields_of(kind);
    for (const auto name : own) {
      const auto task = read(task_of(row, R"({")" + std::string(name) + R"(":{"/":[]}})"));
      ASSERT_FALSE(task) << row.name << " " << name;
      EXPECT_EQ(task.error().code, errc::invalid) << row.name << " " << name;
      EXPECT_TRUE(task.error().field.starts_with("/tasks/0/params/" + std::string(name)));
    }
    for (const auto& other : tasks::task_kind_rows()) {
      for (const auto name : fields_of(*domain::kind_named(other.name))) {
        if (std::find(own.begin(), own.end(), name) != own.end()) continue;
        const auto task = read(task_of(row, R"({")" + std::string(name) + R"(":1})"));
        ASSERT_FALSE(task) << row.name << " " << name;
        EXPECT_EQ(task.error().code, errc::unknown_field) << row.name << " " << name;
        EXPECT_EQ(task.error().field, "/tasks/0/params/" + std::string(name));
      }
    }
  }
}

TEST(RUN7_task_kinds, are_taken_up_as_themselves_and_end) {
  for (const auto& row : tasks::task_kind_rows()) {
    SCOPED_TRACE(row.name);
    slow_logs::open(false);
    world here;
    here.launch(read(task_of(row, samples.at(row.name)))->front());
    here.start();
    if (row.open == nullptr) {
      ASSERT_TRUE(here.comes_to("run_finished"));
      EXPECT_EQ(here.state().jobs[0].reason, domain::end_reason::not_available_yet);
      continue;
    }
    ASSERT_TRUE(here.comes_to("attempt_started"));
    const auto begun = here.state().jobs[0].attempts.at(0).intent;
    here.stop();
    // As after the death of the process that had the leadership before.
    here.ports.settings.died_before_epoch = 2;
    here.start();
    slow_logs::open(true);
    ASSERT_TRUE(here.comes_to("run_finished"));
    const auto job = here.state().jobs[0];
    EXPECT_EQ(job.status, domain::job_status::success);
    ASSERT_EQ(job.attempts.size(), 1U);
    EXPECT_EQ(job.attempts[0].intent, begun);
    const bool own = begun.executor == "reeve";
    EXPECT_EQ(job.reason, own ? domain::end_reason::completed : domain::end_reason::exited);
    EXPECT_EQ(job.attempts[0].exit_code.has_value(), !own);
    EXPECT_EQ(job.attempts[0].container_id.has_value(), !own);
    EXPECT_EQ(job.artifacts.empty(), !own);
    if (own) {
      EXPECT_EQ(job.attempts[0].works, 1) << "it is done again, and that is noted";
    }
  }
}
