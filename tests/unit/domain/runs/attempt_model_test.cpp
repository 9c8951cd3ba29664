// RUN7: a container's attempt in random worlds: an engine that fails, lies low, is cut off or
// replaced, people who stop, restart and remove what runs, a server that dies between any two
// steps, clients that cancel. The seed is printed; REEVE_TEST_SEED repeats a run. Planted defects
// show that the rules would notice.
#include "tests/unit/domain/runs/attempt_world.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <ostream>
#include <string>

namespace {

using namespace reeve::domain;
using namespace reeve::domain::attempts;
using attempt_world::defect;
using attempt_world::world;

std::uint64_t seed() {
  const char* wanted = std::getenv("REEVE_TEST_SEED");
  return wanted ? std::strtoull(wanted, nullptr, 10) : 20'261'128;
}

struct totals {
  std::int64_t steps = 0;
  std::map<std::string, int> ends;
  std::string wrong;
};

totals live(std::int64_t enough, const defect* planted) {
  totals sums;
  std::uint64_t one = seed();
  while (sums.steps < enough && sums.wrong.empty()) {
    world w(one, planted);
    w.live();
    sums.steps += w.steps();
    ++sums.ends[w.end()];
    if (!w.wrong().empty()) sums.wrong = w.wrong() + " (seed " + std::to_string(one) + ")";
    ++one;
  }
  return sums;
}

TEST(RUN7_model, of_an_attempt_holds_whatever_happens) {
  std::cout << "seed " << seed() << "\n";
  const auto sums = live(100'000, nullptr);
  EXPECT_EQ(sums.wrong, "");
  for (const char* end : {"exited", "timed_out", "cancelled", "outcome_unknown", "second_start",
                          "engine_refused", "out_of_memory", "quarantined", "no attempt"}) {
    EXPECT_GT(sums.ends.count(end), 0U) << "never reached: " << end;
  }
}

write_end ended_as(end_reason why) {
  write_end end;
  end.why = why;
  return end;
}

const defect defects[] = {
    {"starts_before_its_intent",
     [](std::vector<effect>& effects, const state& /*s*/) {
       for (auto& e : effects) {
         if (std::holds_alternative<write_intent>(e)) e = submit{};
       }
     },
     {}},
    {"counts_a_crash_before_the_engine_is_there",
     [](std::vector<effect>& effects, const state& /*s*/) {
       for (auto& e : effects) {
         if (std::holds_alternative<reach>(e)) e = write_work{1};
       }
     },
     {}},
    {"starts_again_after_an_unclear_answer",
     {},
     [](input& what, const state& s) {
       const auto* lost = std::get_if<failed>(&what);
       if (lost && s.phase == phase::submitting) what = failed{failure::busy};
     }},
    {"takes_the_end_of_another_execution",
     {},
     [](input& what, const state& s) {
       auto* seen = std::get_if<found>(&what);
       if (seen && s.phase == phase::verifying && s.seen) {
         seen->what.started_at = s.seen->started_at;
         seen->what.phase = execution_phase::ended;
         seen->where = found_where::here;
       }
     }},
    {"counts_a_stop_that_came_too_late",
     {},
     [](input& what, const state& /*s*/) {
       if (auto* one = std::get_if<stopped>(&what)) one->was_running = true;
     }},
    {"forgets_to_ask_again",
     [](std::vector<effect>& effects, const state& s) {
       if (!s.waiting) return;
       std::erase_if(effects, [](const effect& e) { return std::holds_alternative<set_timer>(e); });
     },
     {}},
    {"calls_a_log_whole_whose_end_nobody_watched",
     [](std::vector<effect>& effects, const state& /*s*/) {
       for (auto& e : effects) {
         if (auto* end = std::get_if<write_end>(&e)) end->log_incomplete = false;
       }
     },
     {}},
    {"throws_away_the_output_of_what_was_restarted",
     [](std::vector<effect>& effects, const state& s) {
       if (!s.verdict) return;
       for (auto& e : effects) {
         if (std::holds_alternative<collect>(e)) e = ended_as(*s.verdict);
       }
     },
     {}},
    {"ends_twice",
     [](std::vector<effect>& effects, const state& /*s*/) {
       for (const auto& e : std::vector<effect>(effects)) {
         if (std::holds_alternative<write_end>(e)) effects.push_back(e);
       }
     },
     {}},
};

class attempt_defect : public testing::TestWithParam<defect> {};

TEST_P(attempt_defect, is_found) {
  EXPECT_NE(live(100'000, &GetParam()).wrong, "");
}

INSTANTIATE_TEST_SUITE_P(RUN7_model, attempt_defect, testing::ValuesIn(defects),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
