#pragma once
// The limit of time of every single test: 30 s, and 90 s on the engine that all tests share, where
// each waits for the containers of the others. When it passes, everything that registered here is
// dumped and the process is aborted (its children die with it).

#include <chrono>
#include <functional>
#include <string>

namespace support {

/// Gives the running test another limit, counted from now; the next test has 30 s again.
void allow_time(std::chrono::seconds limit);
/// So much from now at least: what made a test ready says nothing about it.
void leave_time(std::chrono::seconds limit);

/// While it lives, `describe()` is asked when a test runs out of time. It must not throw.
class dump_on_expiry {
 public:
  explicit dump_on_expiry(std::function<std::string()> describe);
  ~dump_on_expiry();
  dump_on_expiry(const dump_on_expiry&) = delete;
  dump_on_expiry& operator=(const dump_on_expiry&) = delete;
};

/// True while the running test has failed or is being left by an exception.
bool test_is_failing();

/// To be called once, before the tests run.
void install_watchdog();

}  // namespace support

/// The first line of a test that takes long on purpose.
#define REEVE_TEST_TIME_LIMIT(limit_s) ::support::allow_time(std::chrono::seconds(limit_s))
