// P26: the supervisor on CAF's real scheduler, with a detached child that is stuck in a call.
#include "actors/tree/supervisor.hpp"

#include <caf/actor_system_config.hpp>
#include <chrono>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <thread>

namespace {

using namespace reeve::actors;
using namespace std::chrono_literals;
using reeve::domain::exit_class;
using reeve::domain::restart_kind;
using reeve::domain::restart_strategy;

struct block_message {
  std::shared_ptr<std::promise<void>> entered;
  std::shared_future<void> until;
};

}  // namespace

REEVE_LOCAL_MSG(block_message)

namespace {

/// The tree root -> in -> worker; the worker runs on a thread of its own.
class supervisor_threads_test : public testing::Test {
 protected:
  supervisor_threads_test() {
    config_.set("scheduler.max-threads", 2);
    system_ = std::make_unique<caf::actor_system>(config_);
    child_spec worker{"worker", restart_kind::permanent, 10s, 50ms, make_worker, slot_};
    supervisor_spec inner;
    inner.config.kill_wait_us = 50'000;
    inner.children = {worker};
    supervisor_spec outer;
    outer.children = {supervisor_child("in", restart_kind::permanent, inner)};
    root_ = spawn_root(*system_, shared_, outer, [this](exit_class why) { exit_.set_value(why); });
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!slot_->get() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  }

  static caf::actor make_worker(caf::actor_system& system, const child_context& context) {
    return cc::spawn<caf::event_based_actor, caf::detached>(
        system,
        [](caf::event_based_actor* /*self*/, const child_context& mine) -> caf::behavior {
          mine.ready();
          return {[](const block_message& m) {
            m.entered->set_value();
            m.until.wait();
          }};
        },
        context);
  }

  /// How the root ended, if it did so in time.
  exit_class root_exit() {
    auto future = exit_.get_future();
    EXPECT_EQ(future.wait_for(10s), std::future_status::ready) << "the root did not end";
    return future.get();
  }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  supervision shared_;
  std::shared_ptr<actor_slot> slot_ = std::make_shared<actor_slot>();
  std::promise<exit_class> exit_;
  caf::actor root_;
};

}  // namespace

TEST_F(supervisor_threads_test, P26_an_orderly_stop_ends_with_shutdown) {
  ASSERT_TRUE(slot_->get());
  cc::stop(root_);
  EXPECT_EQ(root_exit(), exit_class::shutdown);
  EXPECT_FALSE(slot_->get());
}

TEST_F(supervisor_threads_test, P26_a_child_stuck_in_a_call_is_told_up_to_the_root) {
  ASSERT_TRUE(slot_->get());
  std::promise<void> release;
  const auto entered = std::make_shared<std::promise<void>>();
  cc::post(slot_->get(), block_message{entered, release.get_future().share()});
  entered->get_future().wait();
  cc::stop(root_);
  EXPECT_EQ(root_exit(), exit_class::unreachable);
  EXPECT_EQ(shared_.board->totals().escalations, 2);
  release.set_value();
}
