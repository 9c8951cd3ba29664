#include "adapters/simulated/simulated_engine.hpp"

#include "tests/unit/adapters/engine_calls.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve::adapters;
using engine_calls::ask;
using engine_calls::code_of;
using engine_calls::pending;
using reeve::done;

const std::string some_image = "sha256:" + std::string(64, 'a');

container_spec spec_of(const std::string& name, std::vector<std::string> command) {
  container_spec spec;
  spec.name = name;
  spec.image_id = some_image;
  spec.command = std::move(command);
  spec.memory_bytes = 64 << 20;
  spec.nano_cpus = 500'000'000;
  spec.labels = {{"reeve.test", "yes"}};
  return spec;
}

class CTR4_simulated : public testing::Test {
 protected:
  std::string create(const container_spec& spec) {
    auto made = ask<created_container>([&](auto slot) { engine.create_container({}, spec, slot); });
    EXPECT_EQ(code_of(made), "ok");
    return made ? made->id : "";
  }
  std::string start(const std::string& id) {
    return code_of(ask<start_result>([&](auto slot) { engine.start({}, id, slot); }));
  }
  std::int64_t wait(const std::string& id) {
    auto ended = ask<wait_result>([&](auto slot) { engine.wait(id, slot); });
    return ended ? ended->exit_code : -1;
  }
  std::int64_t run(const container_spec& spec) {
    auto id = create(spec);
    EXPECT_EQ(start(id), "ok");
    return wait(id);
  }
  container_info inspect(const std::string& id) {
    auto info = ask<container_info>([&](auto slot) { engine.inspect(id, slot); });
    EXPECT_EQ(code_of(info), "ok");
    return info ? *info : container_info{};
  }
  std::string remove(const std::string& id, bool force) {
    return code_of(ask<done>([&](auto slot) { engine.remove_container({}, id, force, slot); }));
  }

  simulated_engine engine;
};

}  // namespace

TEST_F(CTR4_simulated, says_plainly_what_it_is) {
  EXPECT_EQ(engine.kind(), "simulated");
  auto version = ask<engine_version>([&](auto slot) { engine.version_info(slot); });
  ASSERT_TRUE(version);
  EXPECT_EQ(version->version, "simulated");
  EXPECT_EQ(code_of(ask<done>([&](auto slot) { engine.ping(slot); })), "ok");
}

TEST_F(CTR4_simulated, a_container_lives_and_goes) {
  auto id = create(spec_of("one", {"anything"}));
  EXPECT_EQ(inspect(id).status, "created");
  EXPECT_EQ(inspect(id).started_at, 0);
  EXPECT_EQ(start(id), "ok");
  EXPECT_EQ(wait(id), 0);
  auto info = inspect("one");
  EXPECT_EQ(info.status, "exited");
  EXPECT_GT(info.started_at, 0);
  EXPECT_GE(info.finished_at, info.started_at);
  auto logs = ask<log_answer>([&](auto slot) { engine.logs(id, {}, slot); });
  ASSERT_TRUE(logs);
  EXPECT_TRUE(logs->lines.empty());
  EXPECT_EQ(remove(id, false), "ok");
  EXPECT_EQ(remove(id, false), "not_found");
}

TEST_F(CTR4_simulated, names_conflict) {
  create(spec_of("twice", {"x"}));
  auto again = ask<created_container>(
      [&](auto slot) { engine.create_container({}, spec_of("twice", {"x"}), slot); });
  EXPECT_EQ(code_of(again), "conflict");
}

TEST_F(CTR4_simulated, refuses_what_a_real_engine_is_never_sent) {
  auto bad = spec_of("bad", {"x"});
  bad.memory_bytes = 1 << 20;
  auto made = ask<created_container>([&](auto slot) { engine.create_container({}, bad, slot); });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().field, "/memory_bytes");
}

TEST_F(CTR4_simulated, exits_as_it_is_told) {
  EXPECT_EQ(run(spec_of("exit-3", {"exit", "3"})), 3);
  auto labelled = spec_of("labelled", {"x"});
  labelled.labels["reeve.simulate.exit_code"] = "9";
  EXPECT_EQ(run(labelled), 9);
  EXPECT_EQ(run(spec_of("sleeps", {"sleep", "0.02"})), 0);
}

TEST_F(CTR4_simulated, stop_ends_what_sleeps_and_wait_learns_it) {
  auto id = create(spec_of("sleeper", {"sleep", "3600"}));
  ASSERT_EQ(start(id), "ok");
  pending<wait_result> ended;
  engine.wait(id, ended.slot());
  EXPECT_EQ(remove(id, false), "conflict") << "it runs";
  EXPECT_EQ(code_of(ask<stop_result>([&](auto slot) { engine.stop({}, id, 10, slot); })), "ok");
  auto result = ended.take();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 143);
  EXPECT_EQ(code_of(ask<stop_result>([&](auto slot) { engine.stop({}, id, 10, slot); })), "ok");
  EXPECT_EQ(code_of(ask<done>([&](auto slot) { engine.kill({}, id, 9, slot); })), "conflict");
}

TEST_F(CTR4_simulated, what_ignores_sigterm_is_killed_after_the_grace) {
  auto spec = spec_of("stubborn", {"sleep", "3600"});
  spec.labels["reeve.simulate.ignore_term"] = "true";
  auto id = create(spec);
  ASSERT_EQ(start(id), "ok");
  EXPECT_EQ(code_of(ask<done>([&](auto slot) { engine.kill({}, id, 15, slot); })), "ok");
  EXPECT_EQ(inspect(id).status, "running");
  EXPECT_EQ(code_of(ask<stop_result>([&](auto slot) { engine.stop({}, id, 0, slot); })), "ok");
  EXPECT_EQ(inspect(id).exit_code, 137);
}

TEST_F(CTR4_simulated, a_second_execution_on_one_volume_is_refused) {
  auto spec = spec_of("guarded", {"x"});
  spec.entrypoint = {std::string{init_path}, std::string{marker_path}, "--"};
  spec.volume = "guarded";
  auto id = create(spec);
  ASSERT_EQ(start(id), "ok");
  EXPECT_EQ(wait(id), 0);
  ASSERT_EQ(start(id), "ok");
  EXPECT_EQ(wait(id), 125);
  auto removed = ask<done>([&](auto slot) { engine.remove_volume({}, "guarded", slot); });
  EXPECT_EQ(code_of(removed), "conflict");
  EXPECT_EQ(remove(id, false), "ok");
  removed = ask<done>([&](auto slot) { engine.remove_volume({}, "guarded", slot); });
  EXPECT_EQ(code_of(removed), "ok");
}

TEST_F(CTR4_simulated, lists_by_label) {
  create(spec_of("l1", {"x"}));
  auto other = spec_of("l2", {"x"});
  other.labels = {{"else", "1"}};
  create(other);
  auto count = [&](std::vector<label_filter> filters) {
    auto found =
        ask<std::vector<container_summary>>([&](auto slot) { engine.list(filters, slot); });
    return found ? static_cast<int>(found->size()) : -1;
  };
  EXPECT_EQ(count({}), 2);
  EXPECT_EQ(count({{"reeve.test", "yes"}}), 1);
  EXPECT_EQ(count({{"else", ""}}), 1);
  EXPECT_EQ(count({{"else", "2"}}), 0);
}

TEST_F(CTR4_simulated, lists_volumes_by_label) {
  const auto count = [&](std::vector<label_filter> filters) {
    auto found =
        ask<std::vector<volume_summary>>([&](auto slot) { engine.list_volumes(filters, slot); });
    return found ? static_cast<int>(found->size()) : -1;
  };
  ASSERT_TRUE(ask<reeve::done>([&](auto slot) {
    engine.create_volume({}, "v1", {{"reeve.run", "a"}}, slot);
  }));
  ASSERT_TRUE(ask<reeve::done>([&](auto slot) { engine.create_volume({}, "v2", {}, slot); }));
  EXPECT_EQ(count({}), 2);
  EXPECT_EQ(count({{"reeve.run", ""}}), 1);
  EXPECT_EQ(count({{"reeve.run", "b"}}), 0);
  ASSERT_TRUE(ask<reeve::done>([&](auto slot) { engine.remove_volume({}, "v1", slot); }));
  EXPECT_EQ(count({{"reeve.run", "a"}}), 0);
}

TEST_F(CTR4_simulated, images_have_stable_ids) {
  auto image = [&](const std::string& ref) {
    return ask<image_info>([&](auto slot) { engine.inspect_image(ref, slot); });
  };
  auto first = image("localhost:1/box:1");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->id, image("localhost:1/box:1")->id);
  EXPECT_EQ(image(first->id)->id, first->id);
  EXPECT_FALSE(first->command.empty());
  EXPECT_TRUE(image("localhost:1/bare/box:1")->command.empty());
  EXPECT_EQ(code_of(image("missing/box:1")), "not_found");
  EXPECT_EQ(code_of(image("../etc")), "invalid");
}

TEST(CTR4_simulated_end, open_waits_are_answered_when_it_goes) {
  pending<wait_result> ended;
  {
    simulated_engine engine;
    auto made = ask<created_container>([&](auto slot) {
      engine.create_container({}, spec_of("waits", {"sleep", "100"}), slot);
    });
    ASSERT_TRUE(made);
    ASSERT_TRUE(ask<start_result>([&](auto slot) { engine.start({}, made->id, slot); }));
    engine.wait(made->id, ended.slot());
  }
  auto result = ended.take(0);
  ASSERT_FALSE(result);
  EXPECT_TRUE(may_have_happened(result.error().code));
}
