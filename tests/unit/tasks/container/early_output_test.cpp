// RUN14: when the beginning of an output is taken while its container runs, what for, and what of a
// shortage: the attempt never hears of it.

#include "tasks/container/early_output.hpp"

#include "adapters/kept_output.hpp"
#include "tasks/container/stored_log.hpp"
#include "tests/unit/actors/runs/memory_log.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"
#include "tests/unit/tasks/container/silent_engine.hpp"

#include <deque>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::tasks;
using adapters::kept_output;

constexpr std::size_t stored_bytes = 4096;

/// Each question waits for its answer.
class printing_engine final : public silent_engine {
 public:
  void collect(std::string, std::size_t, std::shared_ptr<call_stopper> stopper,
               reply_slot<kept_output> slot) override {
    ++reads;
    reading = std::move(stopper);
    answer = std::move(slot);
  }
  void follow(std::string, std::shared_ptr<adapters::output_sink> to,
              std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) override {
    ++follows;
    sink = std::move(to);
    following = std::move(stopper);
    followed = std::move(slot);
  }

  int reads = 0, follows = 0;
  std::shared_ptr<call_stopper> reading, following;
  std::shared_ptr<adapters::output_sink> sink;
  reply_slot<kept_output> answer;
  reply_slot<done> followed;
};

class unused_blobs final : public persistence::blob_port {
 public:
  void put(uuid, std::shared_ptr<const std::string>, reply_slot<digest>) override {}
};

class RUN14_early_output : public ::testing::Test, public attempt_host {
 protected:
  RUN14_early_output() {
    launched.tenant = steps::tenant;
    launched.jobs.resize(1);
    its_ports.early = &rooms;
  }
  const attempt_ports& ports() const override { return its_ports; }
  const domain::run_state& run() const override { return launched; }
  const domain::job_state& job() const override { return launched.jobs[0]; }
  void feed(domain::attempts::input) override { ADD_FAILURE() << "it is told nothing"; }
  void when_allowed(std::function<void(fencing_token)>) override {}
  void after(std::chrono::milliseconds, std::function<void()> f) override {
    timers.push_back(std::move(f));
  }
  std::function<void(std::function<void()>)> gate() override {
    return [](const std::function<void()>& f) { f(); };
  }
  /// So many bytes come, as the engine counts them.
  void print(std::size_t bytes) {
    engine.sink->take({{adapters::log_stream::out, 1, std::string(bytes, 'x'), true}});
  }
  void fire() {
    auto all = std::exchange(timers, {});
    for (const auto& f : all) f();
  }
  bool ends_at_once() {
    bool has = false;
    early.end([&has] { has = true; });
    return has;
  }
  static kept_output output_of(std::size_t bytes) {
    adapters::output_ends ends(ends_of(stored_bytes));
    for (std::size_t made = 0; made < bytes; made += 100) {
      ends.add({adapters::log_stream::out, 0, std::string(99, 'x'), true});
    }
    return ends.finish();
  }
  static kept_output lacking() {
    auto kept = output_of(1'000'000);
    kept.lacks_beginning = true;
    return kept;
  }
  bool has_beginning() const { return early.join(lacking(), ends_of(stored_bytes)).lacks_middle; }

  memory_log::store log;
  memory_log::reads reads{log};
  unused_blobs blobs;
  adapters::work_engines engines;
  redactor redact;
  text_pool texts;
  printing_engine engine;
  early_rooms rooms{{1, 6 * ends_of(stored_bytes)}};
  domain::run_state launched;
  attempt_ports its_ports{reads, blobs, engines, redact, texts, real_clock(), {},
                          {},    {},    {},      {},     {},    {},           stored_bytes};
  std::deque<std::function<void()>> timers;
  early_output early{*this};
};

TEST_F(RUN14_early_output, is_read_at_once_where_some_may_be_lost_and_needs_not_every_line) {
  early.watch(engine, "abc");
  EXPECT_FALSE(engine.sink->needs_every_line());
  EXPECT_EQ(engine.reads, 0);
  engine.sink->lost();
  EXPECT_EQ(engine.reads, 1);
}

TEST_F(RUN14_early_output, of_little_is_followed_once_and_not_read) {
  early.watch(engine, "abc");
  early.watch(engine, "abc");
  print(200'000);
  EXPECT_EQ(engine.follows, 1);
  EXPECT_FALSE(engine.sink->is_full());
  EXPECT_TRUE(ends_at_once());
  EXPECT_TRUE(engine.following->is_stopped());
  EXPECT_EQ(engine.reads, 0);
  EXPECT_TRUE(early.join(lacking(), ends_of(stored_bytes)).lacks_beginning) << "as before";
  EXPECT_TRUE(rooms.place());
}

TEST_F(RUN14_early_output, of_much_is_read_and_kept) {
  early.watch(engine, "abc");
  print(300'000);
  EXPECT_TRUE(engine.sink->is_full()) << "nothing more is counted";
  EXPECT_TRUE(engine.following->is_stopped());
  EXPECT_FALSE(rooms.place()) << "a reading lasts as well";
  ASSERT_EQ(engine.reads, 1);
  engine.answer.answer(output_of(1'000'000));
  engine.answer = {};
  EXPECT_TRUE(rooms.place()) << "others have its place";
  EXPECT_EQ(engine.follows, 1) << "it is enough";
  EXPECT_TRUE(ends_at_once());
  EXPECT_TRUE(has_beginning());
  EXPECT_TRUE(has_beginning()) << "it may be collected once more";
}

TEST_F(RUN14_early_output, is_read_again_where_it_was_not_enough) {
  early.watch(engine, "abc");
  print(300'000);
  engine.answer.answer(output_of(150'000));
  ASSERT_EQ(engine.follows, 2);
  print(1'000'000);
  EXPECT_EQ(engine.reads, 1) << "not before there is four times as much";
  print(100'000);
  ASSERT_EQ(engine.reads, 2);
  engine.answer.answer(output_of(1'000'000));
  EXPECT_EQ(engine.follows, 2);
  EXPECT_TRUE(has_beginning());
}

TEST_F(RUN14_early_output, that_is_being_read_is_waited_for) {
  early.watch(engine, "abc");
  print(300'000);
  int ended = 0;
  early.end([&ended] { ++ended; });
  EXPECT_EQ(ended, 0);
  engine.answer.answer(output_of(150'000));
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(engine.follows, 1) << "it is over";
  EXPECT_TRUE(has_beginning());
}

TEST_F(RUN14_early_output, that_cannot_be_read_is_done_without) {
  early.watch(engine, "abc");
  print(300'000);
  int ended = 0;
  early.end([&ended] { ++ended; });
  engine.answer.answer(reject(errc::timed_out, "TEST: silent"));
  EXPECT_EQ(ended, 1);
  EXPECT_FALSE(has_beginning());
}

TEST_F(RUN14_early_output, whose_beginning_may_be_lost_already_is_not_kept) {
  early.watch(engine, "abc");
  print(300'000);
  engine.answer.answer(lacking());
  EXPECT_TRUE(ends_at_once());
  EXPECT_FALSE(has_beginning());
  EXPECT_EQ(engine.follows, 1);
}

TEST_F(RUN14_early_output, waits_for_a_place) {
  auto others = rooms.place();
  early.watch(engine, "abc");
  fire();
  EXPECT_EQ(engine.follows, 0);
  others.reset();
  fire();
  EXPECT_EQ(engine.follows, 1);
}

TEST_F(RUN14_early_output, gives_its_place_to_others_that_want_one) {
  early.watch(engine, "abc");
  fire();
  EXPECT_FALSE(engine.following->is_stopped()) << "nobody wanted it";
  const auto other = rooms.wait();
  fire();
  EXPECT_TRUE(engine.following->is_stopped());
  EXPECT_TRUE(rooms.place());
  fire();
  EXPECT_EQ(engine.follows, 2) << "later it gets one again";
}

TEST_F(RUN14_early_output, where_one_waits_one_gives_way) {
  early_rooms three{{3, 1 << 20}};
  auto first = three.place();
  const auto second = three.place(), third = three.place();
  EXPECT_FALSE(three.give_way());
  auto waits = three.wait();
  EXPECT_TRUE(three.give_way());
  EXPECT_FALSE(three.give_way());
  first.reset();
  first = three.place();
  ASSERT_TRUE(first);
  waits.reset();
  EXPECT_FALSE(three.give_way());
  waits = three.wait();
  EXPECT_TRUE(three.give_way());
}

TEST_F(RUN14_early_output, that_could_not_be_read_is_tried_again) {
  early.watch(engine, "abc");
  print(300'000);
  engine.answer.answer(reject(errc::timed_out, "TEST: silent"));
  EXPECT_EQ(engine.follows, 1);
  fire();
  ASSERT_EQ(engine.follows, 2);
  print(300'000);
  engine.answer.answer(output_of(1'000'000));
  EXPECT_TRUE(has_beginning());
}

TEST_F(RUN14_early_output, that_is_over_holds_no_room) {
  early.watch(engine, "abc");
  print(300'000);
  engine.answer.answer(output_of(1'000'000));
  EXPECT_FALSE(rooms.keep(steps::tenant, 3 * ends_of(stored_bytes)));
  early.let_go();
  EXPECT_TRUE(rooms.keep(steps::tenant, 3 * ends_of(stored_bytes)));
  EXPECT_FALSE(has_beginning());
}

TEST_F(RUN14_early_output, is_not_read_without_room) {
  const auto most = 2 * ends_of(stored_bytes);
  const auto own = rooms.keep(steps::tenant, most);
  ASSERT_TRUE(own);
  early.watch(engine, "abc");
  print(300'000);
  EXPECT_EQ(engine.reads, 0);
  EXPECT_TRUE(ends_at_once());
}

TEST_F(RUN14_early_output, holds_room_for_no_more_than_it_keeps) {
  early.watch(engine, "abc");
  print(300'000);
  EXPECT_FALSE(rooms.keep(steps::tenant, ends_of(stored_bytes) * 3 / 2));
  engine.answer.answer(output_of(1'000'000));
  EXPECT_TRUE(rooms.keep(steps::tenant, ends_of(stored_bytes) * 3 / 2));
}

TEST_F(RUN14_early_output, is_followed_again_when_the_engine_is_back) {
  early.watch(engine, "abc");
  engine.followed.answer(reject(errc::timed_out, "TEST: away"));
  EXPECT_TRUE(rooms.place());
  early.watch(engine, "abc");
  EXPECT_EQ(engine.follows, 2);
  engine.followed.answer(reject(errc::overloaded, "TEST: for a moment"));
  fire();
  EXPECT_EQ(engine.follows, 3) << "nobody says again that it runs";
  engine.followed.answer(reject(errc::not_found, "TEST: removed"));
  fire();
  EXPECT_EQ(engine.follows, 3);
}

TEST_F(RUN14_early_output, that_nobody_waits_for_is_stopped) {
  early.watch(engine, "abc");
  print(300'000);
  early.end([] { ADD_FAILURE() << "nobody waits"; });
  early.let_go();
  EXPECT_TRUE(engine.reading->is_stopped());
  engine.answer.answer(output_of(1'000'000));
  EXPECT_FALSE(has_beginning());
}

}  // namespace
