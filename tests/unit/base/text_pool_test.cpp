// RUN13: work on foreign text is bounded in threads, in what waits and in processor time.
#include "base/text_pool.hpp"

#include "base/slot.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <stdexcept>
#include <sys/resource.h>

namespace {

using namespace std::chrono_literals;
using reeve::text_leave;
using reeve::text_pool;

/// Shared, since the one who tells may still be at it when the one who waits goes on.
template <class T>
class told {
 public:
  told() : state_(std::make_shared<std::promise<T>>()), future_(state_->get_future()) {}
  auto teller() const { return state_; }
  T wait() { return future_.get(); }

 private:
  std::shared_ptr<std::promise<T>> state_;
  std::future<T> future_;
};

/// Keeps the pool's only thread until it is let go.
class held_thread {
 public:
  explicit held_thread(text_pool& pool) {
    told<bool> begun;
    EXPECT_TRUE(pool.post(
        0, nullptr, [begun = begun.teller(), end = end_.get_future().share()](const text_leave&) {
          begun->set_value(true);
          end.wait();
        }));
    begun.wait();
  }
  ~held_thread() { end_.set_value(); }

 private:
  std::promise<void> end_;
};

text_pool::options one_thread() {
  text_pool::options settings;
  settings.threads = 1;
  return settings;
}

void nothing(const text_leave&) {}

}  // namespace

TEST(RUN13_text_pool, work_is_done_and_gives_way) {
  told<int> niceness;
  text_pool pool;
  ASSERT_TRUE(pool.post(5, nullptr, [to = niceness.teller()](const text_leave& leave) {
    EXPECT_TRUE(leave.may_go_on());
    to->set_value(::getpriority(PRIO_PROCESS, 0));
  }));
  EXPECT_GE(niceness.wait(), 5);
}

TEST(RUN13_text_pool, work_that_throws_is_dropped) {
  text_pool pool(one_thread());
  ASSERT_TRUE(pool.post(0, nullptr, [](const text_leave&) { throw std::runtime_error("x"); }));
  told<bool> next;
  ASSERT_TRUE(
      pool.post(0, nullptr, [to = next.teller()](const text_leave&) { to->set_value(true); }));
  EXPECT_TRUE(next.wait());
}

TEST(RUN13_text_pool, what_waits_is_bounded_in_number) {
  auto settings = one_thread();
  settings.waiting = 2;
  text_pool pool(settings);
  const held_thread held(pool);
  EXPECT_TRUE(pool.post(0, nullptr, nothing));
  EXPECT_TRUE(pool.post(0, nullptr, nothing));
  EXPECT_FALSE(pool.post(0, nullptr, nothing));
}

TEST(RUN13_text_pool, what_waits_is_bounded_in_bytes) {
  auto settings = one_thread();
  settings.waiting_bytes = 10;
  text_pool pool(settings);
  const held_thread held(pool);
  EXPECT_TRUE(pool.post(11, nullptr, nothing));  // alone
  EXPECT_FALSE(pool.post(1, nullptr, nothing));
}

TEST(RUN13_text_pool, a_place_is_free_again_once_its_work_is_taken) {
  auto settings = one_thread();
  settings.waiting_bytes = 10;
  text_pool pool(settings);
  for (int i = 0; i < 3; ++i) {
    told<bool> done;
    ASSERT_TRUE(
        pool.post(10, nullptr, [to = done.teller()](const text_leave&) { to->set_value(true); }));
    done.wait();
  }
}

TEST(RUN13_text_pool, work_ends_when_its_time_is_spent) {
  auto settings = one_thread();
  settings.budget = 5ms;
  text_pool pool(settings);
  told<bool> spent;
  ASSERT_TRUE(pool.post(0, nullptr, [to = spent.teller()](const text_leave& leave) {
    while (leave.may_go_on()) {
    }
    to->set_value(leave.is_spent() && !leave.is_stopped());
  }));
  EXPECT_TRUE(spent.wait());
  // The next one has a time of its own.
  told<bool> fresh;
  ASSERT_TRUE(pool.post(0, nullptr, [to = fresh.teller()](const text_leave& leave) {
    to->set_value(!leave.is_spent());
  }));
  EXPECT_TRUE(fresh.wait());
}

TEST(RUN13_text_pool, cancelled_work_ends_and_is_not_begun) {
  text_pool pool(one_thread());
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  told<bool> begun;
  told<bool> stopped;
  ASSERT_TRUE(pool.post(0, cancelled,
                        [begun = begun.teller(), to = stopped.teller()](const text_leave& leave) {
                          begun->set_value(true);
                          while (leave.may_go_on()) {
                          }
                          to->set_value(leave.is_stopped());
                        }));
  begun.wait();
  const auto runs = std::make_shared<std::atomic<int>>(0);
  ASSERT_TRUE(pool.post(0, cancelled, [runs](const text_leave&) { ++*runs; }));
  told<bool> last;
  ASSERT_TRUE(
      pool.post(0, nullptr, [to = last.teller()](const text_leave&) { to->set_value(true); }));
  *cancelled = true;
  EXPECT_TRUE(stopped.wait());
  EXPECT_TRUE(last.wait());
  EXPECT_EQ(*runs, 0);
}

TEST(RUN13_text_pool, its_end_stops_what_is_under_way_and_answers_what_waits) {
  std::optional<reeve::errc> answered;
  told<bool> stopped;
  {
    text_pool pool(one_thread());
    told<bool> begun;
    ASSERT_TRUE(pool.post(0, nullptr,
                          [begun = begun.teller(), to = stopped.teller()](const text_leave& leave) {
                            begun->set_value(true);
                            while (leave.may_go_on()) {
                            }
                            to->set_value(leave.is_stopped());
                          }));
    begun.wait();
    const reeve::reply_slot<int> slot(
        [&](reeve::outcome<int> got) { answered = got.error().code; });
    ASSERT_TRUE(pool.post(0, nullptr, [slot](const text_leave&) { slot.answer(1); }));
  }
  EXPECT_TRUE(stopped.wait());
  EXPECT_EQ(answered, reeve::errc::unavailable);
}
