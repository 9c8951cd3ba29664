// P10: twelve named steps of an attempt, and at each one the server is killed, the engine is
// killed, or the leader stands still for ten seconds while a standby goes on. The server stops
// itself at the step (base/test_point.hpp), so that the fault falls right there. What was executed
// is counted by what the containers wrote, and held against what the log says.
//
// The cells of one fault are carried out side by side (tests/support/crash_cell.hpp), a few at a
// time: what they cost is mostly waiting. REEVE_CHAOS_REPEATS says how often each is repeated.

#include "tests/support/chaos.hpp"
#include "tests/support/crash_cell.hpp"
#include "tests/support/exit_codes.hpp"
#include "tests/support/planted.hpp"

#include <gtest/gtest.h>
#include <map>
#include <set>

using nlohmann::json;
using support::crash_cell;
using support::exit_fenced;
using support::fault;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t side_by_side = 4;

struct cell {
  std::string step;
  fault what = fault::server;
  int repeat = 0;

  std::string name() const {
    static constexpr const char* names[] = {"server_killed", "engine_killed", "leader_stopped"};
    return step + "_" + names[static_cast<int>(what)] + "_" + std::to_string(repeat);
  }
};

void PrintTo(const cell& c, std::ostream* out) {
  *out << c.name();
}

/// Cells of one fault follow each other, so that every shard has some of each.
std::vector<cell> cells() {
  std::vector<cell> found;
  for (int n = 0; n < support::chaos_repeats(); ++n) {
    for (const auto what : {fault::leader, fault::engine, fault::server}) {
      for (const auto& step : support::crash_steps) found.push_back({step, what, n});
    }
  }
  return found;
}

/// One line of JSON for all cells, at the end of the program.
class report : public testing::Environment {
 public:
  void TearDown() override { support::tell_row("crash matrix", good_, run_, run_); }
  static inline int run_ = 0;
  static inline int good_ = 0;
};
[[maybe_unused]] const auto* const reporting = testing::AddGlobalTestEnvironment(new report);

/// The names of the tests of this suite that this process runs.
std::set<std::string> names_to_run() {
  std::set<std::string> names;
  const auto* all = testing::UnitTest::GetInstance();
  for (int n = 0; n < all->total_test_suite_count(); ++n) {
    const auto* suite = all->GetTestSuite(n);
    if (std::string(suite->name()) != "P10/P10_crash_matrix") continue;
    for (int i = 0; i < suite->total_test_count(); ++i) {
      const std::string name = suite->GetTestInfo(i)->name();
      if (suite->GetTestInfo(i)->should_run()) names.insert(name.substr(name.find('/') + 1));
    }
  }
  return names;
}

/// What was seen of a cell. The first one that is asked for is carried out with those that follow.
const support::crash_facts& seen_of(const cell& asked) {
  static std::map<std::string, support::crash_facts> known;
  if (!known.contains(asked.name())) {
    static const auto wanted = names_to_run();
    std::vector<std::string> steps{asked.step};
    std::vector<std::string> names{asked.name()};
    for (const auto& one : cells()) {
      if (names.size() == side_by_side) break;
      const bool fits = one.what == asked.what && one.repeat == asked.repeat;
      if (!fits || one.step == asked.step || known.contains(one.name())) continue;
      if (!wanted.contains(one.name())) continue;
      steps.push_back(one.step);
      names.push_back(one.name());
    }
    auto seen = support::crash_together(asked.what, steps);
    for (std::size_t i = 0; i < names.size(); ++i) known[names[i]] = std::move(seen[i]);
  }
  return known.at(asked.name());
}

class P10_crash_matrix : public testing::TestWithParam<cell> {
 protected:
  P10_crash_matrix() { ++report::run_; }
  ~P10_crash_matrix() override {
    if (!HasFailure()) ++report::good_;
  }
};

void expect_leader_came_too_late(const support::crash_facts& seen) {
  EXPECT_EQ(seen.exit_status, exit_fenced);
  EXPECT_EQ(seen.executed_at_last, seen.executed) << "the old leader started it again";
  // Container, marker and volume outlive the lease of the one that stood still.
  EXPECT_GE(seen.volume_stayed_for, 3s);
}

}  // namespace

TEST_P(P10_crash_matrix, executes_what_the_log_tells) {
  REEVE_TEST_TIME_LIMIT(120);
  const auto& seen = seen_of(GetParam());
  SCOPED_TRACE(seen.log);
  ASSERT_EQ(seen.trouble, "");
  EXPECT_LE(seen.executed_at_stop, seen.intended_at_stop) << "a start before its intent";
  const json job = support::job_named(seen.run, "count");
  const std::string status = job.at("status");
  SCOPED_TRACE(job.at("attempts").dump());
  EXPECT_EQ(job.at("attempts").size(), 1U);
  EXPECT_EQ(seen.intended, 1);
  EXPECT_LE(seen.executed, 1);
  if (status == "success") {
    EXPECT_EQ(seen.executed, 1);
  }
  const bool cancelled = GetParam().step == "cancel";
  // An engine that died may have lost the end. Nothing else excuses an unknown outcome.
  if (GetParam().what != fault::engine) {
    EXPECT_EQ(status, cancelled ? "cancelled" : "success");
  }
  EXPECT_FALSE(seen.left_an_orphan);
  if (GetParam().what == fault::leader) expect_leader_came_too_late(seen);
}

INSTANTIATE_TEST_SUITE_P(P10, P10_crash_matrix, testing::ValuesIn(cells()),
                         [](const auto& info) { return info.param.name(); });

// The test of the test: with a program whose intents come after the starts, the cells at which a
// container runs see it.
TEST(P10_planted_defect, of_a_start_before_its_intent_is_seen_by_the_crash_matrix) {
  REEVE_TEST_TIME_LIMIT(60);
  const support::other_program planted(support::planted_program());
  crash_cell one(fault::server, "after_start", support::real_engine(),
                 {{"REEVE_TEST_DEFECT", "start_before_intent"}});
  one.begin();
  one.launch();
  one.await_step();
  EXPECT_EQ(one.facts().executed_at_stop, 1);
  EXPECT_EQ(one.facts().intended_at_stop, 0) << "the defect was not seen";
}
