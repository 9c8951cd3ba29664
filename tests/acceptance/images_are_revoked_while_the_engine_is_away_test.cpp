// P11: an attempt whose intent stands in the log, and that a server takes up after a crash, asks
// the allowlist again before its container is made.

#include "tests/support/engine.hpp"
#include "tests/support/server.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/unix_proxy.hpp"
#include "tests/support/watchdog.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <gtest/gtest.h>

using nlohmann::json;
using namespace std::chrono_literals;

TEST(P11_revocation, behind_the_intent_is_obeyed_by_who_takes_the_attempt_up) {
  support::allow_time(120s);
  const support::tally starts;
  const support::scratch_dir folder(support::work_dir(), "p");
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  support::unix_proxy calls(folder.path() / "sock", support::engine_socket());
  const auto stopped = folder.path() / "stopped";
  support::server_options options;
  options.docker = "unix://" + (folder.path() / "sock").string();
  options.environment["REEVE_MOUNT_ROOTS"] = starts.root();
  options.environment["REEVE_TEST_STOP_AT"] = "after_intent=" + stopped.string();
  support::server reeve(options);
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(reeve.api()));
  const json entry = support::allow_image(reeve.api());
  const json run = support::launch(reeve.api(), support::inline_launch({starts.task("a")}));
  ASSERT_TRUE(support::eventually([&] { return std::filesystem::exists(stopped); }));
  reeve.kill_hard();
  calls.cut_off();
  reeve.start();
  const auto api = reeve.api();
  support::must_post(api,
                     "/api/allowlists/images/" + entry.at("id").get<std::string>() + "/deactivate",
                     json::object(), 200);
  calls.let_in();
  const json over = support::await_run(api, run.at("id"), 60s);
  EXPECT_EQ(over.at("status"), "failed");
  EXPECT_EQ(over.at("jobs").at(0).at("reason"), "not_allowlisted") << over.dump(1);
  EXPECT_EQ(starts.starts_of("a"), 0);
}
