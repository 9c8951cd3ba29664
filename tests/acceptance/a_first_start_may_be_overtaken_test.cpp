// A server that stands still in its very first start, before its log has a token, while another one
// makes the start of that log.

#include "tests/support/chaos.hpp"
#include "tests/support/exit_codes.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <gtest/gtest.h>

using support::exit_fenced;
using support::server;
using namespace std::chrono_literals;

namespace {}  // namespace

/// And is started again, as a standby.
TEST(P31_fence, ends_a_first_start_that_was_overtaken_as_every_other) {
  REEVE_TEST_TIME_LIMIT(90);
  const support::test_database database;
  const support::scratch_dir folder(support::work_dir(), "s");
  const auto stopped = folder.path() / "stopped";
  support::server_options options;
  options.database_url = database.url();
  options.start = false;
  server second(options);
  options.environment["REEVE_TEST_STOP_AT"] = "first_start=" + stopped.string();
  server first(options);
  first.start_without_waiting();
  ASSERT_TRUE(support::eventually([&] { return std::filesystem::exists(stopped); }));
  second.start_without_waiting();
  second.await_ready();
  first.resume();
  EXPECT_EQ(first.await_exit(20s * support::time_factor()), exit_fenced) << first.log();
  const auto id = support::launch(second.api(), {{"tasks", {"task1"}}}).at("id");
  EXPECT_EQ(support::await_run(second.api(), id).at("status"), "success");
  support::expect_whole_log(second);
}
