// A planted defect, switched on by REEVE_TEST_DEFECT=start_before_intent: the intent of an attempt
// counts as written when it is decided, and goes to the log a minute later.

#include "actors/runs/attempt_runner.hpp"

#include "actors/continuation.hpp"
#include "base/test_point.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

namespace reeve::actors {
namespace {

bool is_planted() {
  const char* text = std::getenv("REEVE_TEST_DEFECT");
  return text != nullptr && std::string_view(text) == "start_before_intent";
}

/// The guarded decision of an attempt is its intent. What is decided in its place is nothing.
run_machine::decision late(run_machine& run, run_machine::decision d) {
  if (d.guard.empty() || !is_planted()) return d;
  const auto then = std::exchange(d.then, nullptr);
  run.after(std::chrono::milliseconds(0), [then] { then(done{}); });
  run.after(std::chrono::minutes(1), [&run, d] { run.decide(d); });
  run_machine::decision nothing;
  nothing.decide = [](const auto&) -> outcome<domain::run_events> { return domain::run_events{}; };
  return nothing;
}

}  // namespace
}  // namespace reeve::actors

#define decide(what) decide(late(run_, what))
#include "actors/runs/attempt_runner.cpp"
