// Whatever is active in the log and has no actor gets one.

#include "actors/runs/run_sweep.hpp"

#include "base/ids.hpp"
#include "tests/support/eventually.hpp"

#include <atomic>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <gtest/gtest.h>
#include <map>
#include <mutex>

namespace {

using namespace reeve;
using namespace reeve::actors;
using namespace std::chrono_literals;

class RUN7_sweep : public testing::Test {
 protected:
  run_sweep_args args() {
    run_sweep_args a;
    a.registry = &registry;
    a.every = 10ms;
    a.active_runs = [this]() -> outcome<std::vector<active_run>> {
      if (broken) return reject(errc::unavailable, "as told");
      std::lock_guard lock(mutex);
      return active;
    };
    a.spawn = [this](active_run run) {
      std::lock_guard lock(mutex);
      ++spawned[run.run];
    };
    return a;
  }
  int spawned_of(const uuid& run) {
    std::lock_guard lock(mutex);
    return spawned[run];
  }

  caf::actor_system_config config;
  caf::actor_system system{config};
  run_registry registry;
  std::mutex mutex;
  std::vector<active_run> active;
  std::map<uuid, int> spawned;
  std::atomic<bool> broken{false};
  std::atomic<bool> up{false};
};

}  // namespace

TEST_F(RUN7_sweep, starts_what_has_no_actor_again_and_again) {
  const uuid first = real_ids().next(), second = real_ids().next(), known = real_ids().next();
  active = {{system_tenant, first}, {system_tenant, known}};
  auto here = system.spawn([](caf::event_based_actor*) { return caf::behavior{[](int) {}}; });
  registry.enter(system_tenant, known, here);
  auto sweep = system.spawn<caf::detached>([this](caf::event_based_actor* self) {
    return run_sweep_actor(self, args(), [this] { up = true; });
  });
  ASSERT_TRUE(support::eventually(support::patience, [&] {
    return up.load() && spawned_of(first) >= 2;
  })) << "a child that was refused is tried again";
  EXPECT_EQ(spawned_of(known), 0);
  {
    std::lock_guard lock(mutex);
    active.push_back({system_tenant, second});  // a launch whose commit was in doubt
  }
  EXPECT_TRUE(support::eventually(support::patience, [&] { return spawned_of(second) >= 1; }));
  // A log that is away for a while changes nothing.
  broken = true;
  support::breathe(30ms);
  broken = false;
  registry.leave(known, here.address());  // its actor died
  EXPECT_TRUE(support::eventually(support::patience, [&] { return spawned_of(known) >= 1; }));
  caf::anon_send_exit(sweep, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(here, caf::exit_reason::user_shutdown);
}

TEST_F(RUN7_sweep, fails_its_start_when_the_log_cannot_be_read) {
  broken = true;
  std::atomic<bool> gone{false};
  auto sweep = system.spawn<caf::detached>([this](caf::event_based_actor* self) {
    return run_sweep_actor(self, args(), [this] { up = true; });
  });
  sweep->attach_functor([&gone] { gone = true; });
  EXPECT_TRUE(support::eventually(support::patience, [&] { return gone.load(); }));
  EXPECT_FALSE(up.load());
}
