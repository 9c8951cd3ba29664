// A run against its rules: whatever ends, refusals, cancels, crashes and clocks come in whatever
// order, what must always hold holds.

#include "tests/unit/domain/runs/run_steps.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::driven_run;
using steps::id_of;

constexpr int enough_steps = 30'000;

class chance {
 public:
  explicit chance(std::uint64_t seed) : random_(seed) {}
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % limit(n)); }
  bool one_in(std::int64_t n) { return below(n) == 0; }

 private:
  static std::uint64_t limit(std::int64_t n) { return static_cast<std::uint64_t>(n); }
  std::mt19937_64 random_;
};

std::vector<task_spec> some_tasks(chance& dice) {
  std::vector<task_spec> tasks;
  const auto count = 1 + dice.below(7);
  for (std::int64_t i = 0; i < count; ++i) {
    auto task = steps::container_task("t" + std::to_string(i));
    for (std::int64_t n = 0; n < i; ++n) {
      if (dice.one_in(3)) task.needs.push_back("t" + std::to_string(n));
    }
    if (dice.one_in(3)) task.retries = dice.below(4);
    task.priority = dice.below(5) - 2;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

directive_limits some_limits(chance& dice) {
  directive_limits limits;
  limits.max_parallel = 1 + dice.below(4);
  limits.retries = dice.below(3);
  limits.retry_base_ms = 10 + dice.below(300'000);
  return limits;
}

bool follows(job_status from, job_status to) {
  if (from == to) return true;
  if (is_terminal(from)) return false;
  // A retry puts a running job back among those that wait.
  if (from == job_status::running) return to != job_status::running;
  return to != job_status::success;
}

bool follows(run_status from, run_status to) {
  if (from == to) return true;
  if (is_terminal(from)) return false;
  if (from == run_status::pending) return to == run_status::running || to == run_status::cancelled;
  return to != run_status::pending;
}

/// Holds after each event, between the state before it and the one after.
void expect_step(const run_state& before, const run_state& after) {
  EXPECT_TRUE(follows(before.status, after.status))
      << name_of(before.status) << " -> " << name_of(after.status);
  if (before.jobs.empty()) return;
  std::int64_t running = 0;
  for (std::size_t i = 0; i < after.jobs.size(); ++i) {
    const auto& job = after.jobs[i];
    EXPECT_TRUE(follows(before.jobs[i].status, job.status))
        << name_of(before.jobs[i].status) << " -> " << name_of(job.status);
    EXPECT_EQ(is_terminal(job.status), job.reason.has_value());
    EXPECT_EQ(is_terminal(job.status), job.finished_at.has_value());
    for (std::size_t a = 0; a < job.attempts.size(); ++a) {
      EXPECT_EQ(job.attempts[a].number, static_cast<std::int64_t>(a) + 1);
      EXPECT_TRUE(a + 1 == job.attempts.size() || !job.attempts[a].is_open());
    }
    if (is_terminal(job.status)) {
      EXPECT_EQ(job.open_attempt(), nullptr);
    }
    running += job.status == job_status::running ? 1 : 0;
  }
  EXPECT_LE(running, after.launch->directive.limits.max_parallel);
}

/// Holds for the whole history of a run that is over.
void expect_history(const driven_run& run) {
  std::map<uuid, int> ends;
  int starts = 0;
  int overs = 0;
  for (const auto& e : run.history) {
    if (const auto* f = std::get_if<job_finished>(&e)) ++ends[f->job];
    starts += std::holds_alternative<run_started>(e) ? 1 : 0;
    overs += std::holds_alternative<run_finished>(e) ? 1 : 0;
  }
  EXPECT_LE(starts, 1);
  EXPECT_EQ(overs, 1);
  EXPECT_TRUE(std::holds_alternative<run_finished>(run.history.back()));
  std::int64_t good = 0;
  for (const auto& job : run.state.jobs) {
    EXPECT_EQ(ends[job.id], 1);
    EXPECT_TRUE(is_terminal(job.status));
    good += job.status == job_status::success ? 1 : 0;
    const auto& task = run.state.task_of(job);
    const auto retries = task.retries.value_or(run.state.launch->directive.limits.retries);
    EXPECT_LE(static_cast<std::int64_t>(job.attempts.size()), retries + 1);
    for (const auto& need : task.needs) {
      const auto n = std::stoi(need.substr(1));
      if (!job.attempts.empty()) {
        EXPECT_EQ(run.status(n), job_status::success);
      }
    }
  }
  const auto count = static_cast<std::int64_t>(run.state.jobs.size());
  EXPECT_EQ(run.state.status == run_status::success, good == count);
  if (run.state.status == run_status::partial) {
    EXPECT_GT(good, 0);
  }
  if (run.state.status == run_status::failed) {
    EXPECT_EQ(good, 0);
  }
  if (run.state.status == run_status::cancelled) {
    EXPECT_TRUE(run.state.cancel_requested);
  }
}

/// The state of a history, event by event, each step checked.
run_state folded(const driven_run& run) {
  run_state state;
  for (std::size_t i = 0; i < run.history.size(); ++i) {
    const auto before = state;
    const auto n = static_cast<std::int64_t>(i) + 1;
    EXPECT_NO_THROW(evolve(state, run.history[i], {{n, n, 1}, steps::tenant, steps::writer}));
    expect_step(before, state);
  }
  return state;
}

std::vector<uuid> with_status(const run_state& state, job_status status) {
  std::vector<uuid> found;
  for (const auto& job : state.jobs) {
    if (job.status == status) found.push_back(job.id);
  }
  return found;
}

/// Anything that the world may do to a run, sensible or not.
void one_step(driven_run& run, chance& dice) {
  const auto p = run.next();
  if (is_terminal(run.state.status)) return;
  const auto running = with_status(run.state, job_status::running);
  const auto any = id_of(static_cast<int>(dice.below(9)));
  switch (dice.below(12)) {
    case 0:
      if (dice.one_in(6) && !is_terminal(run.state.status)) run.cancel();
      break;
    case 1:
      run.now = std::max(run.now + dice.below(1000), run.wake_at());
      break;
    case 2: {  // commands that come too late or for nobody change nothing when they are refused
      const auto before = run.state;
      const auto why = end_reason::exited;
      if (auto e = decide_end(run.state, any, {why, dice.below(2)})) run.take(e);
      if (p.startable.empty() && running.empty()) {
        EXPECT_FALSE(decide_end(before, any, {why, 0}));
      }
      break;
    }
    case 3:
      if (auto e = decide_refuse(run.state, any, end_reason::image_missing)) run.take(e);
      break;
    case 4:
      run.take(run_events{work_attempted{any, dice.below(3), 1}});
      break;
    case 5:
    case 6:
    case 7:
      if (!running.empty()) {
        const auto job = running[static_cast<std::size_t>(dice.below(8)) % running.size()];
        const auto why = static_cast<end_reason>(dice.below(17));
        run.take(decide_end(run.state, job, {why, dice.below(2)}));
      }
      break;
    default:
      if (!p.startable.empty()) {
        run.take(decide_intend(run.state, p.startable.front(), steps::intent_on()));
      }
  }
}

TEST(P13_model, of_a_run_holds_in_any_order_of_events) {
  const char* wanted = std::getenv("REEVE_TEST_SEED");
  const std::uint64_t seed = wanted ? std::strtoull(wanted, nullptr, 10) : 20'261'121;
  SCOPED_TRACE("REEVE_TEST_SEED=" + std::to_string(seed));
  std::cout << "seed " << seed << "\n";
  chance dice(seed);
  std::map<run_status, int> ends;
  int steps_done = 0;
  while (steps_done < enough_steps && !testing::Test::HasFailure()) {
    auto tasks = some_tasks(dice);
    driven_run run(std::move(tasks), some_limits(dice));
    for (int i = 0; !is_terminal(run.state.status); ++i, ++steps_done) {
      ASSERT_LT(i, 5000) << "the run does not end";
      one_step(run, dice);
    }
    expect_history(run);
    const auto again = folded(run);
    EXPECT_EQ(again.status, run.state.status);
    ++ends[again.status];
  }
  EXPECT_EQ(ends.size(), 4U) << "every end was reached, or the dice are loaded";
}

}  // namespace
