#include "tests/support/watchdog.hpp"

#include "tests/support/environment.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <thread>

namespace support {

namespace {

using steady = std::chrono::steady_clock;
constexpr std::chrono::seconds usual_limit{30};

struct watch {
  std::mutex lock;
  std::condition_variable changed;
  std::string test;  // empty between tests
  steady::time_point end;
  std::map<const void*, std::function<std::string()>> dumps;
};

/// Never destroyed: its thread runs until the process ends.
watch& the_watch() {
  static watch& only = *new watch;
  return only;
}

void begin(const std::string& test, std::chrono::seconds limit) {
  watch& w = the_watch();
  const std::lock_guard guard(w.lock);
  if (!test.empty()) w.test = test;
  w.end = steady::now() + limit * time_factor();
  w.changed.notify_one();
}

class listener : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& info) override {
    begin(std::string(info.test_suite_name()) + "." + info.name(), usual_limit);
  }
  void OnTestEnd(const testing::TestInfo&) override {
    watch& w = the_watch();
    const std::lock_guard guard(w.lock);
    w.test.clear();
    w.changed.notify_one();
  }
};

void stand_guard() {
  watch& w = the_watch();
  std::unique_lock guard(w.lock);
  for (;;) {
    w.changed.wait_until(guard, w.test.empty() ? steady::now() + usual_limit : w.end);
    if (w.test.empty() || steady::now() < w.end) continue;
    std::fprintf(stderr, "\n%s ran out of time.\n", w.test.c_str());
    for (const auto& [owner, describe] : w.dumps) {
      std::fprintf(stderr, "%s\n", describe().c_str());
    }
    std::fprintf(stderr, "[  FAILED  ] %s\n", w.test.c_str());
    std::fflush(nullptr);
    std::abort();
  }
}

}  // namespace

void allow_time(std::chrono::seconds limit) {
  begin({}, limit);
}

void leave_time(std::chrono::seconds limit) {
  watch& w = the_watch();
  const std::lock_guard guard(w.lock);
  w.end = std::max(w.end, steady::now() + limit * time_factor());
  w.changed.notify_one();
}

dump_on_expiry::dump_on_expiry(std::function<std::string()> describe) {
  const std::lock_guard guard(the_watch().lock);
  the_watch().dumps[this] = std::move(describe);
}

dump_on_expiry::~dump_on_expiry() {
  const std::lock_guard guard(the_watch().lock);
  the_watch().dumps.erase(this);
}

bool test_is_failing() {
  return testing::Test::HasFailure() || std::uncaught_exceptions() > 0;
}

void install_watchdog() {
  testing::UnitTest::GetInstance()->listeners().Append(new listener);
  std::thread(stand_guard).detach();
}

}  // namespace support
