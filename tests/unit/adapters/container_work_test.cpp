// Attempts as containers: what counts as the attempt's own, and what a submission makes of what it
// finds.

#include "adapters/container_work.hpp"

#include "adapters/simulated/simulated_engine.hpp"
#include "tests/unit/adapters/engine_calls.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <string>

namespace {

using namespace reeve::adapters;
using engine_calls::ask;
using engine_calls::code_of;
using reeve::errc;
using reeve::fencing_token;
using reeve::reply_slot;
using reeve::domain::end_reason;
using reeve::domain::attempts::execution_phase;
using reeve::domain::attempts::failed;
using reeve::domain::attempts::failure;
using reeve::domain::attempts::found;
using reeve::domain::attempts::found_where;
using reeve::domain::attempts::refused;
using reeve::domain::attempts::submitted;

const std::string image = "sha256:" + std::string(64, 'a');
const std::string other_image = "sha256:" + std::string(64, 'b');

/// The simulated engine with an identity that can change and a start that can fail.
class swapped_engine final : public simulated_engine {
 public:
  void version_info(reply_slot<engine_version> slot) override {
    slot.answer(engine_version{"1", "1.41", true, swapped ? "second" : "first"});
  }
  void start(fencing_token by, std::string container, reply_slot<start_result> slot) override {
    if (starts == errc::bad_request) return simulated_engine::start(by, container, slot);
    slot.answer(reeve::reject(starts, "as told"));
  }
  void wait(std::string container, reply_slot<wait_result> slot) override {
    ++waits;
    simulated_engine::wait(container, slot);
  }
  void inspect_image(std::string ref, reply_slot<image_info> slot) override {
    simulated_engine::inspect_image(
        ref, reply_slot<image_info>([this, slot](reeve::outcome<image_info> found) {
          if (found) found->volumes = volumes;
          slot.answer(std::move(found));
        }));
  }
  void inspect(std::string id_or_name, reply_slot<container_info> slot) override {
    simulated_engine::inspect(
        id_or_name, reply_slot<container_info>([this, slot](reeve::outcome<container_info> found) {
          if (found && !unasked.empty()) found->mounts.push_back({"v", unasked});
          slot.answer(std::move(found));
        }));
  }
  void look_at(std::string, std::string path, reply_slot<path_kind> slot) override {
    ++looks;
    if (path == link) return slot.answer(path_kind::link);
    if (look_fails != errc::bad_request) return slot.answer(reeve::reject(look_fails, "as told"));
    slot.answer(path_kind::folder);
  }
  void put_archive(fencing_token by, std::string container, std::string path, shared_bytes tar,
                   reply_slot<reeve::done> slot) override {
    ++archives;
    simulated_engine::put_archive(by, container, path, tar, slot);
  }
  std::vector<std::string> volumes;  // of every image
  std::string link;                  // in every container
  std::string unasked;               // mounted in every container, if not empty
  std::atomic<int> looks{0}, archives{0};
  std::atomic<errc> look_fails{errc::bad_request};  // bad_request: it does not
  std::atomic<int> waits{0};
  std::atomic<bool> swapped{false};
  std::atomic<errc> starts{errc::bad_request};  // bad_request: they work
};

class RUN7_container_work : public testing::Test {
 protected:
  RUN7_container_work() {
    key.labels = {{"reeve.instance", "i"}, {"reeve.job", "j"}, {"reeve.attempt", "1"}};
    key.name = key.volume = "reeve-x-a1";
    key.image_id = image;
    key.engine_id = "first";
    spec.archive = std::make_shared<const std::string>("files");
    spec.hindrance = [] { return std::optional<end_reason>(); };
    spec.container.name = spec.container.volume = key.name;
    spec.container.image_id = image;
    spec.container.entrypoint = {std::string(init_path), std::string(marker_path), "--"};
    spec.container.command = {"sleep", "60"};
    spec.container.labels = key.labels;
    spec.container.memory_bytes = 64 << 20;
    spec.container.nano_cpus = 500'000'000;
  }

  found look() {
    auto answer = ask<found>([&](auto slot) { work.find(key, slot); });
    EXPECT_TRUE(answer) << code_of(answer);
    return answer ? *answer : found{};
  }
  submit_answer submit() {
    auto answer = ask<submit_answer>([&](auto slot) { work.submit(key, spec, {1}, slot); });
    EXPECT_TRUE(answer);
    return answer ? *answer : submit_answer(failed{});
  }
  std::string create(container_spec what) {
    auto made = ask<created_container>([&](auto slot) { engine.create_container({}, what, slot); });
    EXPECT_TRUE(made) << code_of(made);
    return made ? made->id : "";
  }

  swapped_engine engine;
  container_work work{engine, 4};
  work_key key;
  work_spec spec;
};

}  // namespace

TEST_F(RUN7_container_work, is_found_when_it_was_submitted) {
  EXPECT_EQ(look().where, found_where::nowhere);
  const auto made = submit();
  ASSERT_TRUE(std::holds_alternative<submitted>(made));
  const auto& what = std::get<submitted>(made).what;
  EXPECT_GT(what.started_at, 0);
  EXPECT_EQ(what.phase, execution_phase::running);
  EXPECT_EQ(look().where, found_where::here);
  EXPECT_EQ(look().what.id, what.id);
  key.execution = what.id;
  EXPECT_EQ(look().what.started_at, what.started_at);
}

TEST_F(RUN7_container_work, is_never_submitted_over_one_that_started) {
  ASSERT_TRUE(std::holds_alternative<submitted>(submit()));
  const auto again = submit();
  ASSERT_TRUE(std::holds_alternative<failed>(again));
  EXPECT_FALSE(std::get<failed>(again).may_run) << "this one was not started";
}

TEST_F(RUN7_container_work, replaces_one_that_never_started) {
  const auto old = create(spec.container);
  EXPECT_EQ(look().what.phase, execution_phase::created);
  const auto made = submit();
  ASSERT_TRUE(std::holds_alternative<submitted>(made));
  EXPECT_NE(std::get<submitted>(made).what.id, old);
}

TEST_F(RUN7_container_work, leaves_alone_what_only_looks_like_it) {
  auto copy = spec.container;
  copy.image_id = other_image;  // docker commit keeps the labels
  copy.volume.clear();
  const auto id = create(copy);
  EXPECT_EQ(look().where, found_where::foreign);
  EXPECT_TRUE(std::holds_alternative<failed>(submit()));
  EXPECT_TRUE(ask<reeve::done>([&](auto slot) { work.forget(key, {1}, slot); }));
  auto still = ask<container_info>([&](auto slot) { engine.inspect(id, slot); });
  EXPECT_TRUE(still) << "it was removed";
}

/// `docker system prune --volumes`: what was there before the intent is gone, and with it whatever
/// would have told that it ran.
TEST_F(RUN7_container_work, whose_volume_came_first_and_is_gone_is_erased) {
  key.volume_came_first = true;
  ASSERT_TRUE(
      ask<reeve::done>([&](auto slot) { engine.create_volume({}, key.volume, key.labels, slot); }));
  EXPECT_EQ(look().where, found_where::nowhere);
  ASSERT_TRUE(ask<reeve::done>([&](auto slot) { engine.remove_volume({}, key.volume, slot); }));
  EXPECT_EQ(look().where, found_where::erased);
}

TEST_F(RUN7_container_work, of_another_engine_is_elsewhere) {
  engine.swapped = true;
  EXPECT_EQ(look().where, found_where::other_engine);
  auto has =
      ask<engine_capabilities>([&](auto slot) { work.capabilities("localhost:1/a:1", slot); });
  ASSERT_TRUE(has);
  EXPECT_EQ(has->engine, "simulated");
  EXPECT_EQ(has->engine_id, "second");
}

/// An image that brings a volume along where the marker lies would take the marker elsewhere.
TEST_F(RUN7_container_work, of_an_image_that_hides_our_volume_is_refused) {
  const auto code = [&] {
    return code_of(
        ask<engine_capabilities>([&](auto slot) { work.capabilities("localhost:1/a:1", slot); }));
  };
  for (const char* path : {"/reeve/state", "/reeve/state/", "/var/../reeve/x", "//reeve//state",
                           "reeve/state", "/", "/var/.."}) {
    engine.volumes = {"/var/lib/data", path};
    EXPECT_EQ(code(), "invalid") << path;
  }
  engine.volumes = {"/var/lib/data", "/reeve", "/reeve/", "/reeves/x", "/a/reeve/b"};
  EXPECT_EQ(code(), "ok") << "a volume of ours takes the place of one at the same path";
}

/// The engine follows links of the image, and so does an archive that is put there.
TEST_F(RUN7_container_work, with_a_mount_through_a_link_gets_no_files_and_is_not_started) {
  EXPECT_TRUE(std::holds_alternative<submitted>(submit()));
  EXPECT_EQ(engine.looks, 0) << "where nothing else is mounted there is nothing to look at";
  EXPECT_EQ(engine.archives, 1);
  EXPECT_TRUE(ask<reeve::done>([&](auto slot) { work.forget(key, {1}, slot); }));

  spec.container.image_volumes = {"/srv/data"};
  for (const char* link : {"/srv", "/srv/data", "/reeve"}) {
    engine.link = link;
    const auto made = submit();
    ASSERT_TRUE(std::holds_alternative<refused>(made)) << link;
    EXPECT_EQ(std::get<refused>(made).why, end_reason::engine_refused) << link;
    EXPECT_EQ(look().what.phase, execution_phase::created) << link;
  }
  engine.link = "/elsewhere";
  engine.look_fails = errc::invalid;
  EXPECT_EQ(std::get<refused>(submit()).why, end_reason::engine_refused);
  engine.look_fails = errc::timed_out;
  EXPECT_FALSE(std::get<failed>(submit()).may_run);
  EXPECT_EQ(engine.archives, 1) << "nothing was written into any of them";
  engine.look_fails = errc::not_found;
  EXPECT_TRUE(std::holds_alternative<submitted>(submit())) << "the engine makes the folder";
  EXPECT_EQ(engine.archives, 2);
}

TEST_F(RUN7_container_work, with_a_mount_that_nobody_asked_for_is_not_started) {
  for (const char* path : {"/reeve/state", "/reeve", "/data"}) {
    engine.unasked = path;
    const auto made = submit();
    ASSERT_TRUE(std::holds_alternative<refused>(made)) << path;
    EXPECT_EQ(std::get<refused>(made).why, end_reason::engine_refused) << path;
    EXPECT_EQ(look().what.phase, execution_phase::created) << path;
  }
}

TEST_F(RUN7_container_work, has_its_volume_before_its_intent) {
  key.volume_came_first = true;
  ASSERT_TRUE(ask<reeve::done>([&](auto slot) { work.prepare(key, {1}, slot); }));
  ASSERT_TRUE(ask<reeve::done>([&](auto slot) { work.prepare(key, {1}, slot); })) << "twice";
  EXPECT_EQ(look().where, found_where::nowhere);
  EXPECT_TRUE(std::holds_alternative<submitted>(submit()));
}

/// The intent names an engine, and the socket led to another one since, without a failed call.
TEST_F(RUN7_container_work, is_not_started_on_an_engine_that_the_intent_does_not_name) {
  engine.swapped = true;
  const auto made = submit();
  ASSERT_TRUE(std::holds_alternative<failed>(made));
  EXPECT_FALSE(std::get<failed>(made).may_run);
  EXPECT_EQ(look().where, found_where::other_engine) << "and what was made there is gone";
  engine.swapped = false;
  EXPECT_TRUE(std::holds_alternative<submitted>(submit()));
}

TEST_F(RUN7_container_work, that_is_refused_says_why) {
  spec.hindrance = [] { return std::optional(end_reason::not_allowlisted); };
  EXPECT_EQ(std::get<refused>(submit()).why, end_reason::not_allowlisted);
  spec.hindrance = [] { return std::optional<end_reason>(); };
  engine.starts = errc::invalid;
  EXPECT_EQ(std::get<refused>(submit()).why, end_reason::start_failed);
}

/// A cancel that came while it was made: there is something to forget, and nothing ran.
TEST_F(RUN7_container_work, that_is_not_wanted_any_more_is_made_and_not_started) {
  int looks = 0;
  spec.hindrance = [&looks] {
    return ++looks > 1 ? std::optional(end_reason::cancelled) : std::nullopt;
  };
  EXPECT_EQ(std::get<refused>(submit()).why, end_reason::cancelled);
  EXPECT_EQ(look().what.phase, execution_phase::created);
}

TEST_F(RUN7_container_work, whose_start_is_unclear_may_run) {
  engine.starts = errc::timed_out;
  EXPECT_TRUE(std::get<failed>(submit()).may_run);
  engine.starts = errc::internal;
  EXPECT_TRUE(std::get<failed>(submit()).may_run);
  for (const auto code :
       {errc::engine_unavailable, errc::fenced, errc::overloaded, errc::not_found}) {
    engine.starts = code;
    EXPECT_FALSE(std::get<failed>(submit()).may_run) << name_of(code);
  }
  engine.starts = errc::bad_request;
  EXPECT_TRUE(std::holds_alternative<submitted>(submit()));
}

TEST_F(RUN7_container_work, stops_what_runs_and_says_whether_it_did) {
  const auto made = submit();
  const auto id = std::get<submitted>(made).what.id;
  const auto stop = [&] {
    return ask<stop_result>([&](auto slot) { work.stop(id, 1, {1}, slot); });
  };
  EXPECT_TRUE(stop()->was_running);
  EXPECT_FALSE(stop()->was_running);
  key.execution = id;
  EXPECT_TRUE(ask<reeve::done>([&](auto slot) { work.forget(key, {1}, slot); }));
  EXPECT_FALSE(stop()->was_running) << "what is gone does not run";
  EXPECT_EQ(look().where, found_where::nowhere);
}

/// A run that is read again and again watches its containers each time.
TEST_F(RUN7_container_work, is_asked_for_its_end_once_however_often_it_is_watched) {
  const auto id = std::get<submitted>(submit()).what.id;
  engine_calls::pending<wait_result> first, second;
  work.watch(id, first.slot());
  work.watch(id, second.slot());
  EXPECT_EQ(engine.waits, 1);
  EXPECT_EQ(code_of(first.take()), "unavailable") << "its asker is gone";
  EXPECT_TRUE(ask<stop_result>([&](auto slot) { work.stop(id, 1, {1}, slot); }));
  EXPECT_TRUE(second.take());
  engine_calls::pending<wait_result> third;
  work.watch(id, third.slot());
  EXPECT_TRUE(third.take());
  EXPECT_EQ(engine.waits, 2);
}

TEST(RUN7_failures, are_told_apart_by_what_may_have_happened) {
  EXPECT_EQ(failure_of(errc::engine_unavailable), failure::away);
  EXPECT_EQ(failure_of(errc::overloaded), failure::busy);
  EXPECT_EQ(failure_of(errc::fenced), failure::busy);
  EXPECT_EQ(failure_of(errc::timed_out), failure::silent);
  EXPECT_EQ(failure_of(errc::internal), failure::broken);
  EXPECT_EQ(failure_of(errc::engine_unreadable), failure::unreadable);
}

TEST(CTR8_questions, are_answered_by_a_refusal_and_by_nothing_less) {
  for (const auto code : {errc::not_found, errc::invalid, errc::conflict}) {
    EXPECT_FALSE(is_unanswered(code)) << name_of(code);
  }
  for (const auto code :
       {errc::engine_unavailable, errc::overloaded, errc::timed_out, errc::internal,
        errc::engine_unreadable, errc::unavailable, errc::fenced}) {
    EXPECT_TRUE(is_unanswered(code)) << name_of(code);
  }
}
