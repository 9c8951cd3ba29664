// Volumes that are prepared ahead: named in the log, used once, found again after a crash, swept
// when their server is gone, and nobody depends on them.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <set>

using nlohmann::json;
using support::server;
using namespace std::chrono_literals;

namespace {

class with_spares {
 public:
  with_spares()
      : reeve_(options()),
        label_("reeve.instance=" +
               *reeve_.database().query("SELECT origin FROM reeve.log").at(0, "origin")),
        cleanup_(on_, label_) {
    support::allow_image(reeve_.api());
  }
  server& reeve() { return reeve_; }
  const support::engine& engine() const { return on_; }

  json run(const std::vector<json>& tasks) {
    return support::await_run(reeve_.api(), launched(tasks).at("id"));
  }
  json launched(const std::vector<json>& tasks) {
    return support::launch(reeve_.api(), support::inline_launch(tasks));
  }
  /// Names of all volumes of this log on the engine.
  std::set<std::string> volumes() const {
    const auto answer =
        on_.call("GET", "/volumes?filters=%7B%22label%22%3A%5B%22" + label_ + "%22%5D%7D");
    std::set<std::string> names;
    const json all = answer.json().at("Volumes");
    for (const auto& one : all.is_null() ? json::array() : all) names.insert(one.at("Name"));
    return names;
  }
  /// Two volumes are ready: unpacked, their containers gone, and the server has heard of it.
  bool is_ready() const {
    auto since = std::chrono::steady_clock::now();
    return support::eventually([&] {
      const auto now = std::chrono::steady_clock::now();
      const auto names = volumes();
      const bool all = names.size() == 2 && on_.containers(label_).empty() &&
                       std::all_of(names.begin(), names.end(),
                                   [&](const auto& name) { return is_unpacked(name); });
      if (!all) since = now;
      return now - since >= 500ms;
    });
  }
  /// The spare volumes that the intents of a run name.
  std::set<std::string> named_by(const std::string& run) {
    std::set<std::string> names;
    const json page =
        support::must_get(reeve_.api(), "/api/events?type=attempt_intended&stream=run-" + run);
    for (const auto& event : page.at("results")) {
      const auto& payload = event.at("payload");
      const std::string name = payload.at("volume");
      if (name.starts_with("reeve-spare-")) names.insert(name);
    }
    return names;
  }

 private:
  bool is_unpacked(const std::string& volume) const {
    const auto answer = on_.call("GET", "/volumes/" + volume);
    if (answer.status != 200 || !volume.starts_with("reeve-spare-")) return false;
    const std::string folder = answer.json().at("Mountpoint");
    return std::filesystem::exists(folder + "/reeve-init");
  }
  static support::server_options options() {
    support::server_options options;
    options.docker = support::real_engine();
    options.arguments = {"--reconcile-s", "1", "--orphan-s", "2"};
    return options;
  }
  server reeve_;
  support::engine on_;
  std::string label_;
  support::engine_cleanup cleanup_;
};

}  // namespace

TEST(RUN7_spare_volumes, are_named_by_the_intent_used_once_and_replaced) {
  with_spares here;
  const json first = here.run({support::shell_task("a", "echo first")});
  EXPECT_TRUE(here.named_by(first.at("id")).empty());
  ASSERT_TRUE(here.is_ready());
  const auto ready = here.volumes();
  const json second = here.run({support::shell_task("a", "echo a; echo x > /reeve/out/x"),
                                support::shell_task("b", "ls /reeve/out | wc -l"),
                                support::shell_task("c", "echo c")});
  EXPECT_EQ(second.at("status"), "success") << second;
  const auto used = here.named_by(second.at("id"));
  EXPECT_GE(used.size(), 2U);
  for (const auto& name : ready) EXPECT_TRUE(used.contains(name)) << name;
  // Nothing of one attempt is there for another one.
  EXPECT_EQ(support::log_of(here.reeve().api(), support::job_named(second, "b").at("id")), "0\n");
  ASSERT_TRUE(here.is_ready());
  for (const auto& name : here.volumes()) EXPECT_FALSE(used.contains(name)) << name;
  EXPECT_EQ(here.reeve().command({"verify"}).status, 0);
  EXPECT_EQ(here.reeve().command({"replay"}).status, 0);
  // A stop leaves nothing on the engine.
  EXPECT_EQ(here.reeve().stop(), 0);
  EXPECT_TRUE(here.volumes().empty());
}

TEST(RUN7_spare_volumes, that_somebody_removed_cost_no_run) {
  with_spares here;
  here.run({support::shell_task("a", "true")});
  ASSERT_TRUE(here.is_ready());
  for (const auto& name : here.volumes()) {
    EXPECT_EQ(here.engine().call("DELETE", "/volumes/" + name).status, 204);
  }
  const json run = here.run({support::shell_task("a", "echo still here")});
  EXPECT_EQ(run.at("status"), "success") << run;
  EXPECT_EQ(support::log_of(here.reeve().api(), run.at("jobs").at(0).at("id")), "still here\n");
  EXPECT_EQ(here.named_by(run.at("id")).size(), 1U);
}

TEST(RUN7_spare_volumes, are_found_again_after_a_crash_and_swept_after_it) {
  with_spares here;
  here.run({support::shell_task("a", "true")});
  ASSERT_TRUE(here.is_ready());
  const auto left = here.volumes();
  const json launched = here.launched({support::shell_task("a", "echo once; sleep 3; echo end")});
  const std::string run = launched.at("id");
  support::await_started(here.reeve().api(), run, "a");
  const auto used = here.named_by(run);
  ASSERT_EQ(used.size(), 1U);
  here.reeve().crash_and_restart();
  const json over = support::await_run(here.reeve().api(), run);
  EXPECT_EQ(over.at("status"), "success") << over;
  EXPECT_EQ(support::log_of(here.reeve().api(), over.at("jobs").at(0).at("id")), "once\nend\n");
  EXPECT_TRUE(support::eventually([&] {
    const auto now = here.volumes();
    return std::none_of(left.begin(), left.end(),
                        [&](const auto& name) { return now.contains(name); });
  }));
}
