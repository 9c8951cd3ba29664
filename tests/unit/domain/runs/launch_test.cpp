// Where a launch gets its directive from, and what each source refuses.

#include "tests/unit/domain/runs/run_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::code_of;
using steps::container_task;
using steps::driven_run;
using steps::id_of;
using steps::launch_of;

directive_state nightly_launch() {
  directive_state d;
  directive_spec spec;
  spec.name = "nightly";
  spec.tasks = {container_task("a")};
  steps::take(d, decide(d, create_directive{id_of(30), spec}));
  return d;
}

steps::launch_case of(decltype(launch_run::from) from) {
  auto c = launch_of({container_task("a")});
  c.command.from = std::move(from);
  c.directive = nightly_launch();
  return c;
}

const run_launched& launched(const outcome<run_events>& events) {
  return std::get<run_launched>(events->front());
}

TEST(RUN2_launch, of_a_directive_takes_it_as_it_is_now) {
  const auto events = of(of_directive{id_of(30)}).decided();
  ASSERT_TRUE(events) << events.error().detail;
  EXPECT_EQ(launched(events).directive.id, id_of(30));
  EXPECT_EQ(launched(events).directive.version, 1);
  EXPECT_EQ(launched(events).directive.name, "nightly");
  auto gone = of(of_directive{id_of(31)});
  gone.directive = {};
  EXPECT_EQ(steps::pointer_of(gone.decided()), "not_found /directive_id");
}

TEST(RUN1_archived, directives_are_not_launched) {
  for (const bool named : {true, false}) {
    auto c = of(named ? decltype(launch_run::from)(of_directive{id_of(30)}) : of_default{});
    steps::take(c.directive, decide(c.directive, archive_directive{id_of(30)}));
    EXPECT_EQ(steps::pointer_of(c.decided()), "conflict /directive_id");
  }
}

TEST(RUN2_launch, of_tasks_puts_them_into_the_default_directive_and_names_them) {
  auto task = container_task("");
  auto c = of(of_default{{task, task}});
  c.jobs = {id_of(0), id_of(1)};
  const auto events = c.decided();
  ASSERT_TRUE(events) << events.error().field;
  EXPECT_EQ(launched(events).directive.name, "nightly");
  ASSERT_EQ(launched(events).directive.tasks.size(), 2U);
  EXPECT_EQ(launched(events).directive.tasks[1].name, "container-2");
}

TEST(RUN5_retry, is_of_a_run_that_is_over_only) {
  auto c = of(of_run{id_of(500)});
  EXPECT_EQ(code_of(c.decided()), errc::not_found);
  driven_run run({container_task("a")});
  c.before = run.state;
  EXPECT_EQ(code_of(c.decided()), errc::conflict);
  run.start(0);
  c.before = run.state;
  EXPECT_EQ(code_of(c.decided()), errc::conflict);
  run.fail(0);
  run.next();
  c.before = run.state;
  c.directive = {};  // whatever has become of it
  const auto events = c.decided();
  ASSERT_TRUE(events) << events.error().detail;
  EXPECT_EQ(launched(events).directive, run.state.launch->directive);
  EXPECT_EQ(launched(events).retry_of, run.state.id);
  EXPECT_EQ(launched(events).labels, run.state.launch->labels);
}

TEST(RUN6_last_success, is_asked_for_where_the_input_or_a_report_needs_it) {
  const auto wants = [](steps::launch_case c) {
    const auto shape = shape_of(c.command, {&c.directive, &c.before});
    EXPECT_TRUE(shape);
    return shape && wants_last_success(*shape);
  };
  EXPECT_FALSE(wants(of(of_default{})));
  auto since = of(of_default{});
  since.command.since = "last_success";
  EXPECT_TRUE(wants(since));
  EXPECT_FALSE(wants(launch_of({container_task("a")}))) << "nothing was before an inline one";
  auto one = container_task("a");
  one.since = "last_success";
  EXPECT_TRUE(wants(of(of_default{{one}})));
  EXPECT_TRUE(wants(of(of_default{{task_spec{}}}))) << "triage compares with it";
}

}  // namespace
