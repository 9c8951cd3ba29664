// What a run decides on each command: launch, intend, end, refuse, cancel.

#include "tests/unit/domain/runs/run_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::as;
using steps::code_of;
using steps::container_task;
using steps::driven_run;
using steps::id_of;
using steps::launch_of;
using steps::listing;

/// The pointer of the refusal of a launch whose directive stands inside it, or is the default one
/// (`at` "/tasks").
std::string launched(std::vector<task_spec> tasks, directive_limits limits = {},
                     const std::string& at = "/tasks") {
  auto c = launch_of(std::move(tasks), limits);
  if (at == "/tasks") {
    c.directive.stream_version = 1;
    c.directive.spec = std::get<of_spec>(c.command.from).spec;
    c.command.from = of_default{};
  }
  return steps::pointer_of(c.decided());
}

TEST(RUN2_snapshot, is_in_the_event_by_value_with_one_job_for_each_task) {
  auto c = launch_of({container_task("a"), container_task("b", {"a"})});
  c.command.since = "last_success";
  c.command.labels = {{"team", "ops"}};
  c.last_success = former_run{id_of(40), 77};
  const auto events = c.decided();
  ASSERT_TRUE(events);
  run_launched e;
  e.id = c.command.run;
  e.directive.name = "d";
  e.directive.tasks = std::get<of_spec>(c.command.from).spec.tasks;
  e.jobs = {id_of(0), id_of(1)};
  e.expected_engine = "docker";
  e.since = "last_success";
  e.since_run = id_of(40);
  e.since_at = timestamp{77};
  e.labels = c.command.labels;
  EXPECT_EQ(*events, run_events{e});
  run_state run;
  steps::take(run, events);
  EXPECT_EQ(run.status, run_status::pending);
  EXPECT_EQ(run.created_by, steps::writer);
  EXPECT_EQ(run.tenant, steps::tenant);
  ASSERT_EQ(run.jobs.size(), 2U);
  EXPECT_EQ(run.task_of(run.jobs[1]).name, "b");
  EXPECT_EQ(jobs_by_status(run), (std::map<std::string, std::int64_t>{{"pending", 2}}));
  EXPECT_EQ(code_of(c.decided(run)), errc::conflict);
}

TEST(P33_last_success, that_seems_to_have_begun_in_the_future_limits_no_input) {
  auto c = launch_of({container_task("a")});
  c.command.since = "last_success";
  c.now_us = 1000;
  c.last_success = former_run{id_of(40), 1000};
  const auto launch = [&] { return std::get<run_launched>(c.decided()->front()); };
  EXPECT_EQ(launch().since_at, timestamp{1000});
  c.last_success->started_at_us = 1001;
  EXPECT_EQ(launch().since_at, std::nullopt);
  EXPECT_EQ(launch().since_run, id_of(40)) << "it is the last success all the same";
}

TEST(RUN3_launch_refusals, name_the_field_in_the_request) {
  EXPECT_EQ(launched({container_task("a")}), steps::accepted);
  EXPECT_EQ(launched({}), "/tasks");
  EXPECT_EQ(launched({}, {}, "/directive/tasks"), "/directive/tasks");
  EXPECT_EQ(launched({container_task("a"), container_task("a")}), "/tasks/1/name");
  EXPECT_EQ(launched({container_task("a", {"b"})}), "/tasks/0/needs/0");
  EXPECT_EQ(launched({container_task("a", {"b"}), container_task("b", {"a"})}), "/tasks");
  auto small = container_task("a");
  as<container_params>(small).memory_mb = 3;
  EXPECT_EQ(launched({container_task("x"), small}, {}, "/directive/tasks"),
            "/directive/tasks/1/params/memory_mb");
  auto unlisted = container_task("a");
  as<container_params>(unlisted).image = "localhost:1/other:1";
  EXPECT_EQ(launched({container_task("x"), unlisted}), "not_allowlisted /tasks/1/params/image");
  auto host = container_task("a");
  as<container_params>(host).network = "host";
  EXPECT_EQ(launched({host}), "not_allowlisted /tasks/0/params/network");
  task_spec triage;
  triage.name = "t";
  as<log_triage_params>(triage).containers = std::vector<std::string>{"web"};
  EXPECT_EQ(launched({triage}), "not_allowlisted /tasks/0/params/containers/0");
}

TEST(RUN3_launch_refusals, cover_the_limits_labels_and_since) {
  directive_limits none_at_all;
  none_at_all.max_parallel = 0;
  EXPECT_EQ(launched({container_task("a")}, none_at_all), "/limits/max_parallel");
  EXPECT_EQ(launched({container_task("a")}, none_at_all, "/directive/tasks"),
            "/directive/limits/max_parallel");
  auto c = launch_of({container_task("a")});
  c.command.since = "yesterday";
  EXPECT_EQ(steps::pointer_of(c.decided()), "/since");
  c.command.since.reset();
  c.command.labels = {{"two words", ""}};
  EXPECT_EQ(steps::pointer_of(c.decided()), "/labels");
  c.command.labels.clear();
  c.jobs.pop_back();
  EXPECT_EQ(code_of(c.decided()), errc::internal);
}

TEST(RUN3_launch_refusals, tell_a_bad_field_before_one_that_is_not_listed) {
  auto unlisted = container_task("a");
  as<container_params>(unlisted).image = "localhost:1/other:1";
  EXPECT_EQ(launched({unlisted, container_task("two words")}), "/tasks/1/name");
}

TEST(RUN7_intend, starts_the_run_first_and_says_how_long_it_may_take) {
  auto own = container_task("own");
  own.timeout_s = 5;
  directive_limits limits;
  limits.timeout_s = 60;
  driven_run run({container_task("a"), own}, limits);
  auto intent = steps::intent_on();
  intent.volume = "spare";
  const auto first = decide_intend(run.state, id_of(0), intent);
  ASSERT_TRUE(first);
  intent.job = id_of(0);
  intent.attempt = 1;
  intent.timeout_ms = 60'000;
  EXPECT_EQ(*first, (run_events{run_started{}, intent}));
  run.take(first);
  EXPECT_EQ(run.job(0).attempts.back().intent, intent);
  EXPECT_EQ(run.state.status, run_status::running);
  EXPECT_EQ(run.status(0), job_status::running);
  EXPECT_EQ(run.state.started_at, run.now);
  const auto second = decide_intend(run.state, id_of(1), intent);
  ASSERT_TRUE(second);
  ASSERT_EQ(second->size(), 1U);
  EXPECT_EQ(std::get<attempt_intended>(second->front()).timeout_ms, 5'000);
  EXPECT_EQ(std::get<attempt_intended>(second->front()).job, id_of(1));
}

TEST(RUN7_engine, of_a_run_is_that_of_its_attempts) {
  driven_run run({container_task("a"), container_task("b")});
  EXPECT_EQ(engine_of(run.state), "docker") << "what it would get";
  EXPECT_FALSE(is_simulated(run.state));
  run.take(decide_intend(run.state, id_of(0), steps::intent_on("simulated")));
  EXPECT_EQ(engine_of(run.state), "simulated");
  EXPECT_TRUE(is_simulated(run.state));
  run.take(decide_intend(run.state, id_of(1), steps::intent_on("slurm")));
  EXPECT_EQ(engine_of(run.state), "mixed");
  EXPECT_TRUE(is_simulated(run.state)) << "one pretended attempt is enough";
}

TEST(RUN7_intend, is_for_jobs_that_wait_in_a_run_that_goes_on) {
  driven_run run({container_task("a"), container_task("b")});
  const auto intend = [&](int job) {
    return code_of(decide_intend(run.state, id_of(job), steps::intent_on()));
  };
  EXPECT_EQ(intend(9), errc::not_found);
  run.start(0);
  EXPECT_EQ(intend(0), errc::conflict) << "it runs already";
  run.succeed(0);
  EXPECT_EQ(intend(0), errc::conflict) << "it is over";
  run.start(1);
  run.cancel();
  run.fail(1);
  run.next();
  EXPECT_EQ(intend(1), errc::conflict);
}

TEST(RUN7_evolve, fills_the_attempt_from_its_events_and_ignores_what_does_not_fit) {
  driven_run run({container_task("a")});
  run.start(0);
  run.take(run_events{container_created{id_of(0), 1, "engine-id"},
                      attempt_started{id_of(0), 1, false, {}}, work_attempted{id_of(0), 1, 2}});
  const auto before = run.job(0);
  attempt_intended intent_of_nobody;
  intent_of_nobody.job = id_of(9);
  EXPECT_EQ(before.attempts[0].container_id, "engine-id");
  EXPECT_EQ(before.attempts[0].started_at, run.now);
  EXPECT_EQ(before.attempts[0].works, 2);
  run.take(run_events{
      container_created{id_of(0), 2, "other"}, attempt_started{id_of(9), 1, false, {}},
      attempt_ended{id_of(0), 3, 1, end_reason::exited, {}}, retry_scheduled{id_of(9), 2, 0},
      stop_intended{id_of(9), 1}, work_quarantined{id_of(9), 1, 3}, work_released{id_of(9), 1, ""},
      work_discarded{id_of(9), 1, ""}, job_finished{id_of(9)},
      artifact_stored{id_of(9), "n", "m", {}}, job_waiting{id_of(9), "r"}, intent_of_nobody});
  auto after = run.job(0);
  EXPECT_GT(after.last_position, before.last_position) << "they name the job all the same";
  after.last_position = before.last_position;
  EXPECT_EQ(after, before);
  run.take(run_events{artifact_stored{id_of(0), "report.json", "application/json", {}}});
  EXPECT_EQ(run.job(0).artifacts.size(), 1U);
}

TEST(CTR4_waiting, ends_with_the_next_attempt) {
  driven_run run({container_task("a")});
  run.take(run_events{job_waiting{id_of(0), "engine_unavailable"}});
  EXPECT_EQ(run.job(0).waits_for, engine_unavailable);
  run.start(0);
  EXPECT_EQ(run.job(0).waits_for, "");
}

/// What a job is after an attempt ended so, without and with a further try left.
struct ending {
  end_reason reason;
  job_status status;
  bool retried;
};

const std::vector<ending> endings{{end_reason::exited, job_status::failed, true},
                                  {end_reason::completed, job_status::success, false},
                                  {end_reason::timed_out, job_status::failed, true},
                                  {end_reason::cancelled, job_status::cancelled, false},
                                  {end_reason::need_failed, job_status::failed, false},
                                  {end_reason::outcome_unknown, job_status::failed, false},
                                  {end_reason::not_allowlisted, job_status::failed, false},
                                  {end_reason::image_missing, job_status::failed, false},
                                  {end_reason::image_changed, job_status::failed, false},
                                  {end_reason::engine_refused, job_status::failed, true},
                                  {end_reason::engine_unavailable, job_status::failed, true},
                                  {end_reason::start_failed, job_status::failed, true},
                                  {end_reason::out_of_memory, job_status::failed, true},
                                  {end_reason::second_start, job_status::failed, false},
                                  {end_reason::input_missing, job_status::failed, true},
                                  {end_reason::not_available_yet, job_status::failed, false},
                                  {end_reason::quarantined, job_status::failed, false},
                                  {end_reason::internal_error, job_status::failed, true},
                                  {end_reason::disk_limit, job_status::failed, true}};

TEST(RUN5_end, of_every_reason_finishes_the_job_or_tries_again) {
  ASSERT_EQ(endings.size(), enum_names<end_reason>::names.size());
  for (std::size_t i = 0; i < endings.size(); ++i) {
    const auto& row = endings[i];
    ASSERT_EQ(static_cast<std::size_t>(row.reason), i);
    SCOPED_TRACE(name_of(row.reason));
    for (const std::int64_t retries : {0, 1}) {
      directive_limits limits;
      limits.retries = retries;
      driven_run run({container_task("a")}, limits);
      run.start(0);
      const auto events = decide_end(run.state, id_of(0), {row.reason, 3, {}, true});
      ASSERT_TRUE(events);
      ASSERT_EQ(events->size(), 2U);
      EXPECT_EQ(events->front(), run_event(attempt_ended{id_of(0), 1, 3, row.reason, {}, true}));
      const bool again = retries == 1 && row.retried;
      const run_event retry = retry_scheduled{id_of(0), 2, 1000};
      const run_event over = job_finished{id_of(0), row.status, row.reason};
      EXPECT_EQ(events->back(), again ? retry : over);
    }
  }
}

TEST(RUN14_end, says_what_is_known_of_the_streams_of_its_log) {
  driven_run run({container_task("a")});
  run.start(0);
  const blob_ref log{sha256("log"), 123, false};
  const log_streams streams{100, 23, blob_ref{sha256("marks"), 2, false}};
  run.take(decide_end(run.state, id_of(0), {end_reason::exited, 0, log, false, false, streams}));
  EXPECT_EQ(run.job(0).attempts[0].log, log);
  EXPECT_EQ(run.job(0).attempts[0].log_streams, streams);
  driven_run old({container_task("a")});
  old.start(0);
  old.take(decide_end(old.state, id_of(0), {end_reason::exited, 0, log}));
  EXPECT_FALSE(old.job(0).attempts[0].log_streams) << "as in every log until now";
}

TEST(RUN5_end, is_a_success_for_exit_code_zero_only) {
  for (const std::optional<std::int64_t> code :
       {std::optional<std::int64_t>(), std::optional<std::int64_t>(1),
        std::optional<std::int64_t>(137), std::optional<std::int64_t>(0)}) {
    driven_run run({container_task("a")});
    run.start(0);
    run.end(0, end_reason::exited, code);
    EXPECT_EQ(run.status(0), code == 0 ? job_status::success : job_status::failed);
    EXPECT_EQ(run.job(0).attempts[0].exit_code, code);
  }
  driven_run late({container_task("a")});
  late.start(0);
  late.end(0, end_reason::timed_out, 0);
  EXPECT_EQ(late.status(0), job_status::failed) << "it ended well, but because it was stopped";
}

TEST(RUN5_end, of_every_reason_after_a_cancel_is_final) {
  for (const auto& row : endings) {
    SCOPED_TRACE(name_of(row.reason));
    directive_limits limits;
    limits.retries = 5;
    driven_run run({container_task("a")}, limits);
    run.start(0);
    run.cancel();
    run.end(0, row.reason, 3);
    EXPECT_EQ(run.status(0), row.status);
    EXPECT_EQ(run.job(0).reason, row.reason) << "what ended by itself is no cancel";
  }
}

TEST(RUN5_end, keeps_the_log_and_needs_an_open_attempt) {
  driven_run run({container_task("a")});
  const auto end = [&](int job) {
    return code_of(decide_end(run.state, id_of(job), {end_reason::exited, 0}));
  };
  EXPECT_EQ(end(0), errc::conflict);
  EXPECT_EQ(end(9), errc::conflict);
  run.start(0);
  const blob_ref log{{}, 12, true};
  run.take(decide_end(run.state, id_of(0), {end_reason::exited, 0, log}));
  EXPECT_EQ(run.job(0).attempts[0].log, log);
  EXPECT_EQ(end(0), errc::conflict);
}

TEST(RUN5_refuse, fails_a_job_that_waits_and_starts_the_run_with_it) {
  driven_run run({container_task("a"), container_task("b")});
  const auto refused = decide_refuse(run.state, id_of(0), end_reason::image_missing);
  EXPECT_EQ(*refused, (run_events{run_started{}, job_finished{id_of(0), job_status::failed,
                                                              end_reason::image_missing}}));
  run.take(refused);
  EXPECT_EQ(decide_refuse(run.state, id_of(1), end_reason::image_changed)->size(), 1U);
  EXPECT_EQ(code_of(decide_refuse(run.state, id_of(0), end_reason::image_missing)), errc::conflict);
  EXPECT_EQ(code_of(decide_refuse(run.state, id_of(9), end_reason::image_missing)),
            errc::not_found);
  run.start(1);
  EXPECT_EQ(code_of(decide_refuse(run.state, id_of(1), end_reason::image_missing)), errc::conflict);
}

TEST(RUN5_cancel, of_a_run_that_nothing_runs_in_ends_it_at_once) {
  EXPECT_EQ(code_of(decide(run_state{}, cancel_run{})), errc::not_found);
  driven_run run({container_task("a"), container_task("b", {"a"})});
  EXPECT_EQ(*decide(run.state, cancel_run{run.state.id}),
            (run_events{run_cancel_requested{},
                        job_finished{id_of(0), job_status::cancelled, end_reason::cancelled},
                        job_finished{id_of(1), job_status::cancelled, end_reason::cancelled},
                        run_finished{run_status::cancelled}}));
  run.cancel();
  EXPECT_EQ(run.state.status, run_status::cancelled);
  EXPECT_FALSE(run.state.started_at);
  EXPECT_EQ(code_of(decide(run.state, cancel_run{run.state.id})), errc::conflict);
}

TEST(RUN5_cancel, lets_what_runs_end_first_and_twice_makes_no_event) {
  driven_run run({container_task("a"), container_task("b", {"a"})});
  run.start(0);
  run.cancel();
  EXPECT_EQ(run.status(1), job_status::cancelled);
  EXPECT_EQ(run.state.status, run_status::running);
  EXPECT_TRUE(decide(run.state, cancel_run{run.state.id})->empty());
  EXPECT_TRUE(run.startable().empty());
  run.end(0, end_reason::cancelled, 143);
  EXPECT_EQ(run.status(0), job_status::cancelled);
  run.next();
  EXPECT_EQ(run.state.status, run_status::cancelled);
}

TEST(RUN5_cancel, ends_a_job_that_waits_for_its_next_try) {
  directive_limits limits;
  limits.retries = 3;
  driven_run run({container_task("a")}, limits);
  run.start(0);
  run.fail(0);
  run.cancel();
  EXPECT_EQ(run.status(0), job_status::cancelled);
  EXPECT_EQ(run.state.status, run_status::cancelled);
  run.next();
  EXPECT_EQ(run.wake_at(), 0);
}

TEST(RUN5_cancel, that_comes_after_the_last_job_changes_no_result) {
  for (const bool good : {true, false}) {
    driven_run run({container_task("a")});
    run.start(0);
    good ? run.succeed(0) : run.fail(0);
    run.cancel();
    EXPECT_EQ(run.state.status, good ? run_status::success : run_status::failed);
  }
  driven_run saved({container_task("a")});
  saved.start(0);
  saved.cancel();
  saved.succeed(0);
  saved.next();
  EXPECT_EQ(saved.state.status, run_status::success) << "it was done before the signal came";
}

}  // namespace
