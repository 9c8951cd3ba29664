// RUN13, P17: work on foreign text is bounded in threads, in what it holds and in processor time,
// and tenants take turns with it.
#include "base/text_pool.hpp"

#include "base/slot.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using reeve::outcome;
using reeve::reply_slot;
using reeve::text_leave;
using reeve::text_pool;
using reeve::work_source;
using reeve::work_stop;

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

const work_source first_source{reeve::derived_uuid({}, "ann"), {}};
const work_source second_source{reeve::derived_uuid({}, "bob"), {}};

using stop = std::shared_ptr<work_stop>;

/// Room that is waited for.
struct asked {
  asked(text_pool& pool, const work_source& whose, std::size_t bytes, stop its = {}) {
    pool.ask(whose, bytes, std::move(its), reply_slot<text_pool::room>([to = answer](auto got) {
               const std::lock_guard lock(to->mutex);
               to->got = std::move(got);
             }));
  }
  /// Empty: not yet.
  std::optional<outcome<text_pool::room>> got() const {
    const std::lock_guard lock(answer->mutex);
    return answer->got;
  }
  struct shared {
    std::mutex mutex;
    std::optional<outcome<text_pool::room>> got;
  };
  std::shared_ptr<shared> answer = std::make_shared<shared>();
};

/// Room that is there at once; none if it is not.
text_pool::room room_now(text_pool& pool, const work_source& whose, std::size_t bytes,
                         stop its = {}) {
  const auto got = asked(pool, whose, bytes, std::move(its)).got();
  return got && *got ? **got : nullptr;
}

/// One step.
void post(text_pool& pool, const work_source& whose, std::function<void(const text_leave&)> what,
          stop its = {}) {
  auto room = room_now(pool, whose, 0, its);
  ASSERT_TRUE(room);
  pool.post(whose, std::move(room), std::move(its), [what = std::move(what)](const auto& leave) {
    what(leave);
    return false;
  });
}

/// Keeps the pool's only thread until it is let go.
class held_thread {
 public:
  explicit held_thread(text_pool& pool) {
    told<bool> begun;
    post(pool, first_source,
         [begun = begun.teller(), end = end_.get_future().share()](const text_leave&) {
           begun->set_value(true);
           end.wait();
         });
    begun.wait();
  }
  ~held_thread() { let_go(); }
  void let_go() {
    if (!std::exchange(is_over_, true)) end_.set_value();
  }

 private:
  std::promise<void> end_;
  bool is_over_ = false;
};

text_pool::options one_thread(std::size_t bytes = 32 << 20) {
  text_pool::options settings;
  settings.threads = 1;
  settings.bytes = bytes;
  return settings;
}

/// Work in steps that says in which order they came.
struct steps {
  struct shared {
    std::mutex mutex;
    std::string order;
    int open = 0;
    std::promise<void> over;
  };
  std::shared_ptr<shared> all = std::make_shared<shared>();

  void post(text_pool& pool, const work_source& whose, char letter, int count) {
    {
      const std::lock_guard lock(all->mutex);
      ++all->open;
    }
    const auto left = std::make_shared<int>(count);
    pool.post(whose, room_now(pool, whose, 0), {}, [to = all, letter, left](const text_leave&) {
      const std::lock_guard lock(to->mutex);
      to->order += letter;
      if (--*left > 0) return true;
      if (--to->open == 0) to->over.set_value();
      return false;
    });
  }
  std::string wait() {
    all->over.get_future().wait();
    return all->order;
  }
};

}  // namespace

TEST(RUN13_text_pool, work_is_done_and_gives_way) {
  told<int> niceness;
  text_pool pool;
  post(pool, first_source, [to = niceness.teller()](const text_leave& leave) {
    EXPECT_TRUE(leave.may_go_on());
    to->set_value(::getpriority(PRIO_PROCESS, 0));
  });
  EXPECT_GE(niceness.wait(), 5);
}

TEST(RUN13_text_pool, work_that_throws_is_dropped) {
  text_pool pool(one_thread());
  post(pool, first_source, [](const text_leave&) { throw std::runtime_error("x"); });
  told<bool> next;
  post(pool, first_source, [to = next.teller()](const text_leave&) { to->set_value(true); });
  EXPECT_TRUE(next.wait());
}

TEST(P17_text_pool, steps_of_tenants_take_turns_and_so_do_those_of_jobs) {
  text_pool pool(one_thread());
  held_thread held(pool);
  const work_source other{first_source.tenant, reeve::derived_uuid({}, "other")};
  steps work;
  work.post(pool, first_source, '1', 4);
  work.post(pool, first_source, '2', 1);
  work.post(pool, other, 'x', 2);
  work.post(pool, second_source, 'b', 3);
  held.let_go();
  // The first piece of a job comes back behind its second.
  EXPECT_EQ(work.wait(), "1bxb2bx111");
}

TEST(P17_text_pool, a_share_that_is_full_is_its_tenants_alone) {
  text_pool pool(one_thread(100 << 10));
  auto first = room_now(pool, first_source, 50 << 10);
  ASSERT_TRUE(first);
  const asked more(pool, first_source, 10 << 10);
  EXPECT_FALSE(more.got());
  EXPECT_TRUE(room_now(pool, second_source, 50 << 10)) << "nobody else waits for that";
  first->shrink(40 << 10);
  ASSERT_TRUE(more.got()) << "what is not needed is free at once";
  EXPECT_TRUE(*more.got());
}

TEST(P17_text_pool, who_waits_for_room_gets_it_in_turns) {
  text_pool pool(one_thread(100 << 10));
  auto held = room_now(pool, first_source, 200 << 10);
  ASSERT_TRUE(held) << "larger than all, and alone";
  const asked first(pool, first_source, 30 << 10), second(pool, first_source, 30 << 10),
      other(pool, second_source, 50 << 10);
  EXPECT_FALSE(first.got() || second.got() || other.got());
  held.reset();
  EXPECT_TRUE(first.got());
  EXPECT_TRUE(other.got());
  EXPECT_FALSE(second.got());
}

TEST(RUN13_text_pool, room_is_held_until_its_work_is_done) {
  text_pool pool(one_thread(10 << 10));
  held_thread held(pool);
  auto room = room_now(pool, second_source, 5 << 10);
  ASSERT_TRUE(room);
  pool.post(second_source, std::move(room), {}, [](const text_leave&) { return false; });
  const asked next(pool, second_source, 5 << 10);
  EXPECT_FALSE(next.got());
  held.let_go();
  told<bool> later;
  post(pool, first_source, [to = later.teller()](const text_leave&) { to->set_value(true); });
  later.wait();
  ASSERT_TRUE(next.got());
  EXPECT_TRUE(*next.got());
}

TEST(RUN13_text_pool, so_many_ask_for_room_and_no_more) {
  auto settings = one_thread(10 << 10);
  settings.asking = {2, 100};
  text_pool pool(settings);
  const auto held = room_now(pool, first_source, 10 << 10);
  const asked one(pool, first_source, 1), two(pool, first_source, 1), three(pool, first_source, 1),
      other(pool, second_source, 1);
  EXPECT_FALSE(one.got() || two.got() || other.got());
  ASSERT_TRUE(three.got());
  EXPECT_EQ(three.got()->error().code, reeve::errc::overloaded);
}

TEST(RUN13_text_pool, work_ends_when_its_time_is_spent) {
  auto settings = one_thread();
  settings.budget = 5ms;
  text_pool pool(settings);
  told<bool> spent;
  const auto without_leave = std::make_shared<std::atomic<int>>(0);
  // It would never end; its steps have one time together.
  pool.post(first_source, room_now(pool, first_source, 0), {},
            [to = spent.teller(), without_leave](const text_leave& leave) {
              if (leave.is_spent() && ++*without_leave == 1) to->set_value(!leave.is_stopped());
              const auto until = std::chrono::steady_clock::now() + 1ms;
              while (leave.may_go_on() && std::chrono::steady_clock::now() < until) {
              }
              return true;
            });
  EXPECT_TRUE(spent.wait());
  told<bool> fresh;
  post(pool, first_source,
       [to = fresh.teller()](const text_leave& leave) { to->set_value(!leave.is_spent()); });
  EXPECT_TRUE(fresh.wait()) << "the next one has a time of its own";
  EXPECT_LE(*without_leave, 2) << "right at the beginning of one its time may end";
}

TEST(RUN13_text_pool, stopped_work_ends_and_is_not_begun) {
  text_pool pool(one_thread());
  const auto its = std::make_shared<work_stop>();
  told<bool> begun;
  told<bool> stopped;
  post(
      pool, first_source,
      [begun = begun.teller(), to = stopped.teller()](const text_leave& leave) {
        begun->set_value(true);
        while (leave.may_go_on()) {
        }
        to->set_value(leave.is_stopped());
      },
      its);
  begun.wait();
  const auto runs = std::make_shared<std::atomic<int>>(0);
  post(
      pool, first_source, [runs](const text_leave&) { ++*runs; }, its);
  told<bool> last;
  post(pool, first_source, [to = last.teller()](const text_leave&) { to->set_value(true); });
  its->stop();
  EXPECT_TRUE(stopped.wait());
  EXPECT_TRUE(last.wait());
  EXPECT_EQ(*runs, 0);
}

TEST(P17_text_pool, what_is_stopped_leaves_at_once_and_gives_its_room_back) {
  text_pool pool(one_thread(20 << 10));
  const held_thread held(pool);
  const auto its = std::make_shared<work_stop>();
  const auto text = std::make_shared<int>();
  auto room = room_now(pool, second_source, 10 << 10, its);
  ASSERT_TRUE(room);
  pool.post(second_source, std::move(room), its, [text](const text_leave&) { return false; });
  const asked same(pool, second_source, 10 << 10, its);
  const asked next(pool, second_source, 10 << 10);
  EXPECT_FALSE(same.got() || next.got());
  its->stop();
  EXPECT_EQ(text.use_count(), 1) << "the only thread is busy all the while";
  ASSERT_TRUE(same.got() && next.got());
  EXPECT_EQ(same.got()->error().code, reeve::errc::unavailable);
  EXPECT_TRUE(*next.got());
  const asked late(pool, first_source, 1, its);
  ASSERT_TRUE(late.got());
  EXPECT_FALSE(*late.got()) << "it was stopped before it asked";
}

TEST(RUN13_text_pool, its_end_stops_what_is_under_way_and_answers_what_waits) {
  std::optional<reeve::errc> answered;
  told<bool> stopped;
  text_pool::room late;
  std::optional<asked> waiting;
  {
    text_pool pool(one_thread(10 << 10));
    told<bool> begun;
    post(pool, first_source,
         [begun = begun.teller(), to = stopped.teller()](const text_leave& leave) {
           begun->set_value(true);
           while (leave.may_go_on()) {
           }
           to->set_value(leave.is_stopped());
         });
    begun.wait();
    const reply_slot<int> slot([&](outcome<int> got) { answered = got.error().code; });
    post(pool, first_source, [slot](const text_leave&) { slot.answer(1); });
    late = room_now(pool, second_source, 5 << 10);
    waiting.emplace(pool, second_source, 5 << 10);
  }
  EXPECT_TRUE(stopped.wait());
  EXPECT_EQ(answered, reeve::errc::unavailable);
  ASSERT_TRUE(waiting->got());
  EXPECT_EQ(waiting->got()->error().code, reeve::errc::unavailable);
  ASSERT_TRUE(late);
  late.reset();  // behind the pool
}
