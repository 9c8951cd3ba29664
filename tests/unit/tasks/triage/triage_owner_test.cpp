// P17: whose containers log triage reads. What is not the tenant's is as what is not there.

#include "adapters/simulated/simulated_engine.hpp"
#include "codec/codec.hpp"
#include "tasks/triage/log_triage.hpp"
#include "tasks/triage/triage_worker.hpp"

#include <future>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace {

using namespace reeve;

const uuid one_tenant = derived_uuid({}, "one tenant");
const uuid this_log = derived_uuid({}, "this log");

/// Says which container it was asked for; "talker" may be called otherwise.
class moving_engine final : public adapters::simulated_engine {
 public:
  void inspect(std::string name, reply_slot<adapters::container_info> slot) override {
    if (!called.empty()) name = called;
    adapters::container_info found;
    found.id = "id of " + name;
    found.name = name;
    found.labels = labels;
    slot.answer(std::move(found));
  }
  void logs(std::string container, adapters::log_query,
            reply_slot<adapters::log_answer> slot) override {
    asked.push_back(container);
    adapters::log_answer page;
    page.lines.push_back({adapters::log_stream::out, 1, "ERROR of " + container});
    slot.answer(std::move(page));
  }

  adapters::label_map labels;
  std::string called;
  std::vector<std::string> asked;
};

tasks::triage_report report_on(adapters::container_engine& engine, bool is_first = true) {
  using result = outcome<std::vector<tasks::produced_artifact>>;
  std::promise<result> answer;
  tasks::triage_worker worker({}, engine, real_clock());
  tasks::triage_request request;
  request.by = {one_tenant, this_log, is_first};
  request.containers = {{"talker", std::nullopt}};
  worker.run(request, reply_slot<std::vector<tasks::produced_artifact>>(
                          [&](result r) { answer.set_value(std::move(r)); }));
  const auto made = answer.get_future().get();
  EXPECT_TRUE(made);
  if (!made) return {};
  const auto doc = codec::parse_strict(made->front().bytes);
  return codec::decode<tasks::triage_report>(doc->root()).value();
}

/// A name may move to another container between two calls: what is read is the one that was looked
/// at.
TEST(P17_log_triage, reads_the_container_whose_labels_it_has_seen) {
  moving_engine engine;
  EXPECT_EQ(report_on(engine).findings.size(), 1U);
  EXPECT_EQ(engine.asked, std::vector<std::string>{"id of talker"});
  engine.labels = {{"reeve.instance", to_string(this_log)},
                   {"reeve.tenant", to_string(one_tenant)},
                   {"reeve.run", to_string(derived_uuid({}, "run"))}};
  EXPECT_EQ(report_on(engine).findings.size(), 1U) << "a job of the tenant's own";
}

TEST(P17_log_triage, of_another_tenants_job_is_as_of_a_container_that_is_not_there) {
  const auto stranger = to_string(derived_uuid({}, "another tenant"));
  const adapters::label_map foreign[] = {
      {{"reeve.instance", to_string(this_log)}, {"reeve.tenant", stranger}},
      {{"reeve.instance", stranger}, {"reeve.tenant", to_string(one_tenant)}},
      {{"reeve.tenant", to_string(one_tenant)}},
      {{"reeve.instance", to_string(this_log)}},
      {{"reeve.job", stranger}},
      {{"reeve.instance", to_string(this_log)}, {"reeve.tenant", "no id"}}};
  adapters::simulated_engine empty;
  const auto absent = codec::encode(report_on(empty).sources);
  for (const auto& labels : foreign) {
    moving_engine engine;
    engine.labels = labels;
    const auto report = report_on(engine);
    EXPECT_EQ(codec::encode(report.sources), absent);
    EXPECT_TRUE(report.findings.empty());
    EXPECT_TRUE(engine.asked.empty());
  }
}

/// Patterns do not find them, and the values are not known here.
TEST(P15_log_triage, does_not_read_a_job_that_got_named_secrets) {
  moving_engine engine;
  engine.labels = {{"reeve.instance", to_string(this_log)},
                   {"reeve.tenant", to_string(one_tenant)},
                   {"reeve.secrets", "true"}};
  const auto report = report_on(engine);
  EXPECT_TRUE(report.findings.empty());
  EXPECT_TRUE(engine.asked.empty());
  ASSERT_EQ(report.sources.size(), 1U);
  EXPECT_EQ(report.sources[0].problem, "the job got named secrets: its output is in its own log");
}

/// What runs on the host beside the jobs is the first tenant's.
TEST(P17_log_triage, of_no_job_is_there_for_the_first_tenant_only) {
  adapters::simulated_engine empty;
  const auto absent = codec::encode(report_on(empty, false).sources);
  for (const auto& labels : {adapters::label_map{}, adapters::label_map{{"app", "shop"}}}) {
    moving_engine engine;
    engine.labels = labels;
    const auto report = report_on(engine, false);
    EXPECT_EQ(codec::encode(report.sources), absent);
    EXPECT_TRUE(report.findings.empty());
    EXPECT_TRUE(engine.asked.empty());
    EXPECT_EQ(report_on(engine).findings.size(), 1U);
  }
  moving_engine engine;
  engine.labels = {{"reeve.instance", to_string(this_log)},
                   {"reeve.tenant", to_string(one_tenant)}};
  EXPECT_EQ(report_on(engine, false).findings.size(), 1U) << "a job of its own";
}

/// An engine finds a container by its id, or the beginning of it, as well.
TEST(P17_log_triage, takes_a_name_for_no_id) {
  moving_engine engine;
  engine.called = "another-one";
  EXPECT_TRUE(report_on(engine).findings.empty());
  EXPECT_TRUE(engine.asked.empty());
}

}  // namespace
