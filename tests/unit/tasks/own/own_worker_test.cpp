// Work that Reeve does itself: one piece after the other, and a server that stops waits for none.

#include "tasks/own/own_worker.hpp"

#include <future>
#include <gtest/gtest.h>
#include <stdexcept>

namespace {

using namespace reeve;
using namespace reeve::tasks;
using result = outcome<own_worker::artifacts>;

struct asked {
  std::shared_ptr<std::promise<result>> promise = std::make_shared<std::promise<result>>();
  std::future<result> answer = promise->get_future();
  reply_slot<own_worker::artifacts> slot() const {
    return reply_slot<own_worker::artifacts>(
        [p = promise](result r) { p->set_value(std::move(r)); });
  }
};

}  // namespace

TEST(P30_own_work, is_done_one_after_the_other_and_survives_an_exception) {
  own_worker worker("own-test");
  asked first, second;
  worker.run([](const auto&) -> result { throw std::runtime_error("no"); }, first.slot());
  worker.run(
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
        [&begun](const std::atomic<bool>& stops) -> result {
          begun.set_value();
          // An engine that never answers.
          return answer_of<own_worker::artifacts>([](auto slot) { static auto kept = slot; },
                                                  stops);
        },
        under_way.slot());
    worker.run([](const auto&) -> result { return own_worker::artifacts{}; }, waiting.slot());
    begun.get_future().wait();
  }
  EXPECT_EQ(under_way.answer.get().error().code, errc::unavailable);
  EXPECT_EQ(waiting.answer.get().error().code, errc::unavailable);
}

TEST(P30_own_work, beyond_what_may_wait_is_refused) {
  std::promise<void> go;
  auto gone = go.get_future().share();
  own_worker worker("own-test");
  std::vector<asked> all(own_worker::most_waiting + 2);
  std::promise<void> begun;
  worker.run(
      [&begun, gone](const auto&) -> result {
        begun.set_value();
        gone.wait();
        return own_worker::artifacts{};
      },
      all[0].slot());
  begun.get_future().wait();
  for (std::size_t i = 1; i < all.size(); ++i) {
    worker.run([](const auto&) -> result { return own_worker::artifacts{}; }, all[i].slot());
  }
  EXPECT_EQ(all.back().answer.get().error().code, errc::overloaded);
  go.set_value();
  EXPECT_TRUE(all[0].answer.get());
  EXPECT_TRUE(all[own_worker::most_waiting].answer.get());
}
