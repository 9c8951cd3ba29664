#include "adapters/guarded_engine.hpp"
#include "tests/unit/adapters/docker/docker_box.hpp"
#include "tests/unit/adapters/docker/private_dockerd.hpp"

#include <cstdlib>
#include <gmock/gmock.h>
#include <mutex>

namespace {

using docker_box::box;
using engine_calls::ask;
using engine_calls::code_of;
using engine_calls::pending;
using reeve::done;
using reeve::errc;
using namespace reeve::adapters;
using testing::ElementsAre;
using testing::HasSubstr;

/// Against the shared engine whose socket ./test gives.
class CTR1_docker : public testing::Test {
 protected:
  void SetUp() override {
    const char* socket = std::getenv("REEVE_TEST_DOCKER_SOCK");
    ASSERT_TRUE(socket && *socket) << "REEVE_TEST_DOCKER_SOCK must name the socket of a container "
                                      "engine for tests; ./test starts one and sets it";
    made_ = std::make_unique<box>(socket);
  }
  box& on() { return *made_; }

 private:
  std::unique_ptr<box> made_;
};

}  // namespace

TEST_F(CTR1_docker, tells_its_versions) {
  EXPECT_EQ(code_of(ask<done>([&](auto slot) { on().engine.ping(slot); })), "ok");
  auto version = ask<engine_version>([&](auto slot) { on().engine.version_info(slot); });
  ASSERT_TRUE(version) << version.error().detail;
  EXPECT_FALSE(version->version.empty());
  EXPECT_THAT(version->api_version, HasSubstr("1."));
}

TEST_F(CTR1_docker, a_container_lives_its_whole_life) {
  auto spec = on().shell(
      "cat /reeve/in/greeting.txt; echo problem >&2; echo out > /reeve/out/f; id -u; exit 7");
  auto id = on().prepare(spec);
  auto created = on().inspect(spec.name);
  EXPECT_EQ(created.id, id);
  EXPECT_EQ(created.status, "created");
  EXPECT_EQ(created.started_at, 0);
  EXPECT_EQ(created.image_id, on().image);
  EXPECT_EQ(on().start(id), "ok");
  EXPECT_EQ(on().wait(id), 7);
  auto ended = on().inspect(id);
  EXPECT_EQ(ended.status, "exited");
  EXPECT_EQ(ended.exit_code, 7);
  EXPECT_GT(ended.started_at, 0);
  // Two processes of the engine's write them down: the end can lie milliseconds before the start.
  EXPECT_GE(ended.finished_at + reeve::us_per_second, ended.started_at);
  EXPECT_EQ(ended.labels.at("reeve.test"), spec.name);
  EXPECT_THAT(on().lines(id, log_stream::out), ElementsAre("hello", "65534"));
  EXPECT_THAT(on().lines(id, log_stream::err), ElementsAre("problem"));
  auto removed = ask<done>([&](auto slot) { on().engine.remove_container({}, id, false, slot); });
  EXPECT_EQ(code_of(removed), "ok");
  auto volume = ask<done>([&](auto slot) { on().engine.remove_volume({}, spec.volume, slot); });
  EXPECT_EQ(code_of(volume), "ok");
  auto gone = ask<container_info>([&](auto slot) { on().engine.inspect(id, slot); });
  EXPECT_EQ(code_of(gone), "not_found");
}

TEST_F(CTR1_docker, P10_of_twelve_creates_of_one_name_one_succeeds) {
  auto spec = on().shell("true");
  std::vector<pending<created_container>> calls(12);
  for (auto& call : calls) on().engine.create_container({}, spec, call.slot());
  std::map<std::string, int> codes;
  for (auto& call : calls) ++codes[code_of(call.take())];
  EXPECT_EQ(codes, (std::map<std::string, int>{{"ok", 1}, {"conflict", 11}}));
}

TEST_F(CTR1_docker, P10_starting_twice_is_told_apart) {
  auto id = on().prepare(on().shell("sleep 60"));
  auto first = ask<start_result>([&](auto slot) { on().engine.start({}, id, slot); });
  auto again = ask<start_result>([&](auto slot) { on().engine.start({}, id, slot); });
  ASSERT_TRUE(first && again);
  EXPECT_FALSE(first->already_running);
  EXPECT_TRUE(again->already_running);
}

TEST_F(CTR1_docker, RUN7_the_command_cannot_take_the_marker_away) {
  auto spec = on().shell(
      "rm -f /reeve/state/started; mv /reeve/state /reeve/out/gone; echo > /reeve/state/more;"
      " mkdir /reeve/out/d; echo > /reeve/out/e; mv /reeve/out/e /reeve/out/d/f; ls /reeve/state"
      " /reeve/out/d");
  auto id = on().prepare(spec);
  EXPECT_EQ(on().start(id), "ok");
  EXPECT_EQ(on().wait(id), 0);
  EXPECT_THAT(on().lines(id, log_stream::out),
              ElementsAre("/reeve/out/d:", "f", "", "/reeve/state:", "started"))
      << "everything else may be written as before";
  EXPECT_EQ(on().start(id), "ok");
  EXPECT_EQ(on().wait(id), 125);
}

TEST_F(CTR1_docker, RUN7_the_marker_refuses_a_second_execution) {
  auto spec = on().shell("echo effect >> /reeve/out/effects; echo ran");
  auto id = on().prepare(spec);
  EXPECT_EQ(on().start(id), "ok");
  EXPECT_EQ(on().wait(id), 0);
  EXPECT_EQ(on().start(id), "ok") << "the engine itself would run it again";
  EXPECT_EQ(on().wait(id), 125);
  EXPECT_THAT(on().lines(id, log_stream::out), ElementsAre("ran"));
  EXPECT_THAT(on().lines(id, log_stream::err),
              ElementsAre(HasSubstr("a second execution was refused")));
  auto reader = on().guarded({"/bin/cat", "/reeve/out/effects"});
  reader.volume = spec.volume;
  reader.entrypoint = {};
  auto made =
      ask<created_container>([&](auto slot) { on().engine.create_container({}, reader, slot); });
  ASSERT_TRUE(made);
  EXPECT_EQ(on().start(made->id), "ok");
  EXPECT_EQ(on().wait(made->id), 0);
  EXPECT_THAT(on().lines(made->id, log_stream::out), ElementsAre("effect"));
}

TEST_F(CTR1_docker, P11_a_container_has_no_rights_to_speak_of) {
  auto id = on().prepare(
      on().shell("cat /proc/self/status; cat /proc/net/dev; touch /x || echo root is read-only"));
  EXPECT_EQ(on().start(id), "ok");
  EXPECT_EQ(on().wait(id), 0);
  auto lines = on().lines(id, log_stream::out);
  EXPECT_THAT(lines, testing::Contains("CapEff:\t0000000000000000"));
  EXPECT_THAT(lines, testing::Contains("CapBnd:\t0000000000000000"));
  EXPECT_THAT(lines, testing::Contains("NoNewPrivs:\t1"));
  EXPECT_THAT(lines, testing::Contains("root is read-only"));
  EXPECT_THAT(lines, testing::Not(testing::Contains(HasSubstr("eth0"))));
}

TEST_F(CTR1_docker, P12_signals_reach_the_command_and_stop_converges) {
  auto polite = on().prepare(
      on().shell("trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.05; done"));
  auto stubborn = on().prepare(on().shell("trap '' TERM; echo up; sleep 600"));
  for (const auto& id : {polite, stubborn}) {
    ASSERT_EQ(on().start(id), "ok");
    ASSERT_TRUE(
        private_engine::poll_until([&] { return !on().lines(id, log_stream::out).empty(); }));
  }
  const auto stop = [&](const std::string& which, int grace_s) {
    auto ended = ask<stop_result>([&](auto slot) { on().engine.stop({}, which, grace_s, slot); });
    return ended ? std::string(ended->was_running ? "ended it" : "too late") : code_of(ended);
  };
  EXPECT_EQ(stop(polite, 30), "ended it");
  EXPECT_EQ(stop(polite, 30), "too late");
  EXPECT_EQ(on().wait(polite), 3);
  EXPECT_THAT(on().lines(polite, log_stream::out), ElementsAre("up", "asked"));
  EXPECT_EQ(stop(stubborn, 1), "ended it");
  EXPECT_EQ(on().wait(stubborn), 137);
  EXPECT_EQ(code_of(ask<done>([&](auto slot) { on().engine.kill({}, stubborn, 9, slot); })),
            "conflict");
  EXPECT_EQ(stop(stubborn, 1), "too late");
}

TEST_F(CTR1_docker, logs_are_cut_at_the_limit_and_gone_on_from_there) {
  auto id = on().prepare(on().shell("seq 100000 140000"));
  ASSERT_EQ(on().start(id), "ok");
  ASSERT_EQ(on().wait(id), 0);
  std::vector<std::string> all;
  log_query query{.max_bytes = 128 << 10};
  bool more = true;
  for (int turns = 0; more && turns < 20; ++turns) {
    auto part = ask<log_answer>([&](auto slot) { on().engine.logs(id, query, slot); });
    ASSERT_TRUE(part) << part.error().detail;
    more = part->truncated;
    for (const auto& line : part->lines) {
      all.push_back(line.text);
      query.since_ns = std::max(query.since_ns, line.at_ns + 1);
    }
  }
  ASSERT_EQ(all.size(), 40001u) << "nothing lost, nothing twice";
  EXPECT_EQ(all.front(), "100000");
  EXPECT_EQ(all.back(), "140000");
}

TEST_F(CTR1_docker, refusals_keep_their_meaning) {
  auto& engine = on().engine;
  auto image = [&](const std::string& ref) {
    return code_of(ask<image_info>([&](auto slot) { engine.inspect_image(ref, slot); }));
  };
  EXPECT_EQ(image("localhost:1/box:1"), "ok");
  EXPECT_EQ(image(on().image), "ok");
  EXPECT_EQ(image("localhost:1/absent:1"), "not_found");
  EXPECT_EQ(image("../containers/json?"), "invalid");
  EXPECT_EQ(on().start("reeve-test-absent"), "not_found");
  auto spec = on().shell("true");
  spec.image_id = "sha256:" + std::string(64, '1');
  auto made = ask<created_container>([&](auto slot) { engine.create_container({}, spec, slot); });
  EXPECT_EQ(code_of(made), "not_found");
  auto broken = ask<std::string>([&](auto slot) {
    engine.import_image({}, {"no tar", ""}, "localhost:1/bad:1", slot);
  });
  EXPECT_FALSE(broken);
  auto missing = on().guarded({"/bin/no-such-program"});
  EXPECT_EQ(on().run(missing), 127) << "reeve-init says what was not found";
}

TEST_F(CTR1_docker, lists_by_label) {
  auto spec = on().shell("true");
  auto id = on().prepare(spec);
  auto found = ask<std::vector<container_summary>>([&](auto slot) {
    on().engine.list({{"reeve.test", spec.name}}, slot);
  });
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().id, id);
  EXPECT_EQ(found->front().name, spec.name);
  EXPECT_EQ(found->front().state, "created");
  EXPECT_EQ(found->front().image_id, on().image);
}

TEST_F(CTR1_docker, CTR6_lists_volumes_by_label) {
  const auto spec = on().guarded({"true"});
  const auto named = [&](const std::string& value) {
    auto found = ask<std::vector<volume_summary>>([&](auto slot) {
      on().engine.list_volumes({{"reeve.test", spec.name}, {"reeve.other", value}}, slot);
    });
    EXPECT_TRUE(found);
    return found ? *found : std::vector<volume_summary>();
  };
  EXPECT_TRUE(named("1").empty());
  const label_map labels{{"reeve.test", spec.name}, {"reeve.other", "1"}};
  ASSERT_TRUE(ask<reeve::done>(
      [&](auto slot) { on().engine.create_volume({}, spec.volume, labels, slot); }));
  ASSERT_EQ(named("1").size(), 1u);
  EXPECT_EQ(named("1").front().name, spec.volume);
  EXPECT_EQ(named("1").front().labels, labels);
  EXPECT_TRUE(named("2").empty());
  ASSERT_TRUE(
      ask<reeve::done>([&](auto slot) { on().engine.remove_volume({}, spec.volume, slot); }));
  EXPECT_TRUE(named("1").empty());
}

TEST(CTR1_docker_absent, no_socket_means_nothing_was_sent) {
  docker_engine engine{{.socket_path = "/nonexistent/engine.sock"}};
  auto made = ask<start_result>([&](auto slot) { engine.start({}, "some-container", slot); });
  EXPECT_EQ(code_of(made), "engine_unavailable");
  EXPECT_FALSE(may_have_happened(made.error().code));
}

TEST(P10_docker_crash, an_engine_killed_during_wait_is_an_unknown_outcome) {
  private_engine::dockerd own;
  ASSERT_TRUE(own.start());
  box on{own.socket()};
  auto id = on.prepare(on.shell("sleep 600"));
  ASSERT_EQ(on.start(id), "ok");
  pending<wait_result> ended;
  on.engine.wait(id, ended.slot());
  ASSERT_EQ(on.inspect(id).status, "running");
  own.crash();
  auto result = ended.take(10);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, errc::timed_out);
  EXPECT_TRUE(may_have_happened(result.error().code));
  EXPECT_EQ(on.start(id), "engine_unavailable");
  ASSERT_TRUE(own.start());
  EXPECT_EQ(on.inspect(id).status, "running") << "it ran on, and the engine found it again";
}

TEST(P31_docker, sends_no_change_that_is_not_allowed_at_that_moment) {
  private_engine::dockerd own;
  ASSERT_TRUE(own.start());
  std::atomic<bool> allowed{false};
  docker_engine engine{docker_options{own.socket(), 16,
                                      [&allowed](reeve::fencing_token) { return allowed.load(); }}};
  const std::string name = "reeve-may-change";
  const auto create = [&](auto slot) { engine.create_volume({}, name, {}, slot); };
  EXPECT_EQ(code_of(ask<done>(create)), "fenced");
  EXPECT_TRUE(ask<done>([&](auto slot) { engine.ping(slot); }));
  allowed = true;
  const auto remove = [&](auto slot) { engine.remove_volume({}, name, slot); };
  EXPECT_EQ(code_of(ask<done>(remove)), "not_found") << "the refused change was sent";
  EXPECT_TRUE(ask<done>(create));
  EXPECT_TRUE(ask<done>(remove));
}

TEST(P12_docker_frozen, a_frozen_engine_times_out_opens_the_breaker_and_comes_back) {
  private_engine::dockerd own;
  ASSERT_TRUE(own.start());
  std::mutex mutex;
  std::vector<bool> seen;
  guarded_engine engine{std::make_unique<docker_engine>(docker_options{own.socket()}),
                        {.probe_up_ms = 200, .probe_down_ms = 200},
                        {[&](const engine_status& now) {
                           std::lock_guard lock{mutex};
                           seen.push_back(now.available);
                         },
                         {}}};
  ASSERT_TRUE(private_engine::poll_until([&] { return engine.status().available; }));
  EXPECT_TRUE(engine.status().live_restore);
  EXPECT_TRUE(engine.status().data_root.starts_with('/')) << engine.status().data_root;
  own.signal(SIGSTOP);
  // Its threads stop one after the other.
  const auto ping = [&] { return code_of(ask<done>([&](auto slot) { engine.ping(slot); })); };
  ASSERT_TRUE(private_engine::poll_until([&] { return ping() == "timed_out"; }));
  ASSERT_TRUE(private_engine::poll_until([&] { return engine.status().breaker == "open"; }));
  EXPECT_FALSE(engine.status().available);
  auto refused = ask<start_result>([&](auto slot) { engine.start({}, "some-container", slot); });
  EXPECT_EQ(code_of(refused), "engine_unavailable");
  own.signal(SIGCONT);
  ASSERT_TRUE(private_engine::poll_until([&] { return engine.status().available; }));
  auto answered = ask<start_result>([&](auto slot) { engine.start({}, "some-container", slot); });
  EXPECT_EQ(code_of(answered), "not_found");
  std::lock_guard lock{mutex};
  // On a busy machine the probe may see it come and go more than once.
  ASSERT_GE(seen.size(), 3U);
  EXPECT_TRUE(seen.front());
  EXPECT_FALSE(seen[1]);
  EXPECT_TRUE(seen.back());
}
