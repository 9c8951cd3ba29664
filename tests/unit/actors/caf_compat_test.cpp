// The layer over CAF: what the supervisors rely on, in virtual time.
#include "actors/caf_compat.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct numbered_message {
  int n = 0;
};
struct wake_up_message {};

}  // namespace

REEVE_LOCAL_MSG(numbered_message)
REEVE_LOCAL_MSG(wake_up_message)

namespace {

using namespace reeve::actors;
using namespace std::chrono_literals;

class caf_compat_test : public testing::Test {
 protected:
  caf_compat_test() {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
    scheduler_ = dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
  }
  ~caf_compat_test() override { run(); }
  void run() { scheduler_->run(); }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
};

struct watcher_state {
  static inline const char* name = "watcher";
  cc::monitor_table monitors;
};

}  // namespace

TEST_F(caf_compat_test, P26_kill_now_overtakes_fifty_thousand_messages) {
  int handled = 0;
  const auto busy = [&](caf::event_based_actor* /*self*/) -> caf::behavior {
    return {[&](const numbered_message& /*m*/) { ++handled; }};
  };
  const auto handled_before_its_end = [&](bool now) {
    handled = 0;
    const auto actor = cc::spawn<caf::event_based_actor>(*system_, busy);
    for (int i = 0; i < 50'000; ++i) cc::post(actor, numbered_message{i});
    if (now) {
      cc::kill_now(actor);
    } else {
      cc::post(actor, caf::exit_msg{actor.address(), caf::exit_reason::kill});
    }
    run();
    return handled;
  };
  EXPECT_EQ(handled_before_its_end(true), 0);
  // The test of the test: a plain kill waits for its turn.
  EXPECT_EQ(handled_before_its_end(false), 50'000);
}

TEST_F(caf_compat_test, P26_timers_do_not_queue_behind_ordinary_messages) {
  std::vector<int> order;
  const auto actor = cc::spawn<caf::event_based_actor>(
      *system_, [&](caf::event_based_actor* self) -> caf::behavior {
        cc::wake_after(self, 100ms, wake_up_message{});
        return {[&](const numbered_message& m) { order.push_back(m.n); },
                [&](const wake_up_message& /*m*/) { order.push_back(-1); }};
      });
  run();
  for (int i = 0; i < 3; ++i) cc::post(actor, numbered_message{i});
  scheduler_->advance_time(100ms);
  run();
  EXPECT_EQ(order, (std::vector{-1, 0, 1, 2}));
  cc::kill_now(actor);
}

TEST_F(caf_compat_test, P26_every_watched_actor_is_reported_once_even_if_it_is_already_gone) {
  std::vector<std::string> gone;
  const auto idle = [](caf::event_based_actor* /*self*/) -> caf::behavior {
    return {[](const wake_up_message& /*m*/) { throw std::runtime_error("boom"); }};
  };
  const auto early = cc::spawn<caf::event_based_actor>(*system_, idle);
  const auto late = cc::spawn<caf::event_based_actor>(*system_, idle);
  cc::kill_now(early);
  run();
  const auto watcher = cc::spawn<caf::stateful_actor<watcher_state>>(
      *system_, [&](caf::stateful_actor<watcher_state>* self) -> caf::behavior {
        auto& monitors = cc::state_of(self).monitors;
        monitors.install(self);
        monitors.watch(self, early, [&](const caf::error& why) {
          gone.push_back(why == caf::exit_reason::kill ? "early" : "?");
        });
        monitors.watch(self, late, [&](const caf::error& why) {
          gone.push_back(why == caf::exit_reason::unhandled_exception ? "late" : "?");
        });
        return {[](const numbered_message& /*m*/) {}};
      });
  run();
  EXPECT_EQ(gone, (std::vector<std::string>{"early"}));
  cc::post(late, wake_up_message{});
  run();
  EXPECT_EQ(gone, (std::vector<std::string>{"early", "late"}));
  cc::stop(watcher);
}
