// The journal's thread: a database that is away is a state, which nobody waits in whom it does not
// concern (OPS2, P27, P30).

#include "actors/journal_worker.hpp"

#include "tests/unit/persistence/journal_fixture.hpp"
#include "tests/unit/persistence/socket_proxy.hpp"

#include <future>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::actors;
using namespace reeve::fixture;
using persistence::append_result;
using persistence::journal;

class journal_worker_on_database : public ::testing::Test {
 protected:
  journal_worker_on_database() : proxy(db.host(), db.port()) {
    config = journal_on(db.url_of(db.writer(), proxy.host()));
    config.lead = &lead;
  }
  ~journal_worker_on_database() override {
    if (worker) worker->stop(false);
    proxy.cut(true);
    worker = nullptr;
  }

  void start(bool opened = true) {
    journal_worker_args args;
    if (opened) {
      args.opened = std::make_shared<journal>(config);
      const auto head = args.opened->open();
      ASSERT_TRUE(head) << head.error().detail;
    }
    args.make = [this] { return std::make_shared<journal>(config); };
    args.lead = &lead;
    args.on_ready = [this] { ready = true; };
    args.on_fenced = [this] { ++fenced; };
    args.on_available = [this](bool now) { available = now; };
    worker = std::make_unique<journal_worker>(std::move(args));
  }
  std::future<outcome<append_result>> append(lane how, const std::string& stream) {
    auto promise = std::make_shared<std::promise<outcome<append_result>>>();
    auto answer = promise->get_future();
    auto call = std::make_shared<append_call>();
    call->request = append_to(stream, 0, tenant);
    call->lane = how;
    call->slot = reply_slot<append_result>(
        [promise](outcome<append_result> r) { promise->set_value(std::move(r)); });
    worker->push(std::move(call));
    return answer;
  }
  static bool is_there(const std::future<outcome<append_result>>& answer) {
    return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  test_database db;
  socket_proxy proxy;
  leadership lead{real_clock()};
  persistence::journal_config config;
  const uuid tenant = real_ids().next();
  std::atomic<bool> ready{false}, available{true};
  std::atomic<int> fenced{0};
  std::unique_ptr<journal_worker> worker;
};

TEST_F(journal_worker_on_database, OPS2_lets_internal_appends_wait_and_refuses_others_at_once) {
  start();
  ASSERT_TRUE(append(lane::external, fresh_stream()).get());
  proxy.refuse(true);
  proxy.cut(true);
  ASSERT_TRUE(eventually([this] { return !available; }));
  EXPECT_FALSE(lead.holds());
  EXPECT_EQ(append(lane::external, fresh_stream()).get().error().code, errc::unavailable);
  auto waits = append(lane::internal, fresh_stream());
  EXPECT_FALSE(is_there(waits));
  proxy.refuse(false);
  const auto answer = waits.get();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_TRUE(lead.holds());
  EXPECT_TRUE(append(lane::external, fresh_stream()).get());
}

TEST_F(journal_worker_on_database,
       OPS2_that_starts_while_the_database_is_away_leads_once_it_is_back) {
  proxy.refuse(true);
  start(false);
  EXPECT_EQ(append(lane::external, fresh_stream()).get().error().code, errc::unavailable);
  auto waits = append(lane::internal, fresh_stream());
  EXPECT_FALSE(ready);
  proxy.refuse(false);
  ASSERT_TRUE(waits.get());
  EXPECT_TRUE(ready);
}

TEST_F(journal_worker_on_database, OPS2_is_stopped_at_once_whatever_the_database_does) {
  start();
  // The session's end is never told, and nothing new is let in.
  proxy.refuse(true);
  proxy.cut(false);
  auto waits = append(lane::internal, fresh_stream());
  const auto began = std::chrono::steady_clock::now();
  worker->stop(true);
  worker->join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
  EXPECT_EQ(waits.get().error().code, errc::unavailable);
}

TEST_F(journal_worker_on_database, OPS2_that_was_fenced_answers_everybody_and_is_over) {
  start();
  proxy.refuse(true);
  proxy.cut(true);
  ASSERT_TRUE(eventually([this] { return !available; }));
  auto waits = append(lane::internal, fresh_stream());
  auto other = journal_on(db.writer_url());
  journal second(other);
  ASSERT_TRUE(eventually([&] { return second.open().ok(); }));
  proxy.refuse(false);
  EXPECT_EQ(waits.get().error().code, errc::fenced);
  EXPECT_TRUE(eventually([this] { return fenced == 1; }));
  EXPECT_EQ(append(lane::internal, fresh_stream()).get().error().code, errc::unavailable);
  worker->join();
  EXPECT_EQ(fenced, 1);
}

TEST_F(journal_worker_on_database, OPS2_that_was_overtaken_while_it_was_shut_is_fenced) {
  start();
  worker->stop(false);
  worker->join();
  journal second(journal_on(db.writer_url()));
  ASSERT_TRUE(eventually([&] { return second.open().ok(); }));
  ASSERT_TRUE(second.resign());
  config.led_before = true;
  ready = false;
  start(false);
  EXPECT_TRUE(eventually([this] { return fenced == 1; }));
  EXPECT_FALSE(ready);
}

TEST_F(journal_worker_on_database, P10_an_orderly_stop_resigns) {
  start();
  worker->stop(true);
  worker->join();
  EXPECT_EQ(db.root("SELECT type FROM reeve.events ORDER BY position DESC LIMIT 1")[0][0].c_str(),
            std::string("leader_resigned"));
  EXPECT_FALSE(lead.token());
}

}  // namespace
