#include "adapters/guarded_engine.hpp"

#include "adapters/simulated/simulated_engine.hpp"
#include "tests/unit/adapters/docker/private_dockerd.hpp"
#include "tests/unit/adapters/engine_calls.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <mutex>

namespace {

using namespace reeve::adapters;
using engine_calls::ask;
using engine_calls::code_of;
using engine_calls::pending;
using private_engine::poll_until;
using reeve::done;
using reeve::errc;
using reeve::reply_slot;

/// The simulated engine whose pings and volumes can be made to fail, and volumes to hang.
class moody_engine final : public simulated_engine {
 public:
  struct mood {
    std::atomic<errc> pings{errc::bad_request};  // bad_request: they work
    std::atomic<errc> volumes{errc::bad_request};
    std::atomic<bool> hanging{false};
    std::atomic<bool> cutting{false};  // outputs
    std::atomic<int> stopping{0};      // stops that last until the engine goes
    std::mutex mutex;
    std::vector<reply_slot<done>> held;
    std::vector<reply_slot<stop_result>> stops;
  };
  explicit moody_engine(std::shared_ptr<mood> now) : mood_(std::move(now)) {}
  /// As any engine, it answers before it goes.
  ~moody_engine() override {
    mood_->held.clear();
    mood_->stops.clear();
  }

  void ping(reply_slot<done> slot) override {
    if (mood_->pings == errc::bad_request) return simulated_engine::ping(slot);
    slot.answer(reeve::reject(mood_->pings, "as told"));
  }
  void create_volume(reeve::fencing_token by, std::string name, label_map labels,
                     reply_slot<done> slot) override {
    if (mood_->hanging) {
      std::lock_guard lock{mood_->mutex};
      mood_->held.push_back(slot);
    } else if (mood_->volumes == errc::bad_request) {
      simulated_engine::create_volume(by, name, labels, slot);
    } else {
      slot.answer(reeve::reject(mood_->volumes, "as told"));
    }
  }

  void output(std::string container, std::size_t bytes_each,
              std::shared_ptr<reeve::call_stopper> stopper, reply_slot<kept_output> slot) override {
    if (!mood_->cutting) {
      return simulated_engine::output(container, bytes_each, std::move(stopper), slot);
    }
    slot.answer(reeve::reject(errc::timed_out, "cut"));
  }

  void stop(reeve::fencing_token, std::string, int, reply_slot<stop_result> slot) override {
    std::lock_guard lock{mood_->mutex};
    mood_->stops.push_back(slot);
    ++mood_->stopping;
  }

 private:
  std::shared_ptr<mood> mood_;
};

class CTR3_guarded : public testing::Test {
 protected:
  CTR3_guarded()
      : engine(std::make_unique<moody_engine>(mood),
               {.mutations_at_once = 2, .queued = 3, .probe_up_ms = 20, .probe_down_ms = 20},
               {[this](const engine_status& now) {
                  std::lock_guard lock{mutex};
                  available.push_back(now.available);
                },
                [this](call_class kind, breaker_state from, breaker_state to) {
                  std::lock_guard lock{mutex};
                  changes.push_back(std::string{name_of(kind)} + ": " + std::string{name_of(from)} +
                                    " to " + std::string{name_of(to)});
                }}) {}
  std::string volume(const std::string& name = "some-volume") {
    return code_of(ask<done>([&](auto slot) { engine.create_volume({}, name, {}, slot); }));
  }
  bool up() {
    return poll_until([&] {
      const auto now = engine.status();
      return now.available && now.breaker == "closed";
    });
  }
  bool has_told(std::size_t times) {
    return poll_until([&] {
      std::lock_guard lock{mutex};
      return available.size() == times;
    });
  }

  std::shared_ptr<moody_engine::mood> mood = std::make_shared<moody_engine::mood>();
  std::mutex mutex;
  std::vector<bool> available;
  std::vector<std::string> changes;
  guarded_engine engine;
};

}  // namespace

TEST_F(CTR3_guarded, status_says_what_it_is) {
  ASSERT_TRUE(up());
  auto now = engine.status();
  EXPECT_EQ(now.engine, "simulated");
  EXPECT_EQ(now.breaker, "closed");
  EXPECT_EQ(now.version, "simulated");
  EXPECT_EQ(volume(), "ok");
}

TEST_F(CTR3_guarded, going_and_coming_is_told_once_each) {
  ASSERT_TRUE(up());
  mood->pings = errc::engine_unavailable;
  // Told when all three breakers are open; the first one shows before.
  ASSERT_TRUE(has_told(2));
  EXPECT_EQ(engine.status().breaker, "open");
  EXPECT_FALSE(engine.status().available);
  EXPECT_EQ(engine.status().detail, "as told");
  EXPECT_EQ(volume(), "engine_unavailable");
  mood->pings = errc::bad_request;
  ASSERT_TRUE(has_told(3));
  EXPECT_EQ(volume(), "ok") << "coming back closes the breakers";
  std::lock_guard lock{mutex};
  EXPECT_EQ(available, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(changes.size(), 6u) << "three classes open and close";
}

TEST_F(CTR3_guarded, proper_refusals_never_open_the_breaker) {
  ASSERT_TRUE(up());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(code_of(ask<done>([&](auto slot) { engine.remove_volume({}, "absent", slot); })),
              "not_found");
  }
  EXPECT_EQ(engine.status().breaker, "closed");
}

TEST_F(CTR3_guarded, a_class_that_fails_opens_alone) {
  ASSERT_TRUE(up());
  mood->volumes = errc::internal;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(volume("v" + std::to_string(i)), "internal");
  mood->volumes = errc::bad_request;
  EXPECT_EQ(volume(), "engine_unavailable") << "refused without asking the engine";
  EXPECT_EQ(engine.status().breaker, "open");
  EXPECT_TRUE(engine.status().available) << "it still answers pings";
  auto image = ask<image_info>([&](auto slot) { engine.inspect_image("localhost:1/x:1", slot); });
  EXPECT_EQ(code_of(image), "ok");
  std::lock_guard lock{mutex};
  EXPECT_EQ(changes, std::vector<std::string>{"mutate: closed to open"});
}

TEST_F(CTR3_guarded, one_object_that_always_fails_opens_it_for_nobody) {
  ASSERT_TRUE(up());
  mood->volumes = errc::internal;
  for (int i = 0; i < 30; ++i) EXPECT_EQ(volume(), "internal");
  mood->volumes = errc::engine_unreadable;
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(volume("v" + std::to_string(i)), "engine_unreadable");
  }
  mood->volumes = errc::bad_request;
  EXPECT_EQ(volume(), "ok");
  EXPECT_EQ(engine.status().breaker, "closed");
}

TEST_F(CTR3_guarded, a_full_bulkhead_refuses_at_once) {
  ASSERT_TRUE(up());
  mood->hanging = true;
  std::vector<pending<done>> calls(5);
  // Two are under way, three wait; a sixth finds no place.
  for (auto& call : calls) engine.create_volume({}, "some-volume", {}, call.slot());
  EXPECT_EQ(volume(), "overloaded") << "back pressure is no outage";
  EXPECT_EQ(engine.status().breaker, "closed");
  mood->hanging = false;
  std::vector<reply_slot<done>> held;
  {
    std::lock_guard lock{mood->mutex};
    held = std::move(mood->held);
  }
  EXPECT_EQ(held.size(), 2u);
  for (const auto& slot : held) slot.answer(done{});
  for (auto& call : calls) EXPECT_EQ(code_of(call.take()), "ok");
}

TEST_F(CTR3_guarded, waits_take_no_place_and_end_with_the_container) {
  ASSERT_TRUE(up());
  container_spec spec;
  spec.name = "guarded-wait";
  spec.image_id = "sha256:" + std::string(64, 'a');
  spec.command = {"sleep", "0.05"};
  spec.memory_bytes = 64 << 20;
  spec.nano_cpus = 500'000'000;
  auto made = ask<created_container>([&](auto slot) { engine.create_container({}, spec, slot); });
  ASSERT_TRUE(made);
  ASSERT_TRUE(ask<start_result>([&](auto slot) { engine.start({}, made->id, slot); }));
  std::vector<pending<wait_result>> waits(40);
  for (auto& one : waits) engine.wait(made->id, one.slot());
  for (auto& one : waits) EXPECT_EQ(code_of(one.take()), "ok");
}

/// P12: those who ignore SIGTERM keep nobody else out for their grace.
TEST_F(CTR3_guarded, stops_that_last_take_no_place) {
  ASSERT_TRUE(up());
  std::vector<pending<stop_result>> stops(40);
  for (auto& one : stops) engine.stop({}, "ignores-sigterm", 300, one.slot());
  EXPECT_EQ(mood->stopping, 40);
  EXPECT_EQ(volume(), "ok");
  std::vector<reply_slot<stop_result>> held;
  {
    std::lock_guard lock{mood->mutex};
    held = std::move(mood->stops);
  }
  for (const auto& slot : held) slot.answer(stop_result{true});
  for (auto& one : stops) EXPECT_EQ(code_of(one.take()), "ok");
}

/// Who reads an output may be cancelled at any time, and an engine is none the worse for it.
TEST_F(CTR3_guarded, readings_that_were_stopped_are_no_failures) {
  ASSERT_TRUE(up());
  mood->cutting = true;
  const auto read = [this](const std::shared_ptr<reeve::call_stopper>& stopper) {
    return code_of(
        ask<kept_output>([&](auto slot) { engine.output("some-job", 1000, stopper, slot); }));
  };
  const auto stopped = std::make_shared<reeve::call_stopper>();
  stopped->stop();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(read(stopped), "timed_out");
  EXPECT_EQ(engine.status().breaker, "closed");
  const auto wanted = std::make_shared<reeve::call_stopper>();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(read(wanted), "timed_out");
  EXPECT_EQ(read(wanted), "engine_unavailable") << "those of the engine's own count";
}

TEST(CTR3_guarded_end, what_still_waits_is_answered) {
  auto mood = std::make_shared<moody_engine::mood>();
  std::vector<pending<done>> calls(3);
  {
    guarded_engine engine{std::make_unique<moody_engine>(mood), {.mutations_at_once = 2}, {}};
    ASSERT_TRUE(poll_until([&] { return engine.status().available; }));
    mood->hanging = true;
    for (auto& call : calls) engine.create_volume({}, "some-volume", {}, call.slot());
  }
  EXPECT_EQ(code_of(calls[2].take(0)), "engine_unavailable");
}
