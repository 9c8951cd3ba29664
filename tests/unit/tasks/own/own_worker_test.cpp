// Work that Reeve does itself: one piece after the other, tenants in turns, and a server that stops
// waits for none.

#include "tasks/own/own_worker.hpp"

#include <functional>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace reeve;
using namespace reeve::tasks;
using result = outcome<own_worker::artifacts>;

const work_source ann{derived_uuid({}, "ann"), {}};
const work_source bob{derived_uuid({}, "bob"), {}};

struct asked {
  std::shared_ptr<std::promise<result>> promise = std::make_shared<std::promise<result>>();
  std::future<result> answer = promise->get_future();
  reply_slot<own_worker::artifacts> slot() const {
    return reply_slot<own_worker::artifacts>(
        [p = promise](result r) { p->set_value(std::move(r)); });
  }
};

/// An engine that never answers, as long as it is asked.
std::function<void(reply_slot<own_worker::artifacts>)> never_answered() {
  return [kept = reply_slot<own_worker::artifacts>()](auto slot) mutable { kept = slot; };
}

}  // namespace

TEST(P30_own_work, is_done_one_after_the_other_and_survives_an_exception) {
  own_worker worker("own-test");
  asked first, second;
  worker.run(
      ann, {}, [](const auto&) -> result { throw std::runtime_error("no"); }, first.slot());
  worker.run(
      ann, {},
      [](const auto&) -> result {
        return own_worker::artifacts{{"a", "b", "c"}};
      },
      second.slot());
  EXPECT_EQ(first.answer.get().error().code, errc::internal);
  EXPECT_EQ(second.answer.get()->at(0).name, "a");
}

TEST(P30_own_work, that_is_under_way_ends_with_its_worker) {
  asked under_way, waiting;
  {
    own_worker worker("own-test");
    std::promise<void> begun;
    worker.run(
        ann, {},
        [&begun](const std::atomic<bool>& stops) -> result {
          begun.set_value();
          return answer_of<own_worker::artifacts>(never_answered(), stops);
        },
        under_way.slot());
    worker.run(
        ann, {}, [](const auto&) -> result { return own_worker::artifacts{}; }, waiting.slot());
    begun.get_future().wait();
  }
  EXPECT_EQ(under_way.answer.get().error().code, errc::unavailable);
  EXPECT_EQ(waiting.answer.get().error().code, errc::unavailable);
}

TEST(P30_own_work, beyond_what_may_wait_is_refused) {
  std::promise<void> go;
  auto gone = go.get_future().share();
  own_worker worker("own-test");
  std::vector<asked> all(own_worker::most_waiting.one + 2);
  std::promise<void> begun;
  worker.run(
      ann, {},
      [&begun, gone](const auto&) -> result {
        begun.set_value();
        gone.wait();
        return own_worker::artifacts{};
      },
      all[0].slot());
  begun.get_future().wait();
  for (std::size_t i = 1; i < all.size(); ++i) {
    worker.run(
        ann, {}, [](const auto&) -> result { return own_worker::artifacts{}; }, all[i].slot());
  }
  EXPECT_EQ(all.back().answer.get().error().code, errc::overloaded);
  go.set_value();
  EXPECT_TRUE(all[0].answer.get());
  EXPECT_TRUE(all[own_worker::most_waiting.one].answer.get());
}

namespace {

/// A worker that is busy until it is let go.
class busy_worker {
 public:
  busy_worker() {
    std::promise<void> begun;
    worker.run(ann, {},
               [&begun, gone = go_.get_future().share()](const auto&) -> result {
                 begun.set_value();
                 gone.wait();
                 return own_worker::artifacts{};
               },
               {});
    begun.get_future().wait();
  }
  ~busy_worker() { let_go(); }
  void let_go() {
    if (!std::exchange(is_over_, true)) go_.set_value();
  }
  void post(const work_source& whose, const std::string& name, asked& to,
            std::shared_ptr<work_stop> its = {}) {
    worker.run(
        whose, std::move(its),
        [name, order = order](const auto&) -> result {
          *order += name;
          return own_worker::artifacts{};
        },
        to.slot());
  }

  std::shared_ptr<std::string> order = std::make_shared<std::string>();

 private:
  std::promise<void> go_;
  bool is_over_ = false;

 public:
  own_worker worker{"own-test"};  // ends first
};

}  // namespace

TEST(P17_own_work, of_one_tenant_holds_up_another_by_one_piece) {
  busy_worker busy;
  std::vector<asked> flood(own_worker::most_waiting.one + 1);
  for (auto& each : flood) busy.post(ann, "a", each);
  EXPECT_EQ(flood.back().answer.get().error().code, errc::overloaded);
  asked other, again;
  busy.post(bob, "b", other);
  busy.post(bob, "B", again);
  busy.let_go();
  EXPECT_TRUE(other.answer.get());
  EXPECT_TRUE(again.answer.get());
  EXPECT_TRUE(flood[own_worker::most_waiting.one - 1].answer.get());
  EXPECT_EQ(busy.order->substr(0, 5), "abaBa");
}

TEST(P17_own_work, that_is_stopped_leaves_at_once_and_makes_room) {
  busy_worker busy;
  std::vector<asked> flood(own_worker::most_waiting.one);
  std::vector<std::shared_ptr<work_stop>> stops;
  for (auto& each : flood) {
    stops.push_back(std::make_shared<work_stop>());
    busy.post(ann, "a", each, stops.back());
  }
  for (const auto& its : stops) its->stop();
  // The only thread is busy all the while.
  for (auto& each : flood) EXPECT_EQ(each.answer.get().error().code, errc::unavailable);
  asked next, late;
  busy.post(ann, "n", next);
  busy.post(ann, "x", late, stops.front());
  EXPECT_EQ(late.answer.get().error().code, errc::unavailable) << "it was stopped before";
  busy.let_go();
  EXPECT_TRUE(next.answer.get());
  EXPECT_EQ(*busy.order, "n");
}

TEST(P17_own_work, that_is_stopped_ends_under_way) {
  own_worker worker("own-test");
  const auto its = std::make_shared<work_stop>();
  asked stopped, next;
  std::promise<void> begun;
  worker.run(
      ann, its,
      [&begun](const std::atomic<bool>& stops) -> result {
        begun.set_value();
        return answer_of<own_worker::artifacts>(never_answered(), stops);
      },
      stopped.slot());
  begun.get_future().wait();
  worker.run(
      bob, {}, [](const auto&) -> result { return own_worker::artifacts{}; }, next.slot());
  its->stop();
  EXPECT_EQ(stopped.answer.get().error().code, errc::unavailable);
  EXPECT_TRUE(next.answer.get());
}
