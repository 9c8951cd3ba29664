// Not a defect but a machine whose clock is wrong: the wall clock runs ahead by
// REEVE_TEST_CLOCK_AHEAD_S seconds, the monotonic one as ever.

#include "base/time.hpp"

#include <cstdlib>

#define real_clock clock_of_the_machine
#include "base/time.cpp"
#undef real_clock

namespace reeve {
namespace {

class clock_ahead final : public clock_port {
 public:
  clock_ahead() {
    const char* text = std::getenv("REEVE_TEST_CLOCK_AHEAD_S");
    if (text != nullptr) ahead_us_ = std::atoll(text) * us_per_second;
  }
  time_us now_us() override { return clock_of_the_machine().now_us() + ahead_us_; }
  std::int64_t mono_us() override { return clock_of_the_machine().mono_us(); }

 private:
  time_us ahead_us_ = 0;
};

}  // namespace

clock_port& real_clock() {
  static clock_ahead clock;
  return clock;
}

}  // namespace reeve
