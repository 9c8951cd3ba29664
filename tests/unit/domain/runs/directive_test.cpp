// Directives: versions, archiving, and the field that is named when one is refused.

#include "domain/runs/directive.hpp"

#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::as;
using steps::code_of;
using steps::id_of;
using steps::take;

directive_spec nightly(const std::string& description = "") {
  directive_spec s;
  s.name = "nightly";
  s.description = description;
  s.tasks.resize(1);
  name_tasks(s.tasks);
  return s;
}

directive_state created(bool is_default = false) {
  directive_state d;
  take(d, decide(d, create_directive{id_of(2), nightly(), is_default}));
  return d;
}

TEST(RUN1_create, makes_version_one_with_the_spec_by_value) {
  const auto events = decide(directive_state{}, create_directive{id_of(2), nightly("why"), true});
  ASSERT_TRUE(events);
  EXPECT_EQ(*events, (directive_events{directive_created{id_of(2), nightly("why"), true}}));
  const auto d = created();
  EXPECT_EQ(d.id, id_of(2));
  EXPECT_EQ(d.tenant, steps::tenant);
  EXPECT_EQ(d.version, 1);
  EXPECT_EQ(d.spec, nightly());
  EXPECT_FALSE(d.is_default);
  EXPECT_EQ(d.created_position, 10);
  EXPECT_EQ(d.created_at, 1000);
}

TEST(RUN1_create, names_the_tasks_that_have_no_name) {
  auto spec = nightly();
  spec.tasks.resize(2);
  spec.tasks[1].params = gpu_report_params{};
  const auto events = decide(directive_state{}, create_directive{id_of(2), spec});
  ASSERT_TRUE(events);
  const auto& made = std::get<directive_created>(events->front()).spec;
  EXPECT_EQ(made.tasks[1].name, "gpu_report");
}

TEST(RUN1_create, of_one_that_exists_is_a_conflict) {
  EXPECT_EQ(code_of(decide(created(), create_directive{id_of(2), nightly(), false})),
            errc::conflict);
}

TEST(RUN1_revise, counts_versions_and_keeps_what_made_it) {
  auto d = created();
  for (int version = 2; version < 6; ++version) {
    const auto spec = nightly("version " + std::to_string(version));
    const auto events = decide(d, revise_directive{id_of(2), spec});
    ASSERT_TRUE(events);
    EXPECT_EQ(*events, (directive_events{directive_revised{id_of(2), version, spec}}));
    take(d, events);
    EXPECT_EQ(d.version, version);
  }
  EXPECT_EQ(d.created_at, 1000);
  EXPECT_EQ(d.updated_at, 5000);
}

TEST(RUN1_revise, with_the_same_spec_makes_no_event) {
  auto d = created();
  EXPECT_TRUE(decide(d, revise_directive{id_of(2), nightly()})->empty());
  take(d, decide(d, revise_directive{id_of(2), nightly("other")}));
  EXPECT_TRUE(decide(d, revise_directive{id_of(2), nightly("other")})->empty());
  EXPECT_FALSE(decide(d, revise_directive{id_of(2), nightly()})->empty())
      << "an earlier one is a new version again";
}

TEST(RUN1_revise, needs_a_directive_that_lives) {
  EXPECT_EQ(code_of(decide(directive_state{}, revise_directive{id_of(2), nightly("x")})),
            errc::not_found);
  auto d = created();
  take(d, decide(d, archive_directive{id_of(2)}));
  EXPECT_EQ(code_of(decide(d, revise_directive{id_of(2), nightly("x")})), errc::conflict);
  EXPECT_EQ(code_of(decide(d, revise_directive{id_of(2), nightly()})), errc::conflict);
}

TEST(RUN1_archive, happens_once_and_never_to_the_default_one) {
  EXPECT_EQ(code_of(decide(directive_state{}, archive_directive{id_of(2)})), errc::not_found);
  auto d = created();
  EXPECT_EQ(*decide(d, archive_directive{id_of(2)}),
            (directive_events{directive_archived{id_of(2)}}));
  take(d, decide(d, archive_directive{id_of(2)}));
  EXPECT_TRUE(d.is_archived);
  EXPECT_EQ(d.version, 1);
  EXPECT_TRUE(decide(d, archive_directive{id_of(2)})->empty());
  EXPECT_EQ(code_of(decide(created(true), archive_directive{id_of(2)})), errc::conflict);
}

TEST(RUN1_refusals, name_the_field_alike_for_a_new_one_and_a_new_version) {
  const std::vector<steps::spoilt<directive_spec>> rows{
      {"/name", [](auto& s) { s.name = ""; }},
      {"/name", [](auto& s) { s.name = "two words"; }},
      {"/name", [](auto& s) { s.name = std::string(65, 'n'); }},
      {"/description", [](auto& s) { s.description = std::string(1025, 'd'); }},
      {"/description", [](auto& s) { s.description = std::string("\0", 1); }},
      {"/tasks", [](auto& s) { s.tasks.clear(); }},
      {"/tasks/0/name", [](auto& s) { s.tasks[0].name = "-"; }},
      {"/tasks/1/name", [](auto& s) { s.tasks.push_back(s.tasks[0]); }},
      {"/tasks/0/needs/0", [](auto& s) { s.tasks[0].needs = {"unknown"}; }},
      {"/tasks", [](auto& s) { s.tasks[0].needs = {s.tasks[0].name}; }},
      {"/tasks/0/params/max_lines",
       [](auto& s) { as<log_triage_params>(s.tasks[0]).max_lines = 0; }},
      {"/tasks/0/since", [](auto& s) { s.tasks[0].since = "never"; }},
      {"/limits/max_parallel", [](auto& s) { s.limits.max_parallel = 65; }},
      {"/limits/stop_grace_s", [](auto& s) { s.limits.stop_grace_s = -1; }},
      {"/labels", [](auto& s) { s.labels["two words"] = ""; }},
      {"/labels/team", [](auto& s) { s.labels["team"] = std::string(257, 'x'); }}};
  for (const auto& row : rows) {
    auto spec = nightly("changed");
    row.spoil(spec);
    EXPECT_EQ(steps::pointer_of(decide(directive_state{}, create_directive{id_of(2), spec, false})),
              row.pointer);
    EXPECT_EQ(steps::pointer_of(decide(created(), revise_directive{id_of(2), spec})), row.pointer);
  }
}

TEST(RUN1_refusals, do_not_repeat_what_was_sent) {
  auto spec = nightly();
  spec.name = "hunter2 hunter2";
  const auto refused = decide(directive_state{}, create_directive{id_of(2), spec, false});
  EXPECT_EQ(refused.error().detail.find("hunter2"), std::string::npos);
}

}  // namespace
