// RUN13: what jobs print may cost the redaction of their logs much processor time, and neither
// requests nor the server's end wait for it.

#include "tests/support/engine.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/server.hpp"
#include "tests/support/watchdog.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>

using nlohmann::json;
using support::inline_launch;
using support::must_get;
using support::must_post;
using support::shell_task;
using namespace std::chrono_literals;

namespace {

/// Prints the word again and again, ten times 90 KiB or more without an end of line.
std::string printing(const std::string& word) {
  return "s='" + word +
         "'; while [ ${#s} -lt 90000 ]; do s=\"$s$s\"; done; "
         "for i in 1 2 3 4 5 6 7 8 9 10; do echo \"$s\"; done";
}

class RUN13_hostile_output : public ::testing::Test {
 protected:
  RUN13_hostile_output() {
    support::allow_time(std::chrono::seconds(180));
    support::allow_image(reeve_.api());
  }
  /// Ten jobs at once; the first word once took the server 12 s of processor time for 64 KiB.
  std::string launch() {
    std::vector<json> tasks;
    for (const char* word : {"token_type=", "password=", "\"secret\": {", "Bearer Bearer ", "Pwd=;",
                             "https://a:b@", "eyJhbGciOiJ.", "-----BEGIN ", "AKIA", "--env A="}) {
      tasks.push_back(shell_task("t" + std::to_string(tasks.size()), printing(word)));
    }
    return support::launch(reeve_.api(), inline_launch(tasks, {{"max_parallel", 10}})).at("id");
  }
  static support::server_options options() {
    support::server_options options;
    options.docker = support::real_engine();
    return options;
  }

  support::server reeve_{options()};
  support::engine on_;
  support::engine_cleanup cleanup_{on_, "reeve.tenant=" + support::tenant_of(reeve_.api())};
};

TEST_F(RUN13_hostile_output, of_ten_jobs_holds_up_no_request) {
  const auto until_answered = 5s * support::time_factor();
  const auto run = launch();
  const auto api = reeve_.api();
  int made = 0;
  for (json now = must_get(api, "/api/runs/" + run);; ++made) {
    const auto begin = std::chrono::steady_clock::now();
    must_post(api, "/api/directives",
              {{"name", "d" + std::to_string(made)}, {"tasks", {"log_triage"}}}, 201);
    now = must_get(api, "/api/runs/" + run);
    ASSERT_LT(std::chrono::steady_clock::now() - begin, until_answered) << "after " << made;
    if (!support::is_over(now)) continue;
    EXPECT_EQ(now.at("status"), "success") << now.dump(1);
    for (const auto& job : now.at("jobs")) {
      EXPECT_GT(support::log_of(api, job.at("id")).size(), 100U) << job.dump(1);
    }
    break;
  }
  EXPECT_GT(made, 0);
}

TEST_F(RUN13_hostile_output, P30_does_not_hold_up_the_end_of_the_server) {
  const auto run = launch();
  // As soon as one has ended, the logs of others are being read or wait for it.
  ASSERT_TRUE(support::eventually(60s, [&] {
    const auto told = must_get(reeve_.api(), "/api/events?type=attempt_ended&stream=run-" + run);
    return !told.at("results").empty();
  }));
  EXPECT_EQ(reeve_.stop(), 0);
  reeve_.start();
  const auto over = support::await_run(reeve_.api(), run, 60s);
  EXPECT_EQ(over.at("status"), "success") << over.dump(1);
}

}  // namespace
