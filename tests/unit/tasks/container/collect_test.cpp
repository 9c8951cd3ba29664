// RUN13, P17: the output of a job is read once there is room for it, and once.

#include "tasks/container/container_attempt.hpp"
#include "tasks/container/early_rooms.hpp"
#include "tasks/container/stored_log.hpp"
#include "tests/unit/actors/runs/memory_log.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"

#include <deque>
#include <future>
#include <gtest/gtest.h>
#include <mutex>
#include <optional>
#include <variant>

namespace {

using namespace reeve;
using namespace reeve::tasks;
namespace attempts = domain::attempts;

/// Of which nothing but the output can be asked.
class told_engine final : public adapters::work_engine {
 public:
  std::string_view kind() const override { return "docker"; }
  std::int64_t slots() const override { return 1; }
  std::int64_t starts() const override { return 1; }
  void reach(reply_slot<done>) override {}
  void capabilities(std::string, reply_slot<adapters::engine_capabilities>) override {}
  void prepare(adapters::work_key, fencing_token, reply_slot<done>) override {}
  void find(adapters::work_key, reply_slot<attempts::found>) override {}
  void submit(adapters::work_key, adapters::work_spec, fencing_token,
              reply_slot<adapters::submit_answer>) override {}
  void watch(std::string, reply_slot<adapters::wait_result>) override {}
  void stop(std::string, int, fencing_token, reply_slot<adapters::stop_result>) override {}
  void collect(std::string, std::size_t, std::shared_ptr<call_stopper> stopper,
               reply_slot<adapters::kept_output> slot) override {
    ++reads;
    how = std::move(stopper);
    answer = std::move(slot);
  }
  void forget(adapters::work_key, fencing_token, reply_slot<done>) override {}
  void follow(std::string, std::shared_ptr<adapters::output_sink> to, std::shared_ptr<call_stopper>,
              reply_slot<done> slot) override {
    sink = std::move(to);
    followed = std::move(slot);
  }

  int reads = 0;
  std::shared_ptr<adapters::output_sink> sink;
  reply_slot<done> followed;
  std::shared_ptr<call_stopper> how;
  reply_slot<adapters::kept_output> answer;
};

class kept_blobs final : public persistence::blob_port {
 public:
  void put(uuid, std::shared_ptr<const std::string> bytes, reply_slot<digest> slot) override {
    text = *bytes;
    slot.answer(sha256(text));
  }
  std::string text;
};

text_pool::options small() {
  text_pool::options room;
  room.threads = 1;
  room.bytes = 4 * ends_of(4096);  // two outputs, one of each tenant
  return room;
}

/// Answers come back into its context when it looks for them.
class RUN13_collection : public ::testing::Test, public attempt_host {
 protected:
  RUN13_collection() {
    launched.tenant = steps::tenant;
    launched.jobs.resize(1);
    launched.jobs[0].id = steps::id_of(3);
    domain::run_launched launch;
    launch.directive.tasks = {steps::container_task("a")};
    launched.launch = decltype(launched.launch)(std::move(launch));
    engines.add(engine);
    domain::attempt_state open;
    open.intent.engine = "docker";
    work = std::make_unique<container_attempt>(*this);
    work->resume(open);
  }

  const attempt_ports& ports() const override { return its_ports; }
  const domain::run_state& run() const override { return launched; }
  const domain::job_state& job() const override { return launched.jobs[0]; }
  void feed(attempts::input what) override { fed.push_back(std::move(what)); }
  void when_allowed(std::function<void(fencing_token)>) override {}
  void after(std::chrono::milliseconds, std::function<void()>) override {}
  std::function<void(std::function<void()>)> gate() override {
    return [in = inbox](std::function<void()> f) {
      const std::lock_guard lock(in->mutex);
      in->all.push_back(std::move(f));
      in->changed.notify_all();
    };
  }

  struct inbox_of {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> all;
  };
  /// False: nothing has come.
  bool go_on() {
    std::function<void()> next;
    {
      const std::lock_guard lock(inbox->mutex);
      if (inbox->all.empty()) return false;
      next = std::move(inbox->all.front());
      inbox->all.pop_front();
    }
    next();
    return true;
  }
  void wait_and_go_on() {
    {
      std::unique_lock lock(inbox->mutex);
      inbox->changed.wait(lock, [this] { return !inbox->all.empty(); });
    }
    go_on();
  }
  /// All of a share of the room.
  text_pool::room hold(const uuid& tenant) {
    text_pool::room held;
    texts.ask({tenant, {}}, 2 * ends_of(4096), {}, reply_slot<text_pool::room>([&held](auto got) {
                if (got) held = *got;
              }));
    EXPECT_TRUE(held);
    return held;
  }

  memory_log::store log;
  memory_log::reads reads{log};
  kept_blobs blobs;
  told_engine engine;
  adapters::work_engines engines;
  redactor redact;
  text_pool texts{small()};
  domain::run_state launched;
  attempt_ports its_ports{reads, blobs, engines, redact, texts, real_clock(), {},
                          {},    {},    {},      {},     {},    {},           4096};
  std::shared_ptr<inbox_of> inbox = std::make_shared<inbox_of>();
  std::vector<attempts::input> fed;
  std::unique_ptr<container_attempt> work;
};

/// Also where no pattern would find it.
TEST_F(RUN13_collection, hides_the_token_of_the_attempt_or_keeps_nothing) {
  domain::attempt_state open;
  open.intent.engine = "docker";
  open.intent.attempt = 1;
  open.intent.llm = true;
  work->resume(open);
  std::vector<attempt_name> asked;
  its_ports.token_of = [&](const attempt_name& whose) {
    asked.push_back(whose);
    return std::optional<std::string>("wholly ordinary words");
  };
  work->collect("abc");
  ASSERT_TRUE(go_on());
  engine.answer.answer(adapters::kept_output{"it said wholly ordinary words\n", "", 0});
  for (int i = 0; i < 3; ++i) wait_and_go_on();
  EXPECT_EQ(blobs.text, "it said [redacted:REEVE_LLM_TOKEN]\n");
  ASSERT_FALSE(asked.empty());
  EXPECT_EQ(asked[0], (attempt_name{launched.tenant, launched.id, launched.jobs[0].id, 1}));
  fed.clear();
  blobs.text.clear();
  its_ports.token_of = [](const attempt_name&) { return std::optional<std::string>(); };
  work->collect("abc");
  wait_and_go_on();  // the first one's room may be let go of a moment later
  engine.answer.answer(adapters::kept_output{"it said wholly ordinary words\n", "", 0});
  wait_and_go_on();
  ASSERT_EQ(fed.size(), 1U);
  EXPECT_FALSE(std::get<attempts::collected>(fed[0]).log);
  EXPECT_EQ(blobs.text, "") << "what cannot be looked for cannot be hidden";
}

TEST_F(RUN13_collection, keeps_nothing_of_a_token_that_another_key_made) {
  domain::attempt_state open;
  open.intent.engine = "docker";
  open.intent.attempt = 1;
  open.intent.llm = true;
  open.intent.llm_key = "0011223344556677";
  work->resume(open);
  its_ports.token_of = [](const attempt_name&) { return std::optional<std::string>("of now"); };
  const auto collect = [&] {
    work->collect("abc");
    ASSERT_TRUE(go_on());
    engine.answer.answer(adapters::kept_output{"it said the old one\n", "", 0});
  };
  for (const auto& other : {std::string(), std::string("8899aabbccddeeff")}) {
    its_ports.llm_key = other;
    fed.clear();
    collect();
    wait_and_go_on();
    ASSERT_EQ(fed.size(), 1U);
    EXPECT_FALSE(std::get<attempts::collected>(fed[0]).log) << other;
    EXPECT_EQ(blobs.text, "") << other;
  }
  its_ports.llm_key = *open.intent.llm_key;
  collect();
  for (int i = 0; i < 3; ++i) wait_and_go_on();
  EXPECT_EQ(blobs.text, "it said the old one\n");
}

TEST_F(RUN13_collection, reads_no_output_before_there_is_room_and_then_once) {
  auto own = hold(steps::tenant);
  auto others = hold(steps::id_of(77));
  work->collect("abc");
  EXPECT_FALSE(go_on());
  others.reset();
  EXPECT_FALSE(go_on()) << "it has its share";
  EXPECT_EQ(engine.reads, 0);
  own.reset();
  ASSERT_TRUE(go_on());
  EXPECT_EQ(engine.reads, 1);
  engine.answer.answer(adapters::kept_output{"it said password=hunter2hunter2\n", "", 0});
  wait_and_go_on();  // read
  wait_and_go_on();  // redacted
  wait_and_go_on();  // stored
  EXPECT_EQ(engine.reads, 1);
  EXPECT_EQ(blobs.text.find("hunter2"), std::string::npos);
  ASSERT_EQ(fed.size(), 1U);
  const auto* collected = std::get_if<attempts::collected>(&fed[0]);
  ASSERT_NE(collected, nullptr);
  EXPECT_EQ(collected->log->sha256, sha256(blobs.text));
}

TEST_F(RUN13_collection, gives_its_room_back_when_the_engine_has_nothing) {
  work->collect("abc");
  ASSERT_TRUE(go_on());
  engine.answer.answer(reject(errc::engine_unavailable, "TEST: away"));
  ASSERT_TRUE(go_on());
  ASSERT_EQ(fed.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<attempts::failed>(fed[0]));
  EXPECT_TRUE(hold(steps::tenant));
}

TEST_F(RUN13_collection, ends_its_reading_when_it_is_let_go) {
  work->collect("abc");
  ASSERT_TRUE(go_on());
  ASSERT_EQ(engine.reads, 1);
  EXPECT_FALSE(engine.how->is_stopped());
  work->let_go();
  EXPECT_TRUE(engine.how->is_stopped());
}

TEST_F(RUN13_collection, P17_that_nobody_waits_for_leaves_the_line) {
  auto own = hold(steps::tenant);
  work->collect("abc");
  work->let_go();
  ASSERT_TRUE(go_on());
  ASSERT_EQ(fed.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<attempts::failed>(fed[0]));
  own.reset();
  EXPECT_EQ(engine.reads, 0);
  EXPECT_TRUE(hold(steps::tenant));
}

/// Somebody removed the container before its end was read.
TEST_F(RUN13_collection, RUN14_keeps_what_was_taken_of_an_output_that_is_gone) {
  early_rooms rooms;
  its_ports.early = &rooms;
  work->watch("abc");
  while (go_on()) {
  }
  fed.clear();  // nobody told of its end
  ASSERT_TRUE(engine.sink);
  engine.sink->take({{adapters::log_stream::out, 1, std::string(300'000, 'x'), true}});
  ASSERT_TRUE(go_on());
  ASSERT_EQ(engine.reads, 1);
  std::string much = "the first line\npassword=hunter2hunter2\n";
  while (much.size() < 1'000'000) much += "all is well\n";
  adapters::kept_output begun{much.substr(0, ends_of(4096)), much.substr(700'000), 0};
  begun.left_out = 700'000 - begun.head.size();
  engine.answer.answer(begun);
  work->collect("abc");
  for (int i = 0; i < 2 && engine.reads < 2; ++i) ASSERT_TRUE(go_on());
  ASSERT_EQ(engine.reads, 2);
  adapters::kept_output nothing;
  nothing.gone = true;
  engine.answer.answer(nothing);
  for (int i = 0; i < 3; ++i) wait_and_go_on();
  ASSERT_EQ(fed.size(), 1U);
  const auto& what = std::get<attempts::collected>(fed[0]);
  EXPECT_TRUE(what.gone) << "and so the log is incomplete";
  ASSERT_TRUE(what.log);
  EXPECT_TRUE(what.log->truncated);
  EXPECT_TRUE(blobs.text.starts_with("the first line\npassword=[redacted")) << blobs.text;
  EXPECT_NE(blobs.text.find("[reeve: "), std::string::npos);
}

}  // namespace
