// LLM4: names are looked up without anybody's wait for another's.

#include "adapters/name_lanes.hpp"

#include "adapters/llm_caller.hpp"
#include "tests/unit/adapters/canned_server.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <gtest/gtest.h>
#include <mutex>
#include <set>

namespace {

using namespace std::chrono_literals;
using namespace reeve;
using adapters::name_lanes;
using adapters::pinned_address;
using steady = std::chrono::steady_clock;

/// Names that begin with "hang" are not found before they are let go; "none" has no address.
class told_names {
 public:
  name_lanes::look_fn look() const {
    return [state = state_](const std::string& host) -> outcome<pinned_address> {
      std::unique_lock lock(state->mutex);
      ++state->looks;
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return state->is_free || !host.starts_with("hang"); });
      if (host == "none") return reject(errc::unavailable, "the host has no address");
      return adapters::pin_address("127.0.0.1", 0);
    };
  }
  ~told_names() { let_go(); }
  void let_go() {
    const std::lock_guard lock(state_->mutex);
    state_->is_free = true;
    state_->changed.notify_all();
  }
  bool await_looks(int count) {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, 30s, [&] { return state_->looks >= count; });
  }
  int looks() const {
    const std::lock_guard lock(state_->mutex);
    return state_->looks;
  }

 private:
  struct state {
    std::mutex mutex;
    std::condition_variable changed;
    int looks = 0;
    bool is_free = false;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

/// One question, asked at once.
class asked_name {
 public:
  asked_name(name_lanes& lanes, const std::string& host, std::chrono::milliseconds within = 60s,
             std::uint16_t port = 80) {
    lanes.find(host, port, steady::now() + within,
               reply_slot<pinned_address>(
                   [to = promise_](outcome<pinned_address> what) { to->set_value(what); }));
  }
  bool is_open() const { return future_.wait_for(0s) != std::future_status::ready; }
  outcome<pinned_address> get() const {
    if (future_.wait_for(30s) != std::future_status::ready) {
      return reject(errc::internal, "no answer came");
    }
    return future_.get();
  }
  std::string refusal() const {
    const auto got = get();
    return got ? "" : got.error().detail;
  }

 private:
  std::shared_ptr<std::promise<outcome<pinned_address>>> promise_ =
      std::make_shared<std::promise<outcome<pinned_address>>>();
  std::shared_future<outcome<pinned_address>> future_ = promise_->get_future().share();
};

TEST(LLM4_names, of_others_are_found_while_one_hangs) {
  told_names names;
  name_lanes lanes(names.look());
  const asked_name hangs(lanes, "hangs");
  ASSERT_TRUE(names.await_looks(1));
  const auto got = asked_name(lanes, "other", 60s, 8080).get();
  ASSERT_TRUE(got);
  EXPECT_TRUE(*got == *adapters::pin_address("127.0.0.1", 8080)) << "with the port of who asked";
  EXPECT_EQ(asked_name(lanes, "none").refusal(), "the host has no address");
  EXPECT_TRUE(hangs.is_open());
  names.let_go();
  EXPECT_TRUE(hangs.get());
}

TEST(LLM4_names, are_looked_up_once_for_all_who_wait) {
  told_names names;
  name_lanes lanes(names.look());
  const asked_name first(lanes, "hangs", 60s, 80), second(lanes, "hangs", 60s, 81);
  EXPECT_TRUE(asked_name(lanes, "other").get());
  EXPECT_EQ(names.looks(), 2);
  names.let_go();
  EXPECT_TRUE(*first.get() == *adapters::pin_address("127.0.0.1", 80));
  EXPECT_TRUE(*second.get() == *adapters::pin_address("127.0.0.1", 81));
  EXPECT_TRUE(asked_name(lanes, "hangs").get());
  EXPECT_EQ(names.looks(), 3) << "what was found is not kept";
}

TEST(LLM4_names, that_are_not_found_in_time_are_refused_when_it_passes) {
  told_names names;
  name_lanes lanes(names.look());
  const asked_name patient(lanes, "hangs"), hasty(lanes, "hangs", 20ms);
  EXPECT_EQ(hasty.refusal(), "its name could not be looked up in time");
  EXPECT_TRUE(patient.is_open());
  // One who comes later has a deadline of his own, though nobody looks anew.
  EXPECT_FALSE(asked_name(lanes, "hangs", 20ms).get());
  EXPECT_EQ(names.looks(), 1);
  names.let_go();
  EXPECT_TRUE(patient.get());
}

TEST(LLM4_names, have_eight_lanes_at_most_and_wait_in_time_for_one) {
  told_names names;
  name_lanes lanes(names.look());
  std::vector<asked_name> all;
  for (int i = 0; i < 8; ++i) all.emplace_back(lanes, "hang" + std::to_string(i));
  ASSERT_TRUE(names.await_looks(8));
  EXPECT_EQ(asked_name(lanes, "ninth", 20ms).refusal(), "its name could not be looked up in time");
  EXPECT_EQ(names.looks(), 8);
  // An address is one already.
  EXPECT_TRUE(asked_name(lanes, "127.0.0.1").get());
  EXPECT_TRUE(asked_name(lanes, "::1").get());
  EXPECT_EQ(asked_name(lanes, "169.254.169.254").get().error().code, errc::invalid);
  EXPECT_EQ(names.looks(), 8);
  const asked_name waits(lanes, "tenth");
  names.let_go();
  EXPECT_TRUE(waits.get());
  for (const auto& one : all) EXPECT_TRUE(one.get());
}

TEST(LLM4_names, are_refused_when_too_many_wait) {
  told_names names;
  adapters::name_lane_limits limits;
  limits.waiting = 2;
  name_lanes lanes(names.look(), limits);
  const asked_name first(lanes, "hang1"), second(lanes, "hang2", 20ms);
  EXPECT_EQ(asked_name(lanes, "other").refusal(), "too many wait for names");
  EXPECT_FALSE(second.get());
  EXPECT_TRUE(asked_name(lanes, "other").get()) << "a place is free again";
}

TEST(LLM4_names, are_refused_at_a_stop_that_waits_for_no_resolver) {
  told_names names;
  const auto began = steady::now();
  {
    name_lanes lanes(names.look());
    const asked_name hangs(lanes, "hangs");
    ASSERT_TRUE(names.await_looks(1));
    lanes.stop();
    ASSERT_FALSE(hangs.is_open());
    EXPECT_EQ(hangs.refusal(), "the server is stopping");
    EXPECT_EQ(asked_name(lanes, "other").refusal(), "the server is stopping");
    EXPECT_TRUE(asked_name(lanes, "127.0.0.1").get()) << "what was begun can be finished";
  }
  EXPECT_LT(steady::now() - began, 15s) << "it hangs still";
  names.let_go();  // its thread finds nobody
}

TEST(LLM4_names, of_calls_hold_up_no_call_to_another) {
  told_names names;
  const auto lanes = std::make_shared<name_lanes>(names.look());
  adapters::llm_caller_limits limits;
  limits.connect_within_s = 1;
  adapters::llm_caller caller(limits, lanes);
  canned_server server(with_body("200 OK", "{}"));
  const auto call = [&](const std::string& url) {
    auto promise = std::make_shared<std::promise<outcome<adapters::upstream_answer>>>();
    caller.call({{"u", url, {"m"}, {}, 8}, "/x", std::make_shared<const std::string>("{}"), false},
                std::make_shared<call_stopper>(),
                reply_slot<adapters::upstream_answer>(
                    [promise](auto answer) { promise->set_value(std::move(answer)); }));
    return promise->get_future();
  };
  auto hangs = call("http://hangs/v1");
  ASSERT_TRUE(names.await_looks(1));
  auto other = call(server.url("other"));
  ASSERT_EQ(other.wait_for(30s), std::future_status::ready);
  EXPECT_TRUE(other.get());
  ASSERT_EQ(hangs.wait_for(30s), std::future_status::ready) << "it has its own deadline";
  EXPECT_EQ(hangs.get().error().code, errc::unavailable);
  auto stopped = call("http://hangs/v1");
  caller.stop_names();
  ASSERT_EQ(stopped.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(stopped.get().error().detail, "the server is stopping");
}

}  // namespace
