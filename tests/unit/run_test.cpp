// The run aggregate: what may be launched, what comes next, how attempts and runs end.

#include "domain/run.hpp"

#include <gtest/gtest.h>
#include <random>

namespace {

using namespace reeve;
using namespace reeve::domain;

uuid id_of(int n) {
  uuid id;
  id.bytes[0] = 1;
  id.bytes[14] = static_cast<std::uint8_t>(n >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}

task_spec container(const std::string& name, std::vector<std::string> needs = {}) {
  task_spec t;
  t.kind = task_kind::container;
  t.name = name;
  t.needs = std::move(needs);
  t.params.image = "localhost:1/box:1";
  t.params.command = std::vector<std::string>{"true"};
  return t;
}

image_list_state allowing(const std::string& reference) {
  image_list_state list;
  const auto events = decide_allow(list, image_allowed{id_of(900), reference, {}, false, ""});
  evolve(list, events->front(), {{1, 1, 1}, id_of(1), "test"});
  return list;
}

/// A run that is driven by its own decisions, as its actor does.
class driven_run {
 public:
  explicit driven_run(std::vector<task_spec> tasks, directive_limits limits = {}) {
    launch_command c;
    c.run = id_of(100);
    for (std::size_t i = 0; i < tasks.size(); ++i) c.jobs.push_back(id_of(static_cast<int>(i)));
    c.directive.name = "d";
    c.directive.tasks = std::move(tasks);
    c.directive.limits = limits;
    c.engine = "docker";
    take(decide_launch(state, c, allowing("localhost:1/box:1"), {}, "/tasks"));
  }
  void take(const outcome<run_events>& events) {
    ASSERT_TRUE(events) << events.error().detail;
    for (const auto& e : *events) {
      ++written;
      evolve(state, e, {{written, state.stream_version + 1, now + written}, id_of(1), "test"});
      history.push_back(e);
    }
  }
  run_plan next() {
    auto p = plan(state, now);
    take(p.events);
    return plan(state, now);
  }
  void start(int job) { take(decide_intend(state, id_of(job), now, "c", "i", "sha256:x")); }
  void end(int job, end_reason why = end_reason::exited, std::int64_t code = 0) {
    take(decide_end(state, id_of(job), why, code, {}, now));
  }
  job_status status(int job) const { return state.find(id_of(job))->status; }

  run_state state;
  run_events history;
  domain::position written = 0;
  time_us now = 1'000'000'000;
};

TEST(RUN2_launch, keeps_the_snapshot_by_value_and_makes_a_job_per_task) {
  driven_run run({container("a"), container("b")});
  ASSERT_EQ(run.state.jobs.size(), 2U);
  EXPECT_EQ(run.state.launch.directive.tasks[1].name, "b");
  EXPECT_EQ(run.state.status, run_status::pending);
}

TEST(RUN3_launch, names_what_is_wrong_and_writes_nothing) {
  const auto images = allowing("localhost:1/box:1");
  launch_command c;
  c.directive.name = "d";
  const auto refused = [&](std::vector<task_spec> tasks) {
    c.directive.tasks = std::move(tasks);
    c.jobs.assign(c.directive.tasks.size(), id_of(1));
    return decide_launch({}, c, images, {}, "/tasks").error();
  };
  EXPECT_EQ(refused({}).field, "/tasks");
  EXPECT_EQ(refused({container("a"), container("a")}).field, "/tasks/1/name");
  EXPECT_EQ(refused({container("a", {"b"})}).field, "/tasks/0/needs/0");
  EXPECT_EQ(refused({container("a", {"b"}), container("b", {"a"})}).field, "/tasks");
  auto unlisted = container("a");
  unlisted.params.image = "localhost:1/other:1";
  EXPECT_EQ(refused({unlisted}).field, "/tasks/0/params/image");
  EXPECT_EQ(refused({unlisted}).code, errc::not_allowlisted);
  auto host = container("a");
  host.params.network = "host";
  EXPECT_EQ(refused({host}).field, "/tasks/0/params/network");
  auto foreign = container("a");
  foreign.params.max_lines = 3;
  EXPECT_EQ(refused({foreign}).field, "/tasks/0/params/max_lines");
  auto mounted = container("a");
  mounted.params.mounts = std::vector<mount_spec>{{"/srv/../etc", "/x", true}};
  EXPECT_EQ(refused({mounted}).field, "/tasks/0/params/mounts/0/source");
}

TEST(RUN5_plan, follows_needs_through_a_diamond) {
  driven_run run(
      {container("a"), container("b", {"a"}), container("c", {"a"}), container("d", {"b", "c"})});
  EXPECT_EQ(run.next().startable, std::vector<uuid>{id_of(0)});
  run.start(0);
  EXPECT_EQ(run.state.status, run_status::running);
  EXPECT_TRUE(run.next().startable.empty());
  run.end(0);
  EXPECT_EQ(run.next().startable, (std::vector<uuid>{id_of(1), id_of(2)}));
  run.start(1);
  run.start(2);
  run.end(1);
  EXPECT_TRUE(run.next().startable.empty());
  run.end(2);
  EXPECT_EQ(run.next().startable, std::vector<uuid>{id_of(3)});
  run.start(3);
  run.end(3);
  run.next();
  EXPECT_EQ(run.state.status, run_status::success);
}

TEST(RUN5_plan, a_failed_need_cancels_what_depends_on_it_in_turn) {
  driven_run run({container("a"), container("b", {"a"}), container("c", {"b"}), container("d")});
  run.start(0);
  run.start(3);
  run.end(3);
  run.end(0, end_reason::exited, 1);
  run.next();
  EXPECT_EQ(run.status(1), job_status::cancelled);
  EXPECT_EQ(run.status(2), job_status::cancelled);
  EXPECT_EQ(run.state.find(id_of(2))->reason, end_reason::need_failed);
  EXPECT_EQ(run.state.status, run_status::partial);
}

TEST(RUN5_plan, keeps_to_the_parallel_limit_and_prefers_priority) {
  directive_limits limits;
  limits.max_parallel = 2;
  auto urgent = container("z");
  urgent.priority = 5;
  driven_run run({container("a"), container("b"), urgent}, limits);
  EXPECT_EQ(run.next().startable, (std::vector<uuid>{id_of(2), id_of(0)}));
  run.start(2);
  EXPECT_EQ(run.next().startable, std::vector<uuid>{id_of(0)});
  run.start(0);
  EXPECT_TRUE(run.next().startable.empty());
}

TEST(RUN5_retry, backs_off_exponentially_and_then_fails) {
  directive_limits limits;
  limits.retries = 2;
  limits.retry_base_ms = 1000;
  driven_run run({container("a")}, limits);
  for (const std::int64_t seconds : {1, 2}) {
    run.start(0);
    run.end(0, end_reason::exited, 7);
    EXPECT_EQ(run.status(0), job_status::pending);
    const auto p = run.next();
    EXPECT_TRUE(p.startable.empty());
    EXPECT_EQ(p.wake_at, run.now + seconds * us_per_second);
    run.now = p.wake_at;
  }
  run.start(0);
  run.end(0, end_reason::exited, 7);
  run.next();
  EXPECT_EQ(run.status(0), job_status::failed);
  EXPECT_EQ(run.state.find(id_of(0))->attempts.size(), 3U);
  EXPECT_EQ(run.state.status, run_status::failed);
}

TEST(RUN5_retry, never_follows_an_outcome_that_nobody_knows) {
  directive_limits limits;
  limits.retries = 10;
  for (const auto why : {end_reason::outcome_unknown, end_reason::not_allowlisted,
                         end_reason::image_changed, end_reason::second_start}) {
    driven_run run({container("a")}, limits);
    run.start(0);
    run.end(0, why);
    EXPECT_EQ(run.status(0), job_status::failed) << name_of(why);
    EXPECT_EQ(run.state.find(id_of(0))->reason, why);
  }
}

TEST(RUN5_cancel, ends_what_waits_and_then_what_runs) {
  driven_run run({container("a"), container("b", {"a"})});
  run.start(0);
  run.take(decide_cancel(run.state));
  EXPECT_EQ(run.status(1), job_status::cancelled);
  EXPECT_TRUE(run.next().startable.empty());
  EXPECT_EQ(run.state.status, run_status::running);
  run.end(0, end_reason::exited, 137);
  EXPECT_EQ(run.status(0), job_status::cancelled);
  run.next();
  EXPECT_EQ(run.state.status, run_status::cancelled);
  EXPECT_EQ(decide_cancel(run.state).error().code, errc::conflict);
  EXPECT_FALSE(decide_intend(run.state, id_of(1), run.now, {}, {}, {}));
}

TEST(RUN5_cancel, of_a_pending_run_ends_it_at_once_and_twice_changes_nothing) {
  driven_run run({container("a")});
  run.take(decide_cancel(run.state));
  EXPECT_EQ(run.state.status, run_status::cancelled);
  driven_run other({container("a")});
  other.start(0);
  other.take(decide_cancel(other.state));
  EXPECT_TRUE(decide_cancel(other.state)->empty());
}

TEST(RUN7_names, are_deterministic) {
  const auto tenant = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
  EXPECT_EQ(container_name_of(tenant, id_of(3), 2),
            "reeve-b302099a8057-" + to_string(id_of(3)) + "-a2");
}

/// Whatever ends come in whatever order: one end per job, the run's end once and last, never more
/// running than allowed, attempts numbered from 1.
TEST(P13_run, ends_whatever_happens) {
  const std::uint64_t seed = 20260102;
  std::mt19937_64 random(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (int round = 0; round < 1500; ++round) {
    directive_limits limits;
    limits.max_parallel = 1 + static_cast<std::int64_t>(random() % 3);
    limits.retries = static_cast<std::int64_t>(random() % 3);
    std::vector<task_spec> tasks;
    const auto count = 1 + random() % 5;
    for (std::size_t i = 0; i < count; ++i) {
      auto task = container("t" + std::to_string(i));
      if (i > 0 && random() % 2 == 0) task.needs = {"t" + std::to_string(random() % i)};
      tasks.push_back(task);
    }
    driven_run run(std::move(tasks), limits);
    for (int step = 0; step < 200 && !is_terminal(run.state.status); ++step) {
      const auto p = run.next();
      for (const auto& job : p.startable) {
        random() % 10 == 0 ? run.take(decide_refuse(run.state, job, end_reason::image_missing))
                           : run.take(decide_intend(run.state, job, run.now, "c", "i", "sha256:x"));
      }
      std::int64_t running = 0;
      for (const auto& job : run.state.jobs) running += job.status == job_status::running ? 1 : 0;
      ASSERT_LE(running, limits.max_parallel);
      if (random() % 40 == 0 && !is_terminal(run.state.status)) run.take(decide_cancel(run.state));
      for (const auto& job : std::vector(run.state.jobs)) {
        if (job.status != job_status::running || random() % 2 == 0) continue;
        const auto why = static_cast<end_reason>(random() % 17);
        run.take(decide_end(run.state, job.id, why, static_cast<std::int64_t>(random() % 2), {},
                            run.now));
      }
      if (p.wake_at > run.now) run.now = p.wake_at;
    }
    ASSERT_TRUE(is_terminal(run.state.status));
    std::map<uuid, int> ends;
    int over = 0;
    for (const auto& e : run.history) {
      if (const auto* f = std::get_if<job_finished>(&e)) ++ends[f->job];
      over += std::holds_alternative<run_finished>(e) ? 1 : 0;
    }
    EXPECT_EQ(over, 1);
    EXPECT_TRUE(std::holds_alternative<run_finished>(run.history.back()));
    for (const auto& job : run.state.jobs) {
      EXPECT_EQ(ends[job.id], 1);
      for (std::size_t a = 0; a < job.attempts.size(); ++a) {
        EXPECT_EQ(job.attempts[a].number, static_cast<std::int64_t>(a) + 1);
      }
    }
  }
}

}  // namespace
