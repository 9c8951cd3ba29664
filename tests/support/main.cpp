// The acceptance tests' main: GoogleTest with a limit of time for every test.

#include "tests/support/watchdog.hpp"

#include <gmock/gmock.h>
#include <signal.h>

int main(int argc, char** argv) {
  // A peer that closes early is an answer that a test looks at, no reason to die.
  ::signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleMock(&argc, argv);
  support::install_watchdog();
  return RUN_ALL_TESTS();
}
