// P17, RUN8: one tenant's many triages hold up another one's by one of them, and what is cancelled
// is out of the way at once.

#include "tests/support/environment.hpp"
#include "tests/support/server.hpp"
#include "tests/support/watchdog.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using nlohmann::json;
using support::inline_launch;
using support::must_get;
using support::must_post;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

class P17_own_work : public ::testing::Test {
 protected:
  P17_own_work() {
    support::allow_time(std::chrono::seconds(180));
    fs::permissions(logs_.path(), fs::perms::all);
  }
  support::server_options options() const {
    support::server_options made;
    made.environment["REEVE_LOGS"] = logs_.path();
    return made;
  }
  void write(const std::string& name, int lines) const {
    fs::create_directories((logs_.path() / name).parent_path());
    std::ofstream file(logs_.path() / name);
    for (int i = 0; i < lines; ++i) {
      file << "2026-03-01T10:00:00Z INFO request " << i << " took " << i % 977
           << " ms for customer-" << i % 311 << " at https://example.org/a/" << i % 13 << "\n";
    }
  }
  static std::string launch(const support::api_client& as, const std::string& file, int count) {
    std::vector<json> tasks;
    for (int i = 0; i < count; ++i) {
      tasks.push_back({{"name", "t" + std::to_string(i)},
                       {"kind", "log_triage"},
                       {"params", {{"files", {file}}}}});
    }
    return support::launch(as, inline_launch(tasks, {{"max_parallel", 64}})).at("id");
  }

  support::scratch_dir logs_{support::work_dir(), "l"};
  support::server reeve_{options()};
};

TEST_F(P17_own_work, of_one_tenant_lets_another_one_have_its_turn) {
  const auto patience = 60s * support::time_factor();
  const auto many = reeve_.api();
  const auto few = reeve_.system_api();
  write("large.log", 200'000);  // some 18 MB
  write(support::tenant_of(few) + "/small.log", 10);
  const auto flood = launch(many, "large.log", 64);
  ASSERT_TRUE(support::eventually(30s * support::time_factor(), [&] {
    const auto told =
        must_get(many, "/api/events?type=attempt_started&limit=500&stream=run-" + flood);
    return told.at("results").size() > 20;
  })) << "they wait for their turns";
  const json other = support::await_run(few, launch(few, "small.log", 1), patience);
  EXPECT_EQ(other.at("status"), "success") << other.dump(1);
  const json now = must_get(many, "/api/runs/" + flood);
  EXPECT_FALSE(support::is_over(now)) << "it did not wait for all of them";
  // What is cancelled neither waits for its turn nor keeps the place of others.
  must_post(many, "/api/runs/" + flood + "/cancel", json::object(), 202);
  EXPECT_EQ(support::await_run(many, flood, patience).at("status"), "cancelled");
  write("next.log", 10);
  const json next = support::await_run(many, launch(many, "next.log", 1), patience);
  EXPECT_EQ(next.at("status"), "success") << next.dump(1);
}

}  // namespace
